import { RouseError, spaceOfStream } from "@rouse/protocol"
import type {
  ChangeEvent,
  Json,
  JsonObject,
  Offset,
  SharedClaim,
  SharedHeld,
  SharedPage,
  SharedQuery,
  SharedRow,
} from "@rouse/protocol"
import { claimKey, parseJson } from "@rouse/store"
import type { SpaceRow, Store } from "@rouse/store"
import type { SnapshotRows } from "@rouse/streams"
import { canonicalJson } from "../core/canonical.ts"
import { isoTime } from "../core/control.ts"
import type { Plane } from "../plane.ts"
import { needSpace } from "./definition.ts"

const PAGE_ROWS = 100
/** Bytes of a log that are read at once. */
const READ_BYTES = 1_048_576
/** As far back as a log is folded for one request. */
const HISTORY_BYTES_MAX = 67_108_864

/** Rows of a collection, by key. */
export async function listShared(
  plane: Plane,
  id: string,
  collection: string,
  query: SharedQuery,
): Promise<SharedPage> {
  const { path } = await needCollection(plane, id, collection)
  const { limit = PAGE_ROWS, where, after } = query
  const asked = { collection, limit, ...(where ? { where } : {}), ...(after ? { after } : {}) }
  const { rows, next } = await plane.store.spaceRows(path, asked)
  return { rows: rows.map(publicRow), ...(next === undefined ? {} : { next }) }
}

export async function getShared(
  plane: Plane,
  id: string,
  collection: string,
  key: string,
): Promise<SharedRow | undefined> {
  const { path } = await needCollection(plane, id, collection)
  const row = await plane.store.spaceRow(path, collection, key)
  return row && publicRow(row)
}

/**
 * Rows of a collection as they were at an offset. Costs what the log holds up to there.
 *
 * @throws {RouseError} `BAD_OFFSET`; `GONE` when the log is no longer kept that far back.
 */
export async function sharedAt(
  plane: Plane,
  id: string,
  collection: string,
  at: Offset,
  query: SharedQuery,
): Promise<SharedPage> {
  const { path } = await needCollection(plane, id, collection)
  const rows = new Map<string, SharedRow>()
  for (const event of await changesUntil(plane.store, path, at)) applyChange(rows, collection, event)
  const { limit = PAGE_ROWS, where = {}, after = "" } = query
  const found = [...rows.values()]
    .filter(({ key, value }) => key > after && matches(value as JsonObject, where))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  return pageOf(found, limit)
}

function pageOf(rows: readonly SharedRow[], limit: number): SharedPage {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { rows: shown, ...(rows.length > limit && last ? { next: last.key } : {}) }
}

async function needCollection(plane: Plane, id: string, collection: string): Promise<{ readonly path: string }> {
  const space = await needSpace(plane, id)
  if (Object.hasOwn(space.definition.collections, collection)) return space
  const known = Object.keys(space.definition.collections).join(", ")
  throw new RouseError("NOT_FOUND", `there is no collection "${collection}"; the space has: ${known}`)
}

/** Every change up to an offset, oldest first. The log is read from there backwards: only so does a read end where it is asked to. */
async function changesUntil(store: Store, path: string, at: Offset): Promise<readonly ChangeEvent[]> {
  const parts: (readonly Uint8Array[])[] = []
  let size = 0
  for (let before = at; ;) {
    const { chunks, start, data } = await store.readBack(path, before, READ_BYTES)
    if (chunks.length === 0) break
    parts.push(chunks)
    size += data.length
    before = start
    if (size > HISTORY_BYTES_MAX) {
      throw new RouseError(
        "TOO_LARGE",
        `at: the log is longer than ${HISTORY_BYTES_MAX} bytes up to there; read the stream instead`,
      )
    }
  }
  const horizon = (await store.stream(path))?.horizon
  const base = horizon === undefined ? undefined : await store.snapshot(path, horizon)
  const chunks = [...(base ? [base.data] : []), ...parts.toReversed().flat()]
  const events = parseJson(chunks) as unknown as Partial<ChangeEvent>[]
  return events.filter((event): event is ChangeEvent => event.type !== undefined)
}

/** What a change of the log makes of the rows of a collection, and of their claims. */
function applyChange(
  rows: Map<string, SharedRow>,
  collection: string,
  { type, key, value = null, headers }: ChangeEvent,
): void {
  const gone = headers.operation === "delete"
  if (type === collection) {
    const { version = 0 } = headers as { readonly version?: number }
    if (gone) rows.delete(key)
    else rows.set(key, { ...rows.get(key), key, value, version })
    return
  }
  const row =
    type === "claim" && key.startsWith(`${collection}/`) ? rows.get(key.slice(collection.length + 1)) : undefined
  if (row === undefined) return
  const { claim: _, done: __, ...plain } = row
  const { status, ...claim } = (gone ? {} : value) as unknown as SharedClaim & { readonly status?: string }
  const { holder, token, expiresAt } = claim
  rows.set(row.key, {
    ...plain,
    ...(status === "held" ? { claim: { holder, token, expiresAt } } : {}),
    ...(status === "completed" ? { done: true } : {}),
  })
}

function matches(value: JsonObject, where: JsonObject): boolean {
  return Object.entries(where).every(([field, wanted]) => canonicalJson(value[field]) === canonicalJson(wanted))
}

/** A row as the wire has it. */
export function publicRow(row: SpaceRow): SharedRow {
  const { key, version, done, holder, token, freeAtMs } = row
  const value = JSON.parse(row.value) as Json
  const claim = holder === null ? {} : { claim: { holder, token, expiresAt: isoTime(freeAtMs) } }
  return { key, value, version, ...(done ? { done } : {}), ...claim }
}

/** A row that was just claimed. */
export function heldRow(row: SpaceRow): SharedHeld {
  return publicRow(row) as SharedHeld
}

const encoder = new TextEncoder()

/** A space's log as its live rows and claims. Undefined when the stream is no space's log. */
export async function spaceSnapshot(store: Store, path: string): Promise<SnapshotRows | undefined> {
  const live = spaceOfStream(path) === undefined ? undefined : await store.liveSpace(path)
  if (live === undefined) return undefined
  const id = spaceOfStream(path) ?? path
  const event = (type: string, key: string, json: string, headers: object = {}): string =>
    `{"type":${JSON.stringify(type)},"key":${JSON.stringify(key)},"value":${json},"headers":${JSON.stringify({ operation: "insert", ...headers })}},`
  const texts = [event("space", id, JSON.stringify({ id, ...live.space.definition }))]
  for (const row of live.rows) {
    const { collection, key, value, version, token, done, holder, freeAtMs } = row
    texts.push(event(collection, key, value, { version }))
    if (holder === null && !done) continue
    const held = done ? { status: "completed" } : { status: "held", holder, expiresAt: isoTime(freeAtMs) }
    texts.push(event("claim", claimKey(row), JSON.stringify({ collection, key, token, ...held })))
  }
  return { info: live.info, data: encoder.encode(texts.join("")) }
}
