import type { EntitySummary } from "@rouse/protocol"
import { useParams } from "@tanstack/react-router"
import { useVirtualizer } from "@tanstack/react-virtual"
import { useEffect, useMemo, useRef, useState } from "react"
import type { PointerEvent, ReactNode } from "react"
import { Skeleton } from "../components/skeleton.tsx"
import { heldOrder } from "../core/agents-list.ts"
import { useApp } from "../data/app.tsx"
import { useStore } from "../data/store.ts"
import { useShortcuts } from "../shell/shortcuts.ts"
import { AgentRow, ROW_PX } from "./agent-row.tsx"

/** How many rows before the end the next page is asked for. */
const ROWS_AHEAD = 30

/** The rows of the list. Only those in sight are in the page, and they keep still under the pointer. */
export function AgentsList({ agents }: { readonly agents: readonly EntitySummary[] }): ReactNode {
  const scroller = useRef<HTMLDivElement>(null)
  const { rows, hold } = useHeldOrder(agents)
  const open = useOpenUrl()
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]!.url,
    overscan: 8,
    paddingStart: 4,
    paddingEnd: 8,
  })
  useListKeys(rows, (index) => virtual.scrollToIndex(index))
  useMoreAtEnd(virtual.range?.endIndex ?? 0, rows.length)
  return (
    <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto overscroll-contain" {...hold}>
      <ul className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => (
          <li
            key={key}
            className="absolute inset-x-1.5"
            style={{ transform: `translateY(${start}px)`, height: ROW_PX }}
          >
            <AgentRow agent={rows[index]!} open={rows[index]!.url === open} />
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Rows of the right size and rhythm, until the first page is there. */
export function AgentsSkeleton(): ReactNode {
  return (
    <div aria-busy aria-label="Loading the agents" className="min-h-0 flex-1 overflow-hidden px-1.5 pt-1">
      {[70, 52, 84, 44, 62, 76, 50, 66].map((width, index) => (
        <div
          key={index}
          style={{ height: ROW_PX, opacity: 1 - index / 9 }}
          className="grid grid-cols-[auto_1fr] content-center items-center gap-x-2.5 px-2.5"
        >
          <span className="mx-0.5 size-2.5 rounded-full border-[1.5px] border-line-strong" />
          <span className="flex h-4.5 items-center" style={{ width: `${width}%` }}>
            <Skeleton className="w-full" />
          </span>
          <span className="col-start-2 flex h-4.5 items-center" style={{ width: `${width / 3}%` }}>
            <Skeleton className="w-full" />
          </span>
        </div>
      ))}
    </div>
  )
}

interface HeldRows {
  readonly rows: readonly EntitySummary[]
  /** What tells that the pointer is in the list. */
  readonly hold: { readonly onPointerEnter: (event: PointerEvent) => void; readonly onPointerLeave: () => void }
}

/** The rows in an order that holds while the pointer is in the list: what is about to be clicked does not move away. */
function useHeldOrder(agents: readonly EntitySummary[]): HeldRows {
  const [held, setHeld] = useState(false)
  const [seen, setSeen] = useState<readonly string[]>([])
  const rows = useMemo(() => heldOrder(agents, seen, held), [agents, seen, held])
  const hold = {
    onPointerEnter: (event: PointerEvent) => {
      if (event.pointerType !== "mouse") return
      setSeen(rows.map(({ url }) => url))
      setHeld(true)
    },
    onPointerLeave: () => setHeld(false),
  }
  return { rows, hold }
}

function useOpenUrl(): string | undefined {
  const { type, id } = useParams({ strict: false })
  return type !== undefined && id !== undefined ? `/${type}/${id}` : undefined
}

/** j, k and the arrows move the focus over the rows. */
function useListKeys(rows: readonly EntitySummary[], show: (index: number) => void): void {
  const move = (step: number): void => {
    const links = [...document.querySelectorAll<HTMLElement>("[data-agent-row]")]
    const focused = document.activeElement?.getAttribute("data-agent-row")
    const open = document.querySelector("[data-agent-row][aria-current=page]")?.getAttribute("data-agent-row")
    const from = rows.findIndex(({ url }) => url === (focused ?? open))
    const to = Math.min(rows.length - 1, Math.max(0, from < 0 ? 0 : from + step))
    show(to)
    const link = links.find((candidate) => candidate.getAttribute("data-agent-row") === rows[to]?.url)
    link?.focus()
  }
  const arrow = (step: number) => (): void => {
    if (document.activeElement?.hasAttribute("data-agent-row")) move(step)
  }
  useShortcuts({ j: () => move(1), k: () => move(-1), ArrowDown: arrow(1), ArrowUp: arrow(-1) })
}

function useMoreAtEnd(end: number, count: number): void {
  const { agents } = useApp()
  const { next, loadingMore, error } = useStore(agents)
  useEffect(() => {
    if (next === undefined || loadingMore || error !== undefined || end < count - ROWS_AHEAD) return
    agents.loadMore().catch(console.error)
  }, [agents, next, loadingMore, error, end, count])
}
