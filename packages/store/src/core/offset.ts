import { START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"

/**
 * Offsets as the engines make them: `{incarnation}_{position}`. The position is the number of bytes before it, padded so
 * that offsets of one stream sort as strings; the incarnation keeps an offset of a deleted stream from being taken for one of
 * its successor at the same path.
 *
 * @see Durable Streams Protocol §6
 */

const POSITION_DIGITS = 16
const ID_DIGITS = 7
const OFFSET = /^([0-9a-z]{7,20})_([0-9]{16})$/

/** Tells a stream from every other of this store, and by the store's own nonce from those of a store that was thrown away. */
export function incarnationOf(streamId: number, nonce: string): string {
  return streamId.toString(36).padStart(ID_DIGITS, "0") + nonce
}

export function encodeOffset(incarnation: string, position: number): Offset {
  return `${incarnation}_${String(position).padStart(POSITION_DIGITS, "0")}` as Offset
}

/** The byte position that an offset of this stream names; undefined when it is not one. */
export function parseOffset(incarnation: string, offset: Offset): number | undefined {
  if (offset === START) return 0
  const match = OFFSET.exec(offset)
  return match?.[1] === incarnation ? Number(match[2]) : undefined
}

/**
 * Where each batch of a read ends, reckoned from where the read began.
 *
 * @returns undefined when the read went from a fork's source into the fork: offsets of the two are reckoned apart.
 */
export function endsOf(read: {
  readonly start: Offset
  readonly next: Offset
  readonly chunks: readonly Uint8Array[]
}): readonly Offset[] | undefined {
  const [, incarnation, position] = OFFSET.exec(read.start) ?? []
  if (incarnation === undefined) return undefined
  let at = Number(position)
  const ends = read.chunks.map((chunk) => encodeOffset(incarnation, (at += chunk.length)))
  return ends.length > 0 && ends.at(-1) !== read.next ? undefined : ends
}
