import type { Offset } from "@rouse/protocol"
import type { StreamInfo } from "./stream.ts"

/** What is kept of streams' past. */

/**
 * Keeps what a stream amounts to at an offset, in the stream's own wire bytes. It replaces an older one, but for that at the horizon; an
 * older one than the newest is dropped.
 */
export interface PutSnapshotOp {
  readonly op: "putSnapshot"
  readonly path: string
  readonly at: Offset
  readonly data: Uint8Array
}

/**
 * Raises a stream's horizon: batches before `to` are no longer readable from here on, and dropped by sweeps. Positions do not move.
 * `to` must be the end of a batch, and not the tail. Does nothing when the horizon is there or beyond.
 *
 * @throws {RouseError} `CONFLICT` when a pin needs what would go.
 */
export interface TrimStreamOp {
  readonly op: "trimStream"
  readonly path: string
  readonly to: Offset
  /** What the stream amounts to at `to`: kept as its snapshot there for as long as the horizon is. */
  readonly data?: Uint8Array
}

/** Keeps a stream's batches from `at` on from being trimmed, until it is dropped or the stream is deleted. One a holder. */
export interface PutPinOp {
  readonly op: "putPin"
  readonly path: string
  readonly holder: string
  readonly at: Offset
}

export interface StoredSnapshot {
  readonly info: StreamInfo
  readonly at: Offset
  readonly data: Uint8Array
}

/** What a trim must leave: batches that satisfy any of these stay. */
export interface Keep {
  readonly nowMs: number
  /** Batches younger than this, give or take the hour between two marks of the time: never less, up to an hour more. */
  readonly ageMs?: number
  /** About so many bytes before the tail. */
  readonly bytes?: number
}

export interface Trimmable {
  readonly to: Offset
  /** Bytes between the horizon and `to`. */
  readonly bytes: number
}
