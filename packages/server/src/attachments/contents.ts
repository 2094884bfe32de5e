import type { ByteRange, EntityUrl } from "@rouse/protocol"
import type { Op } from "@rouse/store"
import type { AttachmentRecord } from "../core/attachment-record.ts"

/** Where the bytes of attachments are kept. Each entity has its own: what one loses, no other does. */
export interface Contents {
  /** Bytes that `write` is given at a time, but for the last. */
  readonly partBytes: number
  begin(url: EntityUrl): Upload
  /** Bytes of `range`, as they are asked for. */
  read(url: EntityUrl, record: AttachmentRecord, range: Required<ByteRange>): AsyncIterable<Uint8Array>
  /** What takes the bytes away, in the commit that takes the record away. */
  drop(url: EntityUrl, record: AttachmentRecord, nowMs: number): readonly Op[]
  /** Takes away what was begun before `beforeMs` and never linked, and what is dropped: a little at a time. Returns how many. */
  sweep(beforeMs: number, nowMs: number): Promise<number>
}

/** Bytes on their way. Ends with `finish`, whose operations are to be committed, or with `abandon`. */
export interface Upload {
  write(part: Uint8Array): Promise<void>
  finish(id: string): Promise<Finished>
  abandon(): Promise<void>
}

export interface Finished {
  /** What links the bytes, in the commit that writes the record. */
  readonly ops: readonly Op[]
  /** What the record says of where they are. */
  readonly where: Pick<AttachmentRecord, "object" | "marks" | "stride">
}
