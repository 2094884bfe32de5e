import { statusOf } from "@rouse/client"
import type { Activity } from "@rouse/client"
import { ArrowDown } from "lucide-react"
import { useState } from "react"
import type { ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { cn } from "../components/class-names.ts"
import { Skeleton } from "../components/skeleton.tsx"
import { StatusGlyph } from "../components/status-glyph.tsx"
import { Elapsed } from "../components/times.tsx"
import { busySince, statusOfActivity } from "../core/agent-status.ts"
import { grouped } from "../core/number.ts"
import type { AgentState } from "../data/agent.ts"
import { BudgetCards } from "./budget-card.tsx"
import { ItemView } from "./item-view.tsx"
import { useStickToBottom } from "./stick-to-bottom.ts"

/** How many items are in the page at first, and are added by each request for earlier ones. */
const ITEMS_SHOWN = 200

/** All that happened, oldest first; the end stays in sight as it grows. */
export function TimelineView({ state }: { readonly state: AgentState }): ReactNode {
  const { scroller, content, stuck, toEnd } = useStickToBottom()
  const [limit, setLimit] = useState(ITEMS_SHOWN)
  const { timeline, phase, url } = state
  const { items } = timeline
  const hidden = useHidden(Math.max(0, items.length - limit), stuck)
  const activity = statusOf(timeline)
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        role="region"
        aria-label="Timeline"
        tabIndex={0}
        className="h-full overflow-y-auto overscroll-contain -outline-offset-2"
      >
        <div ref={content} className="mx-auto flex min-h-full w-full max-w-[50rem] flex-col px-4 pt-5 sm:px-6">
          {phase === "loading" && <Loading />}
          {phase === "live" && items.length === 0 && <Asleep />}
          {hidden > 0 && (
            <Button tone="ghost" className="mx-auto mb-4" onClick={() => setLimit(limit + ITEMS_SHOWN)}>
              {grouped(hidden)} earlier
            </Button>
          )}
          {phase === "live" && items.slice(hidden).map((item) => <ItemView key={item.id} item={item} url={url} />)}
          <BudgetCards approvals={timeline.approvals} url={url} />
          <Doing activity={activity} since={busySince(timeline)} show={phase === "live" && items.length > 0} />
        </div>
      </div>
      <p role="status" className="sr-only">
        {phase === "live" ? activity.label : "Reading the log"}
      </p>
      {!stuck && (
        <Button
          onClick={toEnd}
          className="absolute bottom-3 left-1/2 -translate-x-1/2 animate-rise rounded-full shadow-pop"
        >
          <ArrowDown className="size-3.5" />
          Jump to latest
        </Button>
      )}
    </div>
  )
}

/** How many of the oldest items are left out. While the reader looks at what was, no more than before. */
function useHidden(wanted: number, stuck: boolean): number {
  const [hidden, setHidden] = useState(wanted)
  if (stuck ? hidden !== wanted : hidden > wanted) setHidden(wanted)
  return hidden
}

/** The last line: what is going on. Its place is always kept, so that it comes and goes without moving anything. */
function Doing(props: {
  readonly activity: Activity
  readonly since: string | undefined
  readonly show: boolean
}): ReactNode {
  const { activity, since, show } = props
  const resting = activity.kind === "idle" || activity.kind === "stopped" || activity.kind === "dead"
  return (
    <div aria-hidden className="flex h-9 shrink-0 items-center gap-2 pb-3 text-sm text-ink-2">
      {show && !resting && (
        <>
          <StatusGlyph status={statusOfActivity(activity)} />
          {activity.label.charAt(0).toUpperCase() + activity.label.slice(1)}
          {activity.busy && since !== undefined && (
            <span className="text-ink-3">
              <Elapsed since={since} />
            </span>
          )}
        </>
      )}
    </div>
  )
}

function Asleep(): ReactNode {
  return (
    <div className="m-auto max-w-[40ch] pb-8 text-center">
      <p className="font-medium">Asleep</p>
      <p className="text-ink-2 text-balance">Nothing has happened to it yet. Write to it, and it wakes.</p>
    </div>
  )
}

/** A message and an answer, before they are known. */
function Loading(): ReactNode {
  return (
    <div aria-busy aria-label="Reading the log" className="flex flex-col gap-5">
      <Lines widths={[16, 62]} className="rounded-lg bg-sunken px-3.5 py-2.5" />
      <Lines widths={[92, 88, 70]} />
      <Lines widths={[80, 54]} />
    </div>
  )
}

function Lines({ widths, className }: { readonly widths: readonly number[]; readonly className?: string }): ReactNode {
  return (
    <div className={cn("flex flex-col gap-1.5", className)}>
      {widths.map((width) => (
        <span key={width} style={{ width: `${width}%` }}>
          <Skeleton className="w-full" />
        </span>
      ))}
    </div>
  )
}
