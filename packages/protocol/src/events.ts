import type { EntityUrl } from "./entity.ts"
import type { Json } from "./json.ts"
import type { Offset } from "./offset.ts"
import type { Where } from "./observe.ts"

/** What happens to an entity and may be told to others outside. */
export const ENTITY_EVENTS = [
  "entity.created",
  "entity.stopped",
  "run.started",
  "run.suspended",
  "run.completed",
  "run.failed",
  "run.interrupted",
  "message.accepted",
  "message.dead",
  "approval.waiting",
  "approval.decided",
  "budget.asked",
  "budget.warned",
] as const
export type EntityEventType = (typeof ENTITY_EVENTS)[number]

/** `PUT /v1/event-subscriptions/{name}`: what is told to whom, by signed webhooks. */
export interface EventSubscriptionBody {
  readonly url: string
  /** The name of the secret that requests are signed with, as Standard Webhooks says. */
  readonly secret: string
  /** Entity types; all when absent. */
  readonly types?: readonly string[]
  /** What is told; with neither this nor `collections`, every one of `ENTITY_EVENTS`. */
  readonly events?: readonly EntityEventType[]
  /** The author's collections whose changes are told, as `{collection}.insert`, `.update` and `.delete`. */
  readonly collections?: readonly string[]
  /** Of an `EntityEvent`. */
  readonly where?: Where
}

export interface EventSubscription extends EventSubscriptionBody {
  readonly name: string
  readonly createdAt: string
}

export interface EntityEvent {
  /** The same however often it is told. */
  readonly id: string
  readonly type: string
  readonly entity: EntityUrl
  /** Just after it, on the entity's log. */
  readonly offset: Offset
  /** The row. */
  readonly data: Json
}

/** The body of a webhook. */
export interface EventNotice {
  readonly type: "events"
  /** When it was sent, ISO 8601. */
  readonly timestamp: string
  readonly data: {
    readonly subscription: string
    readonly events: readonly EntityEvent[]
    /** Entities whose log was trimmed before all of it had been told. */
    readonly lost?: readonly EntityUrl[]
  }
}
