import type { StepItem, ToolPart } from "./items.ts"
import { lastStep } from "./draft.ts"
import type { Timeline } from "./timeline.ts"

/** What an entity is doing now. `label` is for people: `thinking`, `calling refund`, `waiting for approval`. */
export interface Activity {
  readonly kind:
    | "idle"
    | "queued"
    | "thinking"
    | "writing"
    | "calling"
    | "approval"
    | "children"
    | "suspended"
    | "retrying"
    | "dead"
    | "paused"
    | "stopped"
  readonly label: string
  /** It works, or will without anyone's help: show a spinner, and a stop button. */
  readonly busy: boolean
}

const LABELS_MAX = 3

/** What the entity is doing now, as far as the timeline has been read. */
export function statusOf(timeline: Timeline): Activity {
  const { entity, wake, run, pending } = timeline
  if (entity?.status === "stopped") return resting("stopped", "stopped")
  if (entity?.status === "paused") return resting("paused", "paused")
  if (wake?.outcome === "dead" && pending.length === 0) return resting("dead", "dead-lettered")
  if (wake?.outcome === "retry" || wake?.outcome === "lost")
    return working("retrying", `retrying after attempt ${wake.attempt}`)
  if (run?.status === "running") return running(timeline, run.id)
  if (Object.keys(timeline.approvals).length > 0) return resting("approval", "waiting for approval")
  if (run?.status === "suspended") return suspended(timeline)
  if (pending.length > 0 || (wake !== undefined && wake.endedAt === undefined)) return working("queued", "queued")
  return resting("idle", "idle")
}

function running(timeline: Timeline, run: string): Activity {
  const step = lastStep(timeline, (candidate) => candidate.run === run)
  const calls = step ? callsOf(step, "running", "intended") : []
  if (calls.length > 0) return working("calling", `calling ${namesOf(calls)}`)
  if (Object.keys(timeline.approvals).length > 0) return resting("approval", "waiting for approval")
  const last = step?.parts.at(-1)
  return last?.kind === "text" && last.streaming ? working("writing", "writing") : working("thinking", "thinking")
}

function suspended(timeline: Timeline): Activity {
  const children = Object.values(timeline.children).filter((child) => child.status === "running")
  const [first] = children
  const step = lastStep(timeline, (candidate) => candidate.run === timeline.run?.id)
  const calls = step ? callsOf(step, "waiting").filter(({ work }) => work !== undefined) : []
  if (!first && calls.length > 0)
    return working("calling", `${namesOf(calls)} with ${calls.length === 1 ? "a worker" : "workers"}`)
  if (!first) return working("suspended", "suspended")
  return working("children", `waiting for ${children.length === 1 ? first.url : `${children.length} children`}`)
}

function callsOf(step: StepItem, ...statuses: readonly ToolPart["row"]["status"][]): readonly ToolPart[] {
  return step.parts.filter((part): part is ToolPart => part.kind === "tool" && statuses.includes(part.row.status))
}

function namesOf(calls: readonly ToolPart[]): string {
  const names = [...new Set(calls.map((call) => call.row.name))]
  const more = names.length - LABELS_MAX
  return names.slice(0, LABELS_MAX).join(", ") + (more > 0 ? ` and ${more} more` : "")
}

function working(kind: Activity["kind"], label: string): Activity {
  return { kind, label, busy: true }
}

function resting(kind: Activity["kind"], label: string): Activity {
  return { kind, label, busy: false }
}
