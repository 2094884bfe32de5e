import type { Offset } from "@rouse/protocol"

/** What is read of streams. */

export interface StreamInfo {
  readonly path: string
  readonly contentType: string
  /** The tail: where the next append goes. */
  readonly next: Offset
  readonly closed: boolean
  readonly createdAtMs: number
  readonly ttlSeconds?: number
  readonly expiresAtMs?: number
  /** Tells this stream from an earlier one at the same path. */
  readonly incarnation: string
  /** The first offset that can be read. Absent: the beginning. */
  readonly horizon?: Offset
}

export type StreamListener = (event: {
  readonly next: Offset
  readonly closed: boolean
  readonly deleted: boolean
}) => void

export interface StreamPathPage {
  readonly prefix: string
  readonly after?: string
  readonly limit: number
}

/** The further bytes of a read, taken from the store as they are asked for: a reader of much holds little. */
export interface ReadRest {
  /** How many are left. */
  readonly bytes: number
  /**
   * The next whole batches, about as many bytes as were asked for at first; undefined at the end. They are the caller's alone.
   *
   * @throws {RouseError} `UNKNOWN_STREAM`, `GONE` when they are no longer kept; `SHUTTING_DOWN`; `STORE_UNAVAILABLE`.
   */
  next(): Uint8Array | undefined
}

export interface ReadResult {
  readonly info: StreamInfo
  /** The batches in order, one after the other, in wire bytes. */
  readonly data: Uint8Array
  /** The same, batch by batch. Made when it is asked for, while the store is open; what was trimmed since is one piece. */
  readonly chunks: readonly Uint8Array[]
  /**
   * What follows `data`, for who asked for only so much of it at first. Where this is, `data` is the caller's alone, who may write to it and
   * give its memory back; `chunks` is of `data`.
   */
  readonly rest?: ReadRest
  /** Where the read began: `from`, resolved. */
  readonly start: Offset
  readonly next: Offset
  /** Whether `next` was the tail when this was read. */
  readonly upToDate: boolean
}
