import { statusOf } from "@rouse/client"
import type { Activity, Timeline } from "@rouse/client"

/** How an agent stands, as far as it decides what can be done to it: the same again while only its words change. */
export interface Standing {
  readonly url: string
  readonly loading: boolean
  readonly kind: Activity["kind"]
  /** A run is under way, or waits. */
  readonly inRun: boolean
  /** It has messages that were given up. */
  readonly hasDead: boolean
}

export function standingOf(url: string, timeline: Timeline, loading: boolean): Standing {
  return {
    url,
    loading,
    kind: statusOf(timeline).kind,
    inRun: timeline.run?.status === "running" || timeline.run?.status === "suspended",
    hasDead: timeline.items.some((item) => item.kind === "message" && item.row.status === "dead"),
  }
}
