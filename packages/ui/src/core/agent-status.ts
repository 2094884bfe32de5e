import type { Activity, Timeline } from "@rouse/client"
import type { ChildRow, EntityStatus } from "@rouse/protocol"

const STATUS_OF: Readonly<Record<Activity["kind"], EntityStatus>> = {
  idle: "idle",
  queued: "queued",
  retrying: "queued",
  thinking: "running",
  writing: "running",
  calling: "running",
  approval: "suspended",
  children: "suspended",
  suspended: "suspended",
  paused: "paused",
  dead: "dead",
  stopped: "stopped",
}

/** The status whose shape stands for how a child is. */
export const CHILD_STATUS: Readonly<Record<ChildRow["status"], EntityStatus>> = {
  running: "running",
  completed: "idle",
  failed: "dead",
  interrupted: "paused",
  stopped: "stopped",
}

/** The status that what an agent is doing means. */
export function statusOfActivity(activity: Activity): EntityStatus {
  return STATUS_OF[activity.kind]
}

/** Since when it has been doing that: when the step, the wake or the run in question began. */
export function busySince(timeline: Timeline): string | undefined {
  const step = timeline.items.findLast((item) => item.kind === "step")
  if (step?.kind === "step" && step.status === "running") return step.row?.startedAt
  if (timeline.wake && timeline.wake.endedAt === undefined) return timeline.wake.at
  return timeline.run?.startedAt
}
