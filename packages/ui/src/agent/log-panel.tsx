import { useVirtualizer } from "@tanstack/react-virtual"
import { ArrowDown } from "lucide-react"
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react"
import type { ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { cn } from "../components/class-names.ts"
import { CopyButton } from "../components/copy-button.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { collectionsOf, entriesAsText } from "../core/log-entries.ts"
import type { LogEntry } from "../core/log-entries.ts"
import { compact, grouped } from "../core/number.ts"
import type { AgentState } from "../data/agent.ts"
import { LOG_ROW_PX, LogRow } from "./log-row.tsx"

/** The log itself: every event, as it was written. It follows the end until the reader scrolls up. */
export function LogPanel({ state, titled }: { readonly state: AgentState; readonly titled: boolean }): ReactNode {
  const [only, setOnly] = useState<ReadonlySet<string>>(new Set())
  const counted = useDeferredValue(state.log)
  const collections = useMemo(() => collectionsOf(counted), [counted])
  const entries = only.size === 0 ? state.log : state.log.filter(({ event }) => only.has(event.type))
  return (
    <div className="flex min-h-0 flex-1 flex-col bg-canvas">
      <header className="flex h-12 shrink-0 items-center gap-2 pr-2 pl-4">
        <h2 className={cn("text-sm font-semibold", !titled && "sr-only")}>Log</h2>
        {titled && <span className="text-sm text-ink-3">{grouped(entries.length)}</span>}
        {state.offset !== undefined && (
          <code
            className={cn("min-w-0 truncate font-mono text-2xs text-ink-3", titled && "ml-auto")}
            title={`It ends at offset ${state.offset}`}
          >
            {state.offset}
          </code>
        )}
        <CopyButton
          label="Copy these events, one a line"
          text={() => entriesAsText(entries)}
          className={cn((!titled || state.offset === undefined) && "ml-auto")}
        />
      </header>
      <Collections collections={collections} only={only} setOnly={setOnly} />
      <Entries key={[...only].join()} entries={entries} loading={state.phase === "loading"} />
    </div>
  )
}

function Collections(props: {
  readonly collections: ReturnType<typeof collectionsOf>
  readonly only: ReadonlySet<string>
  readonly setOnly: (only: ReadonlySet<string>) => void
}): ReactNode {
  const { collections, only, setOnly } = props
  const toggle = (name: string): void => {
    const next = new Set(only)
    if (!next.delete(name)) next.add(name)
    setOnly(next)
  }
  return (
    <div
      role="group"
      aria-label="Collections to show"
      className="flex h-9 shrink-0 items-center gap-1 overflow-x-auto border-b border-line px-2 pb-2 [scrollbar-width:none]"
    >
      {collections.map(({ name, count }) => (
        <button
          key={name}
          type="button"
          aria-pressed={only.has(name)}
          onClick={() => toggle(name)}
          className="group flex h-6 shrink-0 items-center gap-1 rounded-md px-2 font-mono text-2xs text-ink-2 hover:bg-hover aria-pressed:bg-ink aria-pressed:text-canvas"
        >
          {name}
          <span className="text-ink-3 group-aria-pressed:text-canvas">{compact(count)}</span>
        </button>
      ))}
    </div>
  )
}

function Entries({
  entries,
  loading,
}: {
  readonly entries: readonly LogEntry[]
  readonly loading: boolean
}): ReactNode {
  const scroller = useRef<HTMLDivElement>(null)
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const [follow, setFollow] = useState(true)
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LOG_ROW_PX,
    overscan: 12,
    paddingStart: 4,
    paddingEnd: 12,
  })
  const last = entries.at(-1)?.n
  useEffect(() => {
    if (follow && last !== undefined) virtual.scrollToIndex(entries.length - 1, { align: "end" })
  }, [follow, last, entries.length, virtual])
  const top = useRef(0)
  const onScroll = (): void => {
    const box = scroller.current
    if (!box) return
    const near = box.scrollHeight - box.scrollTop - box.clientHeight < LOG_ROW_PX * 2
    if (near) setFollow(true)
    else if (box.scrollTop < top.current - 1) setFollow(false)
    top.current = box.scrollTop
  }
  const toggle = (n: number): void => {
    const next = new Set(open)
    if (!next.delete(n)) next.add(n)
    setOpen(next)
    setFollow(false)
  }
  if (entries.length === 0) return <EmptyState title={loading ? "Reading the log" : "No such events yet"} />
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        onScroll={onScroll}
        tabIndex={0}
        role="region"
        aria-label="Events of the log"
        className="h-full overflow-y-auto overscroll-contain -outline-offset-2"
      >
        <ol className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => (
            <li
              key={entries[index]!.n}
              ref={virtual.measureElement}
              data-index={index}
              className="absolute inset-x-0"
              style={{ transform: `translateY(${start}px)` }}
            >
              <LogRow entry={entries[index]!} open={open.has(entries[index]!.n)} toggle={toggle} />
            </li>
          ))}
        </ol>
      </div>
      {!follow && (
        <Button
          onClick={() => setFollow(true)}
          className="absolute right-3 bottom-3 animate-rise rounded-full shadow-pop"
        >
          <ArrowDown className="size-3.5" />
          Follow
        </Button>
      )}
    </div>
  )
}
