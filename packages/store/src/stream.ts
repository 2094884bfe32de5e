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

export interface ReadResult {
  readonly info: StreamInfo
  /** The batches in order, one after the other, in wire bytes. */
  readonly data: Uint8Array
  /** The same, batch by batch. Made when it is asked for, while the store is open; what was trimmed since is one piece. */
  readonly chunks: readonly Uint8Array[]
  /**
   * Gives the memory of `data` back now, rather than when it is collected: for a reader of much. Absent where that gains nothing. Nothing may
   * use `data` or `chunks` afterwards.
   */
  readonly release?: () => void
  /** Where the read began: `from`, resolved. */
  readonly start: Offset
  readonly next: Offset
  /** Whether `next` was the tail when this was read. */
  readonly upToDate: boolean
}
