import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"
import { RouseError } from "@rouse/protocol"
import { START } from "@rouse/protocol"
import type { Json, Offset, Row } from "@rouse/protocol"
import { isBoundary, offsetAt, positionOf } from "../core/lineage.ts"
import type { Segment } from "../core/lineage.ts"
import { encodeOffset } from "../core/offset.ts"
import { absence, standingOf, unknownStream } from "../core/stream-state.ts"
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
import { joinRuns, splitRuns } from "./chunk-run.ts"
import { ENTITY_COLUMNS, listEntities, recordOf } from "./entity-list.ts"
import { LineReader } from "./line-reader.ts"
import { readNonce } from "./migrate.ts"
import { BATCH_END_SQL, FORK_NEED_SQL, STREAM_SQL, streamOf } from "./view.ts"

/** Reads of a store, on a connection of their own. Every statement is prepared once, when first needed. */
export class Reader {
  readonly #db: DatabaseSync
  readonly #clock: () => number
  readonly #nonce: string
  readonly #line: LineReader
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync, clock: () => number) {
    this.#db = db
    this.#clock = clock
    this.#nonce = readNonce(db)
    this.#line = new LineReader((sql) => this.#prepare(sql), this.#nonce)
  }

  stream(path: string): StreamInfo | undefined {
    const state = this.#alive(path)
    return state === undefined ? undefined : infoOf(state)
  }

  read(path: string, from: Offset, bytesMax: number): ReadResult {
    const state = this.#alive(path)
    if (state === undefined) throw unknownStream(path)
    const segments = this.#line.segments(state, from)
    const position = this.#position(state, segments, from)
    const { runs, end } = this.#line.read(state, segments, position, bytesMax)
    return {
      info: infoOf(state),
      data: joinRuns(runs),
      get chunks() {
        return splitRuns(runs)
      },
      start: offsetAt(segments, position),
      next: offsetAt(segments, end),
      upToDate: end === state.tail,
    }
  }

  neededByForks(path: string): Offset | undefined {
    const state = this.#known(path)
    const position = state === undefined ? null : (this.#prepare(FORK_NEED_SQL).get(state.id)?.["at"] as number | null)
    return state === undefined || position === null ? undefined : offsetAt(this.#line.segments(state, START), position)
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

  /** @throws {RouseError} `GONE`. */
  #alive(path: string): StreamState | undefined {
    const state = this.#known(path)
    const standing = standingOf(state, this.#clock())
    if (standing === "gone") throw absence(path, state)
    return standing === "alive" ? state : undefined
  }

  #known(path: string): StreamState | undefined {
    const row = this.#prepare(STREAM_SQL).get(path)
    return row === undefined ? undefined : streamOf(row, this.#nonce)
  }

  /** Only the beginning, the tail and the ends of batches can be read from: anything else was never handed out. */
  #position(state: StreamState, segments: readonly Segment[], from: Offset): number {
    const position = positionOf(segments, from)
    const endsAt = (stream: number, end: number): boolean => this.#prepare(BATCH_END_SQL).get(stream, end) !== undefined
    if (position !== undefined && isBoundary(segments, position, endsAt)) return position
    throw new RouseError("BAD_OFFSET", `${from} is not an offset of the stream ${state.path}`, {
      details: { path: state.path, offset: from },
    })
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
