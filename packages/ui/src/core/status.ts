import type { EntityStatus } from "@rouse/protocol"

/** What each status is called, and says, on the page. */
export const STATUSES: Readonly<Record<EntityStatus, { readonly label: string; readonly meaning: string }>> = {
  running: { label: "Running", meaning: "A handler is acting for it now" },
  queued: { label: "Queued", meaning: "A wake is waiting for a free place" },
  suspended: { label: "Suspended", meaning: "Its run waits for a person, a child or a result" },
  idle: { label: "Idle", meaning: "It sleeps until something happens to it" },
  paused: { label: "Paused", meaning: "It takes messages and does not wake until it is resumed" },
  dead: { label: "Dead", meaning: "Every attempt failed; its messages can be retried" },
  stopped: { label: "Stopped", meaning: "It is over; its log stays readable" },
}

export const STATUS_NAMES: readonly EntityStatus[] = Object.keys(STATUSES) as EntityStatus[]

/** Whether something is under way, so that a reader may expect changes. */
export function isAwake(status: EntityStatus): boolean {
  return status === "running" || status === "queued"
}
