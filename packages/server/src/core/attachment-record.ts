import type { AttachmentInfo, Offset } from "@rouse/protocol"

/** What is kept of an attachment, beside its bytes. */
export interface AttachmentRecord extends AttachmentInfo {
  readonly at: string
  /** The object that holds the bytes; the store holds them when absent. */
  readonly object?: string
  /** Offsets in the bytes' stream, one every `stride` bytes, from the first stride on. */
  readonly marks?: readonly Offset[]
  readonly stride?: number
}

/** The part of a record that others see. */
export function infoOf({ type, id, name, mediaType, size }: AttachmentRecord): AttachmentInfo {
  return { type, id, name, mediaType, size }
}

/** The last mark at or before a byte, and how far beyond it that byte is. */
export function markBefore(
  { marks = [], stride = 0 }: AttachmentRecord,
  start: number,
): { readonly from?: Offset; readonly skip: number } {
  const index = stride === 0 ? 0 : Math.min(Math.floor(start / stride), marks.length)
  const from = marks[index - 1]
  return from === undefined ? { skip: start } : { from, skip: start - index * stride }
}
