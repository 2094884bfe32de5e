import type { ToolPart } from "@rouse/client"
import { attachmentsIn } from "@rouse/protocol"
import type { Effect, Json, ToolCallRow } from "@rouse/protocol"
import { Ban, Check, ChevronRight, CircleDashed, CircleHelp, CircleX, LoaderCircle, Stamp } from "lucide-react"
import { useState } from "react"
import type { ReactNode } from "react"
import { Badge } from "../components/badge.tsx"
import { cn } from "../components/class-names.ts"
import { JsonView } from "../components/json-view.tsx"
import { Elapsed } from "../components/times.tsx"
import { argumentLine } from "../core/json.ts"
import { between, duration } from "../core/time.ts"
import { Files } from "./files.tsx"
import { ApprovalForm } from "./approval-form.tsx"
import { WorkLine } from "./work-line.tsx"

type Status = ToolCallRow["status"]

const ICON = "size-3.5 shrink-0"

const LOOKS: Readonly<Record<Status, { readonly label: string; readonly icon: ReactNode; readonly tone: string }>> = {
  intended: { label: "about to run", icon: <CircleDashed className={ICON} />, tone: "text-ink-3" },
  waiting: { label: "waits for a person", icon: <Stamp className={ICON} />, tone: "text-attention" },
  running: {
    label: "running",
    icon: <LoaderCircle className={cn(ICON, "motion-safe:animate-spin")} />,
    tone: "text-accent",
  },
  done: { label: "done", icon: <Check className={ICON} />, tone: "text-accent" },
  failed: { label: "failed", icon: <CircleX className={ICON} />, tone: "text-danger" },
  denied: { label: "denied", icon: <Ban className={ICON} />, tone: "text-ink-2" },
  unknown: { label: "outcome unknown", icon: <CircleHelp className={ICON} />, tone: "text-attention" },
  cancelled: { label: "cancelled", icon: <Ban className={ICON} />, tone: "text-ink-3" },
}

const EFFECTS: Readonly<Record<Effect, string>> = {
  pure: "Changes nothing: it may run again",
  idempotent: "Running it again with the same key changes nothing more",
  reconcilable: "After a crash the backend is asked what happened",
  once: "Never run twice: after a crash the outcome is unknown",
}

const OPEN_AT_FIRST: ReadonlySet<Status> = new Set<Status>(["waiting", "failed", "unknown"])

/** One call of a tool: what was asked, what it does to the world, what came of it. */
export function ToolCard(props: { readonly part: ToolPart; readonly url: string; readonly over: boolean }): ReactNode {
  const { row, approval, work } = props.part
  const [chosen, setChosen] = useState<boolean>()
  const isWithWorkers = row.status === "waiting" && work !== undefined
  const open = chosen ?? (OPEN_AT_FIRST.has(row.status) && !isWithWorkers)
  const waiting =
    row.status === "waiting" && !isWithWorkers && (approval === undefined || approval.status === "waiting")
  const look = isWithWorkers ? { ...LOOKS.running, label: "with a worker" } : LOOKS[row.status]
  return (
    <div
      role="group"
      aria-label={`Tool call ${row.name}, ${look.label}`}
      className={cn(
        "overflow-hidden rounded-lg border",
        waiting || row.status === "unknown" ? "border-attention-line" : "border-line",
      )}
    >
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setChosen(!open)}
        className="flex min-h-10 w-full items-center gap-2 px-3 text-left text-sm -outline-offset-2 hover:bg-hover"
      >
        <span className={look.tone} title={look.label}>
          {look.icon}
        </span>
        <span className="shrink-0 font-mono text-xs font-medium">{row.name}</span>
        <span className="min-w-0 flex-1 truncate font-mono text-xs text-ink-3">{argumentLine(row.input, 160)}</span>
        <Timing row={row} />
        <Badge title={EFFECTS[row.effect]} className="max-sm:hidden">
          {row.effect}
        </Badge>
        <ChevronRight
          aria-hidden
          className={cn("size-3.5 shrink-0 text-ink-3 transition-transform", open && "rotate-90")}
        />
      </button>
      <Files url={props.url} files={attachmentsIn(row.output)} className="border-t border-line p-3" />
      {waiting && (
        <ApprovalForm url={props.url} call={props.part.key} question={`May ${row.name} run?`} approval={approval} />
      )}
      {isWithWorkers && <WorkLine work={work} />}
      {open && <Details part={props.part} />}
    </div>
  )
}

function Timing({ row }: { readonly row: ToolCallRow }): ReactNode {
  const took = between(row.startedAt, row.endedAt)
  return (
    <span className="shrink-0 text-xs text-ink-3">
      {row.attempts > 1 && <span className="text-attention">{row.attempts} attempts, </span>}
      {row.status === "running" && row.startedAt !== undefined ? (
        <Elapsed since={row.startedAt} />
      ) : (
        took !== undefined && duration(took)
      )}
      {(row.status === "unknown" || row.status === "denied" || row.status === "cancelled") && (
        <span> {LOOKS[row.status].label}</span>
      )}
    </span>
  )
}

function Details({ part }: { readonly part: ToolPart }): ReactNode {
  const { row, approval } = part
  return (
    <div className="flex flex-col gap-3 border-t border-line bg-canvas px-3 py-3">
      {row.status === "unknown" && (
        <p className="text-attention">
          The call had begun when its handler was lost. It is of the class once, so it was not run again: it may have
          happened, or not.
        </p>
      )}
      {row.resolved === "again" && (
        <p className="text-ink-2">A crash left it open; it was run again with the same idempotency key.</p>
      )}
      {row.resolved === "reconciled" && (
        <p className="text-ink-2">A crash left it open; the backend was asked what had happened.</p>
      )}
      {approval?.by && (
        <p className="text-ink-2">
          {approval.status} by {approval.by.id}
          {approval.note !== undefined && approval.note !== "" && `: ${approval.note}`}
        </p>
      )}
      <Value label="Arguments" value={row.input} />
      {row.edited !== undefined && <Value label="Changed before it was allowed to" value={row.edited} />}
      {row.error !== undefined && <Value label="Error" value={row.error} danger />}
      {row.output !== undefined && <Value label="Result" value={row.output} />}
      <p className="flex flex-wrap gap-x-4 gap-y-1 font-mono text-2xs text-ink-3">
        <span title={EFFECTS[row.effect]}>effect {row.effect}</span>
        <span>backend {row.backend ?? "inline"}</span>
        {row.worker && <span>worker {row.worker.name}</span>}
        <span className="break-all">idempotency key {row.idempotencyKey}</span>
      </p>
    </div>
  )
}

function Value(props: { readonly label: string; readonly value: Json; readonly danger?: boolean }): ReactNode {
  return (
    <div>
      <p className="mb-1 text-2xs font-medium text-ink-3">{props.label}</p>
      <div className="max-h-96 overflow-auto">
        {typeof props.value === "string" ? (
          <pre
            className={cn("font-mono text-xs leading-5 break-words whitespace-pre-wrap", props.danger && "text-danger")}
          >
            {props.value}
          </pre>
        ) : (
          <JsonView value={props.value} />
        )}
      </div>
    </div>
  )
}
