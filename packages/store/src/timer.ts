import type { EntityUrl, Json } from "@rouse/protocol"

export interface Timer {
  readonly id: string
  readonly dueAtMs: number
  /** The entity it belongs to. */
  readonly url: EntityUrl
  readonly payload: Json
}
