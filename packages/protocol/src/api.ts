import type { Budget, BudgetExtension } from "./budget.ts"
import type { Dispatch, EndpointHealth, Routing, TypeVersion } from "./dispatch.ts"
import type { MessageMode, MessageRow, Principal } from "./collections.ts"
import type { EntityStatus, EntitySummary, EntityUrl } from "./entity.ts"
import type { Json, JsonObject } from "./json.ts"
import type { Offset } from "./offset.ts"

/** The bodies of the HTTP API (DESIGN §6). Schemas that check them are in `@rouse/protocol/schemas`. */

/** `PUT /v1/entities/{type}/{id}` */
export interface SpawnBody {
  readonly args?: JsonObject
  readonly tags?: Readonly<Record<string, string>>
  readonly message?: Json
  readonly parent?: EntityUrl
  readonly budget?: Budget
}

/** `POST /v1/entities/{type}/{id}/messages` */
export interface SendBody {
  readonly content: Json
  /** Ids of the entity's attachments that come with it: upload them first. */
  readonly attachments?: readonly string[]
  readonly mode?: MessageMode
  /** Deliver this many milliseconds from now. Not together with `at`. */
  readonly afterMs?: number
  /** Deliver at this time: ISO 8601. */
  readonly at?: string
}

/** What an accepted message gets: `202`. */
export interface Receipt {
  readonly url: EntityUrl
  /** The message's key in the entity's `message` collection, or the schedule's when it is to be delivered later. */
  readonly message: string
  /** Read the log from here to see what comes of the message: after it, or, in the `accepted` event of a streamed reply, before it. */
  readonly offset: Offset
  /** Present when the message is to be delivered later. */
  readonly dueAt?: string
}

/** What came of a message: the answer to `?wait`, and the last event of a streamed reply. */
export interface Settled extends Receipt {
  /** `accepted` or `taken` when the wait ended first. */
  readonly status: MessageRow["status"]
  readonly run?: string
  readonly reply: Json
  readonly reason?: string
}

/** What a spawn gets: `201`, or `200` when the same request already did. */
export interface Spawned {
  readonly entity: EntitySummary
  readonly offset: Offset
  readonly message?: string
}

/** `GET /v1/entities/{type}/{id}` */
export interface EntityDetail extends EntitySummary {
  /** The end of its log. */
  readonly offset: Offset
  readonly collections: Readonly<Record<string, number>>
}

/** Which entities a list shows. */
export interface EntityQuery {
  readonly type?: string
  readonly status?: EntityStatus
  /** `name` or `name=value`. */
  readonly tag?: string
  readonly parent?: EntityUrl
  /** Words of an address: each must be somewhere in it, capital or small. */
  readonly text?: string
  /** Opaque: the `next` of the page before. */
  readonly after?: string
  /** 1 to 1,000; 100 when absent. */
  readonly limit?: number
}

/** `GET /v1/entities`, newest activity first. */
export interface EntityPage {
  readonly entities: readonly EntitySummary[]
  /** Present when there are more. */
  readonly next?: string
}

export type Signal = "interrupt" | "pause" | "resume" | "kill"

/** `POST /v1/entities/{type}/{id}/signals`. Any name that is not a `Signal` is a custom one, delivered to the handler. */
export interface SignalBody {
  readonly signal: string
  readonly payload?: Json
}

/** `POST /v1/entities/{type}/{id}/approvals/{call}` */
export interface ApprovalBody {
  /** Not of a question: that is answered. */
  readonly decision?: "allow" | "deny"
  /** To a question. It must match the question's schema. */
  readonly answer?: Json
  /** The input that is to run instead. It must match the tool's schema. */
  readonly input?: Json
  readonly note?: string
  /** Of a budget that is used up: what is added to it. As much again as it began with when absent. */
  readonly extend?: BudgetExtension
}

/** What is left of an agent that was purged. */
export interface Tombstone {
  readonly url: EntityUrl
  /** ISO 8601, UTC. */
  readonly at: string
  readonly by: Principal
  readonly reason: string
}

/** `POST /v1/entities/{type}/{id}/tags`. A null value removes the tag. */
export interface TagsBody {
  readonly tags: Readonly<Record<string, string | null>>
}

/** An entity type, as `GET /v1/types` shows it. */
export interface TypeInfo {
  readonly name: string
  readonly description: string
  /** JSON Schema of `args`, when the definition's schema can be shown as one. */
  readonly args?: JsonObject
  /** JSON Schema of a message from people and apps, when the definition has one that can be shown so. */
  readonly message?: JsonObject
  /** The author's collections. */
  readonly collections: readonly string[]
  /** How wakes that begin a run reach the handler. */
  readonly dispatch: Dispatch
  /** The version that begins runs, or, of a canary, its base. Absent where the handler has none. */
  readonly version?: string
  readonly health: EndpointHealth
  /** Of a type whose handlers are outside of the server: every version that is kept, newest first, and which of them begins runs. */
  readonly versions?: readonly TypeVersion[]
  readonly routing?: Routing
}

/** `GET /v1/info`: what the page and the command line show of a server. */
export interface ServerInfo {
  readonly name: "rouse"
  readonly version: string
  readonly types: readonly TypeInfo[]
  /** Whether requests need a token. */
  readonly authenticated: boolean
}
