import type { Offset } from "@rouse/protocol"
import { encodeOffset, parseOffset } from "./offset.ts"

/**
 * What a fork's bytes are made of. A fork owns the bytes from its fork point on; those before it are its source's, and so on up the line.
 * Nothing is copied.
 *
 *     root    0 ─────────────── 40 ──── 55        (its own later bytes are no part of its forks)
 *     fork                      40 ─ 47 ────── 60 (forked from the root at 40)
 *     leaf                           47 ────── 52 (forked from the fork at 47)
 *     segments of the leaf:  root [0, 40)  fork [40, 47)  leaf [47, 52)
 *
 * 1. Positions are the same all along the line: a fork goes on counting where its source was.
 * 2. An offset carries the identity of the stream whose bytes lie behind it, so what the source handed out before the fork point is an offset
 *    of the fork too; and since a fork is younger than its source, offsets sort as their positions do.
 */
export interface Segment {
  readonly stream: number
  readonly incarnation: string
  readonly start: number
  readonly end: number
}

/** A stream of the line, with the position from which on the bytes are its own. */
export interface LineMember {
  readonly id: number
  readonly incarnation: string
  readonly at: number
}

/** The segments of a stream, in the order of their positions. Some may be empty. `line` begins with the stream itself. */
export function segmentsOf(line: readonly LineMember[], tail: number): readonly Segment[] {
  const segments: Segment[] = []
  let end = tail
  for (const { id, incarnation, at } of line) {
    const start = Math.min(at, end)
    segments.push({ stream: id, incarnation, start, end })
    end = start
  }
  return segments.reverse()
}

/** The last segment that begins at or before a position. */
export function segmentAt(segments: readonly Segment[], position: number): Segment {
  const found = segments.findLast(({ start }) => start <= position)
  if (found === undefined) throw new Error(`no segment begins before ${position}`)
  return found
}

/** The position that an offset names in these segments; undefined when it is not one of theirs. */
export function positionOf(segments: readonly Segment[], offset: Offset): number | undefined {
  for (const { incarnation, end } of segments) {
    const position = parseOffset(incarnation, offset)
    if (position !== undefined) return position <= end ? position : undefined
  }
  return undefined
}

export function offsetAt(segments: readonly Segment[], position: number): Offset {
  return encodeOffset(segmentAt(segments, position).incarnation, position)
}

/**
 * Whether a position can be read from: an end of a batch or of a segment, or the beginning. Anything else was never handed out.
 *
 * @param endsAt Whether a batch of a stream ends at a position.
 */
export function isBoundary(
  segments: readonly Segment[],
  position: number,
  endsAt: (stream: number, position: number) => boolean,
): boolean {
  const { stream, start, end } = segmentAt(segments, position)
  return position === start || position === end || (position < end && endsAt(stream, position))
}
