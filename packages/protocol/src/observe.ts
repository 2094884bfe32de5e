import type { Operation } from "./change.ts"
import type { EntityStatus, EntityUrl } from "./entity.ts"
import type { Json, JsonObject } from "./json.ts"
import type { Offset } from "./offset.ts"

/** All entities that match, as a live set: who joins it, leaves it, and what changes of those in it. */
export interface EntitySet {
  readonly type: string
  readonly status?: EntityStatus
  /** With these tags and these values. */
  readonly tags?: Readonly<Record<string, string>>
}

/**
 * What is observed: an entity (`/type/id`), any other stream by its path (`shared/board`, `webhooks/github`, `orders`), or a set of entities.
 * It need not exist yet.
 */
export type ObserveSource = string | EntitySet

/**
 * Which rows count: every entry must hold. A key is a path into the row (`customer.plan`), and its value what is to be found there: a text,
 * number, boolean or null, or tests, which must all hold. `and`, `or` and `not` take conditions of the same shape. `$key` is the row's key.
 */
export type Where = JsonObject

/** The tests of a condition. `gt` and its kin compare numbers with numbers and texts with texts; all else is false. */
export interface WhereTests {
  readonly eq?: Json
  readonly ne?: Json
  readonly gt?: number | string
  readonly gte?: number | string
  readonly lt?: number | string
  readonly lte?: number | string
  readonly in?: readonly Json[]
  readonly exists?: boolean
  readonly startsWith?: string
  /** Of a text: a part of it. Of a list: one of its values. */
  readonly contains?: Json
}

export interface ObserveOptions {
  /**
   * `collection` or `collection:operation`, and `finished`: a run that ended. Of a set: `join`, `leave` and `change`. When absent, of an entity
   * `finished`, of all else everything but deltas.
   */
  readonly on?: string | readonly string[]
  readonly where?: Where
  /** Changes this many milliseconds after the first are told with it. 0 when absent. */
  readonly debounce?: number
  /** When nothing was told for this many milliseconds, that is told, once. */
  readonly timeout?: number
  /** Where to begin, when the observation is new or its source another. `now` when absent. */
  readonly from?: "now" | "beginning" | Offset
}

/** What a handler, or a request, does to an observation. The same again changes nothing. */
export type ObserveRequest =
  | ({ readonly name: string; readonly source: ObserveSource } & ObserveOptions)
  | { readonly name: string; readonly remove: true }

/** `POST /v1/entities/{type}/{id}/observations`. Without a name, it has one made of its source. */
export interface ObserveBody extends ObserveOptions {
  readonly name?: string
  readonly source: ObserveSource
}

/** What an entity observes: a row of its `subscription` collection. Its key is the name. */
export interface SubscriptionRow {
  readonly source: ObserveSource
  /** The path of the stream that is followed. */
  readonly stream: string
  readonly on?: readonly string[]
  readonly where?: Where
  readonly debounce?: number
  readonly timeout?: number
  readonly at: string
}

export interface ObservationInfo extends SubscriptionRow {
  readonly name: string
  /** Everything before it was told, or is nothing that was asked for. */
  readonly cursor?: Offset
  /** Whether something is yet to be told. */
  readonly pending?: boolean
}

/** `GET /v1/entities/{type}/{id}/observations`, by name. */
export interface ObservationList {
  readonly observations: readonly ObservationInfo[]
}

/** One change that was observed. A message that changes no row has but its value, as `row`. */
export interface ObservedChange {
  readonly collection?: string
  readonly key?: string
  readonly operation?: Operation | "join" | "leave" | "change"
  /** What the change made of the row; of a row that went, what it was, where that is known. Left out when it is large. */
  readonly row?: Json
}

/** The content of a message of kind `change`: what an observation saw from one offset to another, all of it or the first of it. */
export interface ChangeNotice {
  readonly observation: string
  readonly source: ObserveSource
  readonly from: Offset
  readonly to: Offset
  /** How many changes there were. */
  readonly count: number
  /** The first of them. */
  readonly changes: readonly ObservedChange[]
  /** Some of the range was trimmed before it was looked at. */
  readonly lost?: true
}

/** The content of a message of kind `timeout` that an observation sent: nothing was observed for so long. */
export interface TimeoutNotice {
  readonly observation: string
  readonly source: ObserveSource
  readonly timeout: number
}

/** What of a stream's messages is told to whom: what a store judges appends by. */
export interface ObserveFilter {
  readonly on?: readonly string[]
  readonly where?: Where
  /** Of a set: who belongs to it. */
  readonly set?: EntitySet
  /** Whose own changes do not count. */
  readonly except?: EntityUrl
}

/** The stream that tells of the entities of a type, for as long as anybody observes them. */
export function setStreamPath(type: string): string {
  return `sets/${type}`
}
