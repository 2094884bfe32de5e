import type { EntityUrl, Json, Offset } from "@rouse/protocol"
import type { EntityRecord } from "./entity.ts"
import type { ObservationGuard, ObservationOp } from "./observation.ts"
import type { StoredReceipt } from "./receipt.ts"
import type { PutPinOp, PutSnapshotOp, TrimStreamOp } from "./retention.ts"
import type { AppendOp, CreateStreamOp, ForkStreamOp } from "./stream-ops.ts"
import type { SpaceOp, SpaceResult } from "./space.ts"
import type { SubscriptionOp } from "./subscription.ts"
import type { Timer } from "./timer.ts"
import type { WorkGuard, WorkOp } from "./work.ts"

export interface Commit {
  readonly guards?: readonly Guard[]
  readonly ops: readonly Op[]
}

export type Guard =
  /** The entity's record has this version; 0: there is none. */
  | { readonly kind: "version"; readonly url: EntityUrl; readonly version: number }
  /**
   * The entity's epoch is this one. With `seq`: `seq` is new under this epoch and is recorded; a repeated one makes the whole
   * commit a no-op that is acknowledged (`applied: false`).
   */
  | { readonly kind: "lease"; readonly url: EntityUrl; readonly epoch: number; readonly seq?: number }
  /** This timer still exists. */
  | { readonly kind: "timer"; readonly id: string }
  /** No receipt has this key. */
  | { readonly kind: "noReceipt"; readonly key: string }
  /** The subscription's record has this version; 0: there is none. */
  | { readonly kind: "subscription"; readonly id: string; readonly version: number }
  | ObservationGuard
  | WorkGuard

export type Op =
  | SubscriptionOp
  | ObservationOp
  | SpaceOp
  | WorkOp
  | CreateStreamOp
  | ForkStreamOp
  | AppendOp
  | { readonly op: "deleteStream"; readonly path: string }
  /** Begins a stream's time to live anew, as an append does. Does nothing when it has none or is not there. */
  | { readonly op: "touchStream"; readonly path: string; readonly nowMs: number }
  /** Inserts or replaces the record; its stored version is the old one plus 1. A changed epoch forgets the recorded `seq`. */
  | { readonly op: "putEntity"; readonly record: Omit<EntityRecord, "version"> }
  /** Removes the record and its rows, timers, observations and work. The stream is deleted by its own operation. */
  | { readonly op: "deleteEntity"; readonly url: EntityUrl }
  | {
      readonly op: "putRow"
      readonly url: EntityUrl
      readonly collection: string
      readonly key: string
      readonly value: Json
      /** The value as JSON text, from a caller who has it already. */
      readonly json?: string
    }
  | { readonly op: "deleteRow"; readonly url: EntityUrl; readonly collection: string; readonly key: string }
  | { readonly op: "putTimer"; readonly timer: Timer }
  | { readonly op: "deleteTimer"; readonly id: string }
  | { readonly op: "putReceipt"; readonly receipt: StoredReceipt }
  | PutSnapshotOp
  | TrimStreamOp
  | PutPinOp
  | { readonly op: "dropPin"; readonly path: string; readonly holder: string }

export interface CommitResult {
  /** False when a lease `seq` or a producer sequence had been applied before. */
  readonly applied: boolean
  /** What became of each stream that the commit created, appended to or closed. */
  readonly streams: Readonly<Record<string, StreamOutcome>>
  /** The earliest time at which a subscription that the commit touched is due. */
  readonly subscriptionDueAtMs?: number
  /** The same of an observation. */
  readonly observationDueAtMs?: number
  /** What became of each write to a space, in order. Absent when there was none, and when the commit had been applied before. */
  readonly spaces?: readonly SpaceResult[]
}

export interface StreamOutcome {
  readonly next: Offset
  readonly closed: boolean
  /** For a `createStream`: whether it was new. */
  readonly created?: boolean
  /** For an append by a producer: the highest accepted sequence and its epoch. */
  readonly producer?: { readonly epoch: number; readonly seq: number }
}
