import { createHash } from "node:crypto"
import {
  BUNDLE_VERSION,
  type Json,
  type Offset,
  RouseError,
  type SpaceBundlePart,
  type SpaceBundleRow,
  START,
} from "@rouse/protocol"
import type { SpaceRow } from "@rouse/store"
import { rowLine } from "../core/bundle-digest.ts"
import { isoTime } from "../core/control.ts"
import type { Plane } from "../plane.ts"
import { sharedPath } from "../shared/definition.ts"

/** Bytes of a log that are read at once. */
const READ_BYTES = 262_144

/**
 * A shared space as the lines of a bundle: its definition, its rows as of one moment, and the digest of its log up to there. Claims are left
 * out. All live rows are in memory, of the log a part.
 *
 * @throws {RouseError} `NOT_FOUND`; `GONE` when the log was trimmed meanwhile.
 * @see docs/export.md
 */
export async function* exportSpace(plane: Plane, id: string): AsyncGenerator<Uint8Array, void> {
  const path = sharedPath(id)
  const live = await plane.store.liveSpace(path)
  if (!live) throw new RouseError("NOT_FOUND", `there is no shared space "${id}"`, { details: { space: id } })
  const { info, space, rows } = live
  const all = createHash("sha256")
  let lines = 0
  const line = (part: SpaceBundlePart): Uint8Array => {
    const bytes = lineOf(part)
    lines += 1
    all.update(bytes)
    return bytes
  }
  const { definition } = space
  yield line({ part: "space", version: BUNDLE_VERSION, at: isoTime(plane.clock()), id, definition, offset: info.next })
  const digest = createHash("sha256")
  for (const row of [...rows].sort((a, b) => a.made - b.made)) {
    const part = rowPart(row)
    digest.update(rowLine(part))
    yield line(part)
  }
  const log = await logDigest(plane, path, info.horizon ?? START, info.next)
  yield line({ part: "end", rows: { count: rows.length, sha256: digest.digest("hex") }, log })
  yield lineOf({ part: "done", lines, sha256: all.digest("hex") })
}

function rowPart({ collection, key, value, done, owner }: SpaceRow): SpaceBundleRow {
  return {
    part: "row",
    collection,
    key,
    value: JSON.parse(value) as Json,
    ...(done ? { done } : {}),
    ...(owner === null ? {} : { owner }),
  }
}

async function logDigest(
  { store }: Plane,
  path: string,
  from: Offset,
  end: Offset,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash("sha256")
  let bytes = 0
  for (let at = from; at !== end;) {
    const { chunks, next } = await store.read(path, at, READ_BYTES)
    // What was read goes beyond the end: batch by batch up to it.
    const whole = next <= end ? chunks : chunks.slice(0, 1)
    for (const chunk of whole) {
      hash.update(chunk)
      bytes += chunk.length
    }
    at = next <= end ? next : (await store.read(path, at, 1)).next
  }
  return { bytes, sha256: hash.digest("hex") }
}

function lineOf(part: SpaceBundlePart): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(part)}\n`)
}
