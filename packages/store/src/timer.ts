import type { EntityUrl, Json } from "@rouse/protocol"

/** Where a page of timers ended. */
export interface TimerPlace {
  readonly dueAtMs: number
  readonly id: string
}

export interface Timer {
  readonly id: string
  readonly dueAtMs: number
  /** The entity it belongs to. */
  readonly url: EntityUrl
  readonly payload: Json
}
