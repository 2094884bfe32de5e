import type { Operation } from "@rouse/protocol"
import { History } from "lucide-react"
import { memo } from "react"
import type { ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { cn } from "../components/class-names.ts"
import { CopyButton } from "../components/copy-button.tsx"
import { JsonView } from "../components/json-view.tsx"
import { summaryOf } from "../core/event-summary.ts"
import type { LogEntry } from "../core/log-entries.ts"
import { useGoTo } from "./time-bar.tsx"

export const LOG_ROW_PX = 26

const OPERATIONS: Readonly<Record<Operation, { readonly sign: string; readonly tone: string }>> = {
  insert: { sign: "+", tone: "text-accent" },
  update: { sign: "~", tone: "text-attention" },
  delete: { sign: "−", tone: "text-danger" },
}

/** One event: its place, what it does to which row, and when opened all of it. */
export const LogRow: (props: {
  readonly entry: LogEntry
  /** Its number in the log, when the log is known from its beginning. */
  readonly place: number | undefined
  /** The page shows the agent as it was here. */
  readonly here: boolean
  /** It came after what the page shows. */
  readonly later: boolean
  readonly open: boolean
  readonly toggle: (n: number) => void
}) => ReactNode = memo(function LogRow({ entry, place, here, later, open, toggle }) {
  const go = useGoTo()
  const { n, event, offset } = entry
  const { sign, tone } = OPERATIONS[event.headers.operation]
  return (
    <div className={cn(open && "border-y border-line bg-surface", here && "bg-attention-soft")}>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => toggle(n)}
        style={{ height: LOG_ROW_PX }}
        aria-current={here ? "step" : undefined}
        className={cn(
          "flex w-full items-center gap-2 px-3 text-left font-mono text-2xs -outline-offset-2 hover:bg-hover",
          later && "italic",
        )}
      >
        <span className="w-9 shrink-0 text-right text-ink-3">{place}</span>
        <span className={cn("w-2 shrink-0 text-center font-semibold", tone)} title={event.headers.operation}>
          {sign}
        </span>
        <span className="shrink-0 font-medium">{event.type}</span>
        <span className="max-w-[45%] shrink-0 truncate text-ink-2">{event.key}</span>
        <span className="min-w-0 flex-1 truncate text-ink-3">{summaryOf(event, 160)}</span>
      </button>
      {open && (
        <div className="relative px-3 pt-1 pb-3 pl-8">
          <CopyButton label="Copy this event" text={() => JSON.stringify(event)} className="absolute top-0 right-2" />
          <dl className="mb-2 grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 pl-3.5 font-mono text-2xs text-ink-3">
            <dt>offset</dt>
            <dd className="truncate text-ink-2" title="Where the log stood after the read that brought this event">
              {offset}
            </dd>
            {event.headers.timestamp !== undefined && (
              <>
                <dt>at</dt>
                <dd className="truncate text-ink-2">{event.headers.timestamp}</dd>
              </>
            )}
            {event.headers.txid !== undefined && (
              <>
                <dt>txid</dt>
                <dd className="truncate text-ink-2">{event.headers.txid}</dd>
              </>
            )}
          </dl>
          <Button tone="outline" className="mb-2" onClick={() => go(offset)}>
            <History className="size-3.5" />
            Look at this moment
          </Button>
          {event.value !== undefined && <JsonView value={event.value} />}
        </div>
      )}
    </div>
  )
})
