import type { EntityUrl } from "./entity.ts"
import type { Json } from "./json.ts"

/** When a schedule comes due: by the calendar, at an interval in milliseconds, or once. */
export type ScheduleRule =
  /** Five fields, or six with seconds first. `timezone` is an IANA name; UTC when absent. */
  | { readonly cron: string; readonly timezone?: string }
  | { readonly every: number }
  /** ISO 8601. */
  | { readonly at: string }

/** What becomes of occurrences that were missed while everything was down. `once` when absent. */
export type CatchUp = "skip" | "once" | "all"

/** What a handler does to a schedule of its own. The same definition again changes nothing, so a schedule may be set in every wake. */
export type ScheduleRequest =
  | {
      readonly name: string
      readonly rule: ScheduleRule
      readonly content: Json
      readonly catchUp?: CatchUp
      /** The schedule of this name was removed just before: it begins anew. */
      readonly anew?: true
    }
  | { readonly name: string; readonly remove: true }

/** `POST /v1/entities/{type}/{id}/schedules`. One of `cron`, `every` (milliseconds) and `at`. */
export interface ScheduleBody {
  readonly name: string
  readonly cron?: string
  readonly timezone?: string
  readonly every?: number
  readonly at?: string
  readonly message: Json
  readonly catchUp?: CatchUp
}

/** A schedule, or a message that was sent for later: those have no rule. */
export interface ScheduleInfo {
  readonly name: string
  readonly to: EntityUrl
  readonly content: Json
  readonly dueAt: string
  readonly rule?: ScheduleRule
  readonly catchUp?: CatchUp
  readonly firedAt?: string
}

/** `GET /v1/entities/{type}/{id}/schedules`, earliest first. */
export interface ScheduleList {
  readonly schedules: readonly ScheduleInfo[]
}

/** A schedule, and whose it is. */
export interface ScheduleEntry extends ScheduleInfo {
  readonly url: EntityUrl
}

/** `GET /v1/schedules` */
export interface ScheduleQuery {
  /** Of entities of this type. */
  readonly type?: string
  /** Opaque: the `next` of the page before. */
  readonly after?: string
  /** 1 to 1,000; 100 when absent. */
  readonly limit?: number
}

/** Schedules of all entities, and messages for later, those that come due first before others. */
export interface SchedulePage {
  readonly schedules: readonly ScheduleEntry[]
  /** Present when there may be more. */
  readonly next?: string
}
