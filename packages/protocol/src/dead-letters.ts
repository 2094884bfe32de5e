import type { MessageRow } from "./collections.ts"
import type { EntityStatus, EntityUrl } from "./entity.ts"

/** A message that was given up, where it is, and why. */
export interface DeadLetter {
  readonly url: EntityUrl
  readonly status: EntityStatus
  readonly message: MessageRow
}

/** `GET /v1/dead-letters`. Pages are of entities, so one may hold more or fewer messages than `limit`. */
export interface DeadLetterPage {
  readonly messages: readonly DeadLetter[]
  /** Present when there are more. */
  readonly next?: string
}

/** `POST …/retry` and `POST …/discard`. Without `messages`: all that are dead. */
export interface DeadLetterBody {
  readonly messages?: readonly string[]
}
