import type { EntityStatus, EntityUrl, JsonObject } from "@rouse/protocol"
import type { StreamInfo } from "./stream.ts"

/** Entities as they are kept: records, and the live rows that go with them. */

export interface EntityRecord {
  readonly url: EntityUrl
  readonly type: string
  readonly id: string
  readonly status: EntityStatus
  /** Grows by one with every put: the compare-and-set token. */
  readonly version: number
  /** The newest lease's fencing token. Only grows. */
  readonly epoch: number
  readonly parent: EntityUrl | null
  readonly createdAtMs: number
  readonly activeAtMs: number
  /** When the control plane must look at it again: a queued wake's time, a running one's lease expiry. */
  readonly dueAtMs: number | null
  readonly tags: Readonly<Record<string, string>>
  readonly args: JsonObject
  /** The control plane's own state of the entity. Opaque to the store. */
  readonly control: JsonObject
}

export interface DueFilter {
  readonly status?: EntityStatus
  readonly type?: string
}

export interface EntityFilter {
  readonly type?: string
  readonly status?: EntityStatus
  readonly tag?: { readonly name: string; readonly value?: string }
  readonly parent?: EntityUrl
  /** Parts of the address, in any order: each is in it. Capital letters of ASCII count as small ones. */
  readonly words?: readonly string[]
  /** Only those whose `control.dead`, a count, is over 0. */
  readonly hasDead?: boolean
  readonly after?: string
  readonly limit: number
}

export interface EntityRecordPage {
  readonly entities: readonly EntityRecord[]
  readonly next?: string
}

export interface LiveRows {
  readonly info: StreamInfo
  /** Sorted by collection and key (byte order), each value as JSON text. */
  readonly rows: readonly LiveRow[]
}

export interface LiveRow {
  readonly collection: string
  readonly key: string
  readonly json: string
}
