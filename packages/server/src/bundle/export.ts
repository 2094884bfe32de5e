import { createHash } from "node:crypto"
import {
  BUNDLE_VERSION,
  type BundleEnd,
  type BundlePart,
  entityStreamPath,
  type EntityUrl,
  type JsonObject,
  type Offset,
  RouseError,
  type Row,
  START,
} from "@rouse/protocol"
import { liveOf } from "@rouse/protocol/fork"
import type { EntityRecord } from "@rouse/store"
import { rowLine } from "../core/bundle-digest.ts"
import { isoTime } from "../core/control.ts"
import { workId } from "../core/work-item.ts"
import { endOf, stateAt } from "../fork/past-state.ts"
import type { Plane } from "../plane.ts"
import { attachmentIn } from "./attachments.ts"

/** Bytes of a log that are read at once. */
const READ_BYTES = 262_144
/** Looks at a tree that is at work, before it is said to be too busy. */
const LOOKS_MAX = 50
const TREE_MAX = 10_000

interface Cut {
  readonly record: EntityRecord
  readonly offset: Offset
}

/**
 * An entity, and with `tree` all below it, as the lines of a bundle. All of them are as of one moment; no more of a log than a part is in
 * memory, and of rows what lives.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY`; `TOO_LARGE`; `OVERLOADED` when the tree did not hold still for a moment.
 * @see docs/export.md
 */
export async function* exportBundle(plane: Plane, root: EntityUrl, tree: boolean): AsyncGenerator<Uint8Array, void> {
  const cuts = await consistentCut(plane, root, tree)
  const hash = createHash("sha256")
  let lines = 0
  const line = (part: BundlePart): Uint8Array => {
    const bytes = lineOf(part)
    lines += 1
    hash.update(bytes)
    return bytes
  }
  const entities = cuts.map(({ record, offset }) => ({ url: record.url, offset }))
  yield line({ part: "bundle", version: BUNDLE_VERSION, at: isoTime(plane.clock()), root, entities })
  for (const cut of cuts) for await (const part of partsOf(plane, cut)) yield line(part)
  yield lineOf({ part: "done", lines, sha256: hash.digest("hex") })
}

function lineOf(part: BundlePart): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(part)}\n`)
}

/** Records and ends of logs that were all true at once: nothing moved between two looks. */
async function consistentCut(plane: Plane, root: EntityUrl, tree: boolean): Promise<readonly Cut[]> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    const cuts = await cutOf(plane, root, tree)
    const again = await Promise.all(cuts.map(({ record }) => plane.store.entity(record.url)))
    if (again.every((record, i) => record?.version === cuts[i]?.record.version)) return cuts
    await new Promise<void>((resolve) => plane.defer(look * 10, resolve))
  }
  throw new RouseError("OVERLOADED", `${root} was at work all the time: pause it, with its tree, and try again`)
}

async function cutOf(plane: Plane, root: EntityUrl, tree: boolean): Promise<readonly Cut[]> {
  const record = await plane.store.entity(root)
  if (!record) throw new RouseError("UNKNOWN_ENTITY", `there is no entity ${root}`)
  const cuts: Cut[] = [{ record, offset: await endOf(plane, root) }]
  if (!tree) return cuts
  for (const { record: parent } of cuts) {
    for (let after: string | undefined = ""; after !== undefined;) {
      const page = await plane.store.entities({ parent: parent.url, limit: 1_000, ...(after === "" ? {} : { after }) })
      for (const child of page.entities) cuts.push({ record: child, offset: await endOf(plane, child.url) })
      after = page.next
    }
    if (cuts.length > TREE_MAX) throw new RouseError("TOO_LARGE", `tree: ${root} has more than ${TREE_MAX} below it`)
  }
  return cuts
}

async function* partsOf(plane: Plane, { record, offset }: Cut): AsyncGenerator<BundlePart> {
  const { url, parent, args, tags, control, createdAtMs } = record
  yield { part: "entity", url, parent, createdAt: isoTime(createdAtMs), args, tags, control }
  const log = createHash("sha256")
  let batches = 0
  for await (const data of logOf(plane, url, offset)) {
    batches += 1
    log.update(data)
    yield { part: "log", data }
  }
  const all = (await stateAt(plane, url, offset)).rows()
  const attachments = all.filter((row) => row.collection === "attachment")
  for (const { key } of attachments) yield* attachmentIn(plane, url, key)
  for (const { key } of all.filter((row) => row.collection === "tool_work")) {
    const item = await plane.store.work(workId(url, key))
    if (item) yield { part: "work", item: item as unknown as JsonObject }
  }
  const end: BundleEnd["log"] = { batches, sha256: log.digest("hex") }
  yield { part: "end", url, log: end, rows: digestOf(liveOf(all)), attachments: attachments.length }
}

export function digestOf(rows: readonly Row[]): BundleEnd["rows"] {
  const hash = createHash("sha256")
  for (const row of rows) hash.update(rowLine(row))
  return { count: rows.length, sha256: hash.digest("hex") }
}

/** The batches of a log up to an offset; of one that was compacted, what it amounts to at its horizon comes first. */
async function* logOf(plane: Plane, url: EntityUrl, end: Offset): AsyncGenerator<string> {
  const path = entityStreamPath(url)
  const decoder = new TextDecoder()
  const horizon = (await plane.store.stream(path))?.horizon
  const base = horizon === undefined ? undefined : await plane.store.snapshot(path, horizon)
  if (base) yield decoder.decode(base.data)
  let from = base?.at ?? horizon ?? START
  while (from !== end) {
    const { chunks, next } = await plane.store.read(path, from, READ_BYTES)
    if (next <= end) {
      for (const chunk of chunks) yield decoder.decode(chunk)
      from = next
      continue
    }
    // What was read goes beyond the end: batch by batch up to it.
    for (const chunk of chunks) {
      const one = await plane.store.read(path, from, 1)
      yield decoder.decode(chunk)
      from = one.next
      if (from === end) break
    }
  }
}
