import { entityStreamPath, type EntityUrl, type Offset, RouseError } from "@rouse/protocol"
import { BackwardScan, timeOf } from "../core/scan.ts"
import { changesIn } from "../history.ts"
import type { Plane } from "../plane.ts"

/** Bytes of a log that are read at once. */
const READ_BYTES = 1_048_576

/**
 * What an entity's log amounts to at an offset. Costs what the log holds up to there, in memory what lives.
 *
 * @throws {RouseError} `BAD_OFFSET`; `GONE` when the offset lies before what is kept; `UNKNOWN_STREAM`.
 */
export function stateAt(plane: Plane, url: EntityUrl, at: Offset): Promise<BackwardScan> {
  return stateOf(plane, entityStreamPath(url), at)
}

/** The same, of a stream that has an entity's log and is none yet. */
export async function stateOf(plane: Plane, path: string, at: Offset): Promise<BackwardScan> {
  const horizon = (await plane.store.stream(path))?.horizon
  const scan = new BackwardScan()
  let before = at
  while (before !== horizon) {
    const { chunks, start } = await plane.store.readBack(path, before, READ_BYTES)
    if (chunks.length === 0) break
    for (const chunk of chunks.toReversed()) scan.before(changesIn(chunk))
    before = start
  }
  const base = horizon === undefined ? undefined : await plane.store.snapshot(path, horizon)
  if (base) scan.before(changesIn(base.data))
  return scan
}

/**
 * Where a log was at a time: the end of its newest batch that tells a time, and none later.
 *
 * @returns undefined when the entity was made after it.
 */
export async function offsetAt(plane: Plane, url: EntityUrl, timeMs: number): Promise<Offset | undefined> {
  const path = entityStreamPath(url)
  const info = await plane.store.stream(path)
  for (let at = info?.next; at !== undefined && at !== info?.horizon;) {
    const { chunks, start } = await plane.store.readBack(path, at, 1)
    if (chunks.length === 0) return undefined
    const time = timeOf(chunks.flatMap((chunk) => changesIn(chunk)))
    if (time !== undefined && time <= timeMs) return at
    at = start
  }
  return info?.horizon
}

/** The end of an entity's log. @throws {RouseError} `UNKNOWN_ENTITY`. */
export async function endOf(plane: Plane, url: EntityUrl): Promise<Offset> {
  const info = await plane.store.stream(entityStreamPath(url))
  if (!info) throw new RouseError("UNKNOWN_ENTITY", `there is no entity ${url}`)
  return info.next
}
