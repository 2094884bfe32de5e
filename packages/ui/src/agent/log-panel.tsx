import { useVirtualizer } from "@tanstack/react-virtual"
import { ArrowDown } from "lucide-react"
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react"
import type { ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { cn } from "../components/class-names.ts"
import { CopyButton } from "../components/copy-button.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { collectionsOf, entriesAsText } from "../core/log-entries.ts"
import type { LogEntry } from "../core/log-entries.ts"
import { compact, grouped } from "../core/number.ts"
import type { AgentState } from "../data/agent.ts"
import { useSlow } from "../data/slow.ts"
import { LOG_ROW_PX, LogRow } from "./log-row.tsx"

const NEAR_TOP_PX = 200
/** The log of an agent that streams grows many times a second; what is read is drawn first. */
const DRAWN_MS = 120

/** The log itself: every event, as it was written. It follows the end until the reader scrolls up. */
export function LogPanel(props: {
  readonly state: AgentState
  /** The offset that the page shows the agent at. */
  readonly at: string | undefined
  readonly titled: boolean
  readonly loadEarlier: () => Promise<void>
}): ReactNode {
  const { state, titled, at } = props
  const [only, setOnly] = useState<ReadonlySet<string>>(new Set())
  const counted = useSlow(state.log, DRAWN_MS)
  const collections = useMemo(() => collectionsOf(counted), [counted])
  const entries = useMemo(
    () => (only.size === 0 ? counted : counted.filter(({ event }) => only.has(event.type))),
    [counted, only],
  )
  return (
    <div className="flex min-h-0 flex-1 flex-col bg-canvas">
      <header className="flex h-12 shrink-0 items-center gap-2 pr-2 pl-4">
        <h2 className={cn("text-sm font-semibold", !titled && "sr-only")}>Log</h2>
        {titled && (
          <span className="text-sm text-ink-3">
            {grouped(entries.length) + (state.before === undefined ? "" : "+")}
          </span>
        )}
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
      <Entries
        key={[...only].join()}
        entries={entries}
        at={at}
        loading={state.phase === "loading"}
        loadEarlier={state.before === undefined ? undefined : props.loadEarlier}
      />
    </div>
  )
}

const Collections: (props: {
  readonly collections: ReturnType<typeof collectionsOf>
  readonly only: ReadonlySet<string>
  readonly setOnly: (only: ReadonlySet<string>) => void
}) => ReactNode = memo(function Collections(props) {
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
})

const Entries: (props: {
  readonly entries: readonly LogEntry[]
  readonly at: string | undefined
  readonly loading: boolean
  /** Absent when the log is known from its beginning. */
  readonly loadEarlier: (() => Promise<void>) | undefined
}) => ReactNode = memo(function Entries({ entries, at, loading, loadEarlier }) {
  const scroller = useRef<HTMLDivElement>(null)
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const [follow, setFollow] = useState(true)
  const virtual = useVirtualizer({
    count: entries.length,
    // An entry keeps its height and its place when earlier ones come before it.
    getItemKey: (index) => entries[index]!.n,
    getScrollElement: () => scroller.current,
    estimateSize: () => LOG_ROW_PX,
    overscan: 12,
    paddingStart: 4,
    paddingEnd: 12,
  })
  const last = entries.at(-1)?.n
  const first = entries[0]?.n ?? 1
  const here = at === undefined ? -1 : entries.findLastIndex(({ offset }) => offset <= at)
  useEffect(() => {
    if (here < 0) return
    setFollow(false)
    virtual.scrollToIndex(here, { align: "auto" })
  }, [here, virtual])
  const height = virtual.getTotalSize()
  // What comes before does not move what is being read.
  const top = useRef(0)
  const firstBefore = useRef(first)
  useLayoutEffect(() => {
    const added = first < firstBefore.current ? entries.findIndex(({ n }) => n >= firstBefore.current) : 0
    firstBefore.current = first
    if (added > 0 && !follow) scroller.current?.scrollBy({ top: added * LOG_ROW_PX })
  }, [first, entries, follow])
  useLayoutEffect(() => {
    if (follow && last !== undefined) scroller.current?.scrollTo({ top: height })
  }, [follow, last, height])
  const onScroll = (): void => {
    const box = scroller.current
    if (!box) return
    const near = box.scrollHeight - box.scrollTop - box.clientHeight < LOG_ROW_PX * 2
    if (near) setFollow(true)
    else if (box.scrollTop < top.current - 1) setFollow(false)
    top.current = box.scrollTop
    if (box.scrollTop < NEAR_TOP_PX && loadEarlier) loadEarlier().catch(console.error)
  }
  const toggle = (n: number): void => {
    const next = new Set(open)
    if (next.delete(n))
      virtual.resizeItem(
        entries.findIndex((entry) => entry.n === n),
        LOG_ROW_PX,
      )
    else next.add(n)
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
        <ol className="relative" style={{ height }}>
          {virtual.getVirtualItems().map(({ index, start }) => (
            <li
              key={entries[index]!.n}
              // Only an open one has a height of its own.
              ref={open.has(entries[index]!.n) ? virtual.measureElement : undefined}
              data-index={index}
              className="absolute inset-x-0"
              style={{ transform: `translateY(${start}px)` }}
            >
              <LogRow
                entry={entries[index]!}
                place={loadEarlier ? undefined : entries[index]!.n - first + 1}
                here={index === here}
                later={at !== undefined && index > here}
                open={open.has(entries[index]!.n)}
                toggle={toggle}
              />
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
})
