import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"
import { RouseError } from "@rouse/protocol"
import type { Json, Offset, Row } from "@rouse/protocol"
import { encodeOffset, parseOffset } from "../core/offset.ts"
import { isAlive, unknownStream } from "../core/stream-state.ts"
import type { StreamState } from "../core/stream-state.ts"
import type {
  EntityRecord,
  EntityRecordPage,
  EntityFilter,
  ReadResult,
  StoredReceipt,
  StreamInfo,
  Timer,
} from "../store.ts"
import { ENTITY_COLUMNS, listEntities, recordOf } from "./entity-list.ts"
import { readNonce } from "./migrate.ts"
import { STREAM_SQL, streamOf } from "./view.ts"

/** Reads of a store, on a connection of their own. Every statement is prepared once, when first needed. */
export class Reader {
  readonly #db: DatabaseSync
  readonly #clock: () => number
  readonly #nonce: string
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync, clock: () => number) {
    this.#db = db
    this.#clock = clock
    this.#nonce = readNonce(db)
  }

  stream(path: string): StreamInfo | undefined {
    const state = this.#alive(path)
    return state === undefined ? undefined : infoOf(state)
  }

  read(path: string, from: Offset, bytesMax: number): ReadResult {
    const state = this.#alive(path)
    if (state === undefined) throw unknownStream(path)
    const position = this.#position(state, from)
    const { chunks, end } = this.#chunks(state, position, bytesMax)
    return {
      info: infoOf(state),
      chunks,
      start: encodeOffset(state.incarnation, position),
      next: encodeOffset(state.incarnation, end),
      upToDate: end === state.tail,
    }
  }

  entity(url: string): EntityRecord | undefined {
    const row = this.#prepare(`SELECT ${ENTITY_COLUMNS} FROM entity WHERE url = ?`).get(url)
    return row === undefined ? undefined : recordOf(row)
  }

  entities(filter: EntityFilter): EntityRecordPage {
    return listEntities(filter, (sql, values) => this.#prepare(sql).all(...values))
  }

  rows(url: string, collection: string | undefined): Row[] {
    const where = collection === undefined ? "" : " AND collection = ?"
    const values: SQLInputValue[] = collection === undefined ? [url] : [url, collection]
    const sql = `SELECT collection, key, value FROM "row" WHERE entity = (SELECT id FROM entity WHERE url = ?)${where} ORDER BY collection, key`
    return this.#prepare(sql)
      .all(...values)
      .map(rowOf)
  }

  rowCounts(url: string): Record<string, number> {
    const sql = `SELECT collection, count(*) AS n FROM "row" WHERE entity = (SELECT id FROM entity WHERE url = ?) GROUP BY collection`
    const counts = this.#prepare(sql).all(url)
    return Object.fromEntries(counts.map((row) => [row["collection"], row["n"]])) as Record<string, number>
  }

  row(url: string, collection: string, key: string): Row | undefined {
    const sql = `SELECT collection, key, value FROM "row" WHERE entity = (SELECT id FROM entity WHERE url = ?) AND collection = ? AND key = ?`
    const row = this.#prepare(sql).get(url, collection, key)
    return row === undefined ? undefined : rowOf(row)
  }

  dueEntities(nowMs: number, limit: number): EntityRecord[] {
    const sql = `SELECT ${ENTITY_COLUMNS} FROM entity WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, id LIMIT ?`
    return this.#prepare(sql).all(nowMs, limit).map(recordOf)
  }

  dueTimers(nowMs: number, limit: number): Timer[] {
    const sql = "SELECT id, due_at, url, payload FROM timer WHERE due_at <= ? ORDER BY due_at, id LIMIT ?"
    return this.#prepare(sql).all(nowMs, limit).map(timerOf)
  }

  nextDueAtMs(): number | undefined {
    const sql = `SELECT min(at) AS at FROM (
      SELECT min(due_at) AS at FROM entity WHERE due_at IS NOT NULL UNION ALL SELECT min(due_at) FROM timer)`
    return (this.#prepare(sql).get()?.["at"] as number | null) ?? undefined
  }

  receipt(key: string): StoredReceipt | undefined {
    const row = this.#prepare("SELECT key, fingerprint, response, expires_at FROM receipt WHERE key = ?").get(key)
    if (row === undefined) return undefined
    return {
      key,
      fingerprint: row["fingerprint"] as string,
      response: JSON.parse(row["response"] as string) as Json,
      expiresAtMs: row["expires_at"] as number,
    }
  }

  #alive(path: string): StreamState | undefined {
    const row = this.#prepare(STREAM_SQL).get(path)
    const state = row === undefined ? undefined : streamOf(row, this.#nonce)
    return isAlive(state, this.#clock()) ? state : undefined
  }

  /** Only the beginning, the tail and the ends of batches can be read from: anything else was never handed out. */
  #position(state: StreamState, from: Offset): number {
    const position = parseOffset(state.incarnation, from)
    if (position === 0 || position === state.tail) return position
    if (position !== undefined && position < state.tail) {
      const sql = "SELECT 1 FROM chunk WHERE stream = ? AND tail = ?"
      if (this.#prepare(sql).get(state.id, position) !== undefined) return position
    }
    throw new RouseError("BAD_OFFSET", `${from} is not an offset of the stream ${state.path}`, {
      details: { path: state.path, offset: from },
    })
  }

  /** @throws {RouseError} `UNKNOWN_STREAM` when the stream was deleted and swept since its state was read. */
  #chunks(state: StreamState, from: number, bytesMax: number): { readonly chunks: Uint8Array[]; readonly end: number } {
    const chunks: Uint8Array[] = []
    let end = from
    const sql = "SELECT tail, data FROM chunk WHERE stream = ? AND tail > ? AND tail <= ? ORDER BY tail"
    for (const row of this.#prepare(sql).iterate(state.id, from, state.tail)) {
      const data = row["data"] as Uint8Array
      const tail = row["tail"] as number
      if (tail - data.length !== end) throw unknownStream(state.path)
      if (chunks.length > 0 && tail - from > bytesMax) break
      chunks.push(data)
      end = tail
      if (end - from >= bytesMax) break
    }
    if (end === from && from < state.tail) throw unknownStream(state.path)
    return { chunks, end }
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

function infoOf(state: StreamState): StreamInfo {
  return {
    path: state.path,
    contentType: state.contentType,
    next: encodeOffset(state.incarnation, state.tail),
    closed: state.closed,
    createdAtMs: state.createdAtMs,
    ...(state.ttlSeconds === null ? {} : { ttlSeconds: state.ttlSeconds }),
    ...(state.expiresAtMs === null ? {} : { expiresAtMs: state.expiresAtMs }),
    incarnation: state.incarnation,
  }
}

function rowOf(row: Record<string, unknown>): Row {
  return {
    collection: row["collection"] as string,
    key: row["key"] as string,
    value: JSON.parse(row["value"] as string) as Json,
  }
}

function timerOf(row: Record<string, unknown>): Timer {
  return {
    id: row["id"] as string,
    dueAtMs: row["due_at"] as number,
    url: row["url"] as string,
    payload: JSON.parse(row["payload"] as string) as Json,
  }
}
