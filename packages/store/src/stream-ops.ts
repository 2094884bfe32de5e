import type { Offset } from "@rouse/protocol"

/** What a commit does to streams. */

/**
 * Makes a stream. If one exists with the same content type, time to live, expiry and closed state, nothing is done and `created` is false.
 *
 * @throws {RouseError} `ALREADY_EXISTS` when it exists and differs.
 * @see Durable Streams Protocol §5.1
 */
export interface CreateStreamOp {
  readonly op: "createStream"
  readonly path: string
  readonly contentType: string
  readonly data?: Uint8Array
  readonly closed?: boolean
  readonly ttlSeconds?: number
  readonly expiresAtMs?: number
  readonly nowMs: number
}

/**
 * Makes a stream that begins with another's bytes, up to a point, without copying them. The two go on apart. If it exists as asked for,
 * nothing is done and `created` is false.
 *
 * Producers and `Stream-Seq` are not inherited. A source that is deleted or expires is kept for its forks.
 *
 * @throws {RouseError} `ALREADY_EXISTS` when something else is at the path, `UNKNOWN_STREAM` when there is no source, `FORK_SOURCE_GONE` when it
 *   was deleted, `CONTENT_TYPE_MISMATCH`, `BAD_OFFSET` (`details.field` is `subOffset` when that is at fault), `BAD_REQUEST` when
 *   the source has as many streams above it as may be.
 * @see Durable Streams Protocol §4.2
 */
export interface ForkStreamOp {
  readonly op: "forkStream"
  readonly path: string
  /** The path of the stream to fork. */
  readonly source: string
  /** Where to leave it. Default: its tail. */
  readonly offset?: Offset
  /** How much of the batch behind `offset` to take along: bytes, or messages of a JSON stream. */
  readonly subOffset?: number
  /** Default: the source's. */
  readonly contentType?: string
  readonly data?: Uint8Array
  readonly closed?: boolean
  /** Neither this nor `expiresAtMs`: the source's, from now on. */
  readonly ttlSeconds?: number
  readonly expiresAtMs?: number
  readonly nowMs: number
}

/**
 * Adds one batch to a stream. `data` may be empty only together with `close`.
 *
 * @see Durable Streams Protocol §5.2, §5.2.1
 */
export interface AppendOp {
  readonly op: "append"
  readonly path: string
  /** In wire bytes: for JSON streams see `frameJson`. */
  readonly data: Uint8Array
  /** Refused when the stream's differs. */
  readonly contentType?: string
  readonly producer?: { readonly id: string; readonly epoch: number; readonly seq: number }
  readonly streamSeq?: string
  readonly close?: boolean
  /** It is news to no subscription: for what subscriptions themselves write. */
  readonly silent?: boolean
  readonly nowMs: number
}
