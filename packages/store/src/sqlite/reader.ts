import type { DatabaseSync, StatementSync } from "node:sqlite"
import { START } from "@rouse/protocol"
import type { Json, Offset, Row } from "@rouse/protocol"
import { isBoundary, offsetAt, positionOf } from "../core/lineage.ts"
import type { Segment } from "../core/lineage.ts"
import { encodeOffset } from "../core/offset.ts"
import { badOffset, goneBelow } from "../core/retention.ts"
import { absence, standingOf, unknownStream } from "../core/stream-state.ts"
import type { StreamState } from "../core/stream-state.ts"
import type { DueFilter, EntityFilter, EntityRecord, EntityRecordPage, LiveRows } from "../entity.ts"
import type { StoredReceipt } from "../receipt.ts"
import type { Keep, StoredSnapshot, Trimmable } from "../retention.ts"
import type { ReadResult, StreamInfo, StreamPathPage } from "../stream.ts"
import type { Timer, TimerPlace } from "../timer.ts"
import { concatBytes } from "../core/bytes.ts"
import { joinRuns, splitRuns } from "./chunk-run.ts"
import type { ChunkRun } from "./chunk-run.ts"
import { ENTITY_COLUMNS, listEntities, recordOf } from "./entity-list.ts"
import { LineReader } from "./line-reader.ts"
import { readNonce } from "./migrate.ts"
import { byCollection, ROW_VALUE, rowsSql, rowsValues, sectionOf, turnOf } from "./row-place.ts"
import { RunsRest } from "./runs-rest.ts"
import { RetentionReads } from "./retention-reads.ts"
import { ObservationReader } from "./observation-reader.ts"
import { SpaceReader } from "./space-reader.ts"
import { SubscriptionReader } from "./subscription-reader.ts"
import { WorkReader } from "./work-reader.ts"
import { BATCH_END_SQL, FORK_NEED_SQL, STREAM_SQL, streamOf } from "./view.ts"

/** Less than this gains nothing from being its reader's own. */
const OWNED_BYTES_MIN = 65_536

/** Reads of a store, on a connection of their own. Every statement is prepared once, when first needed. */
export class Reader {
  readonly #db: DatabaseSync
  readonly #clock: () => number
  readonly #nonce: string
  readonly #line: LineReader
  readonly #statements = new Map<string, StatementSync>()
  readonly #retention: RetentionReads
  readonly subscriptions: SubscriptionReader
  readonly work: WorkReader
  readonly observations: ObservationReader
  readonly spaces: SpaceReader

  constructor(db: DatabaseSync, clock: () => number) {
    this.#db = db
    this.#clock = clock
    this.#nonce = readNonce(db)
    this.#retention = new RetentionReads(db, (sql) => this.#prepare(sql))
    this.#line = new LineReader((sql) => this.#prepare(sql), this.#nonce)
    this.work = new WorkReader((sql) => this.#prepare(sql))
    const prepare = (sql: string): StatementSync => this.#prepare(sql)
    const streamOf = (path: string): StreamState | undefined => this.#alive(path)
    const offsetOf = (stream: StreamState, position: number): Offset =>
      offsetAt(this.#line.segments(stream, START), position)
    this.subscriptions = new SubscriptionReader(prepare, streamOf, offsetOf)
    this.observations = new ObservationReader(prepare, streamOf, offsetOf)
    this.spaces = new SpaceReader(db, (path) => this.stream(path))
  }

  stream(path: string): StreamInfo | undefined {
    const state = this.#alive(path)
    return state === undefined ? undefined : infoOf(state)
  }

  read(path: string, from: Offset, bytesMax: number, firstBytes: number = bytesMax): ReadResult {
    const state = this.#alive(path)
    if (state === undefined) throw unknownStream(path)
    const segments = this.#line.segments(state, from)
    const position = this.#position(state, segments, from)
    const { runs, end: first } = this.#runs(state, segments, position, Math.min(bytesMax, firstBytes), from)
    const isWhole = firstBytes >= bytesMax || first >= position + bytesMax
    const end = isWhole ? first : this.#line.endUpTo(segments, first, position + bytesMax)
    const readOn = (at: number): { readonly runs: readonly ChunkRun[]; readonly end: number } =>
      this.#runs(state, segments, at, Math.min(firstBytes, end - at), from)
    const prepare = (sql: string): StatementSync => this.#prepare(sql)
    return {
      info: infoOf(state),
      data: joinRuns(runs),
      get chunks() {
        return splitRuns(prepare, runs)
      },
      start: offsetAt(segments, position),
      next: offsetAt(segments, end),
      upToDate: end === state.tail,
      ...(end - position < OWNED_BYTES_MIN ? {} : { rest: new RunsRest(first, end, readOn) }),
    }
  }

  readBack(path: string, before: Offset, bytesMax: number): ReadResult {
    const state = this.#alive(path)
    if (state === undefined) throw unknownStream(path)
    const segments = this.#line.segments(state, START)
    const end = this.#position(state, segments, before)
    const { chunks, start } = this.#retention.chunksBefore(state, segments, end, bytesMax)
    return {
      info: infoOf(state),
      data: concatBytes(chunks),
      chunks,
      start: offsetAt(segments, start),
      next: offsetAt(segments, end),
      upToDate: end === state.tail,
    }
  }

  /** One transaction, so that both are of one snapshot of the WAL. */
  liveRows(url: string, path: string, collection: string | undefined): LiveRows | undefined {
    this.#db.exec("BEGIN")
    try {
      const state = this.#alive(path)
      return state === undefined ? undefined : { info: infoOf(state), rows: this.#retention.rows(url, collection) }
    } finally {
      this.#db.exec("COMMIT")
    }
  }

  snapshot(path: string, atMost: Offset | undefined): StoredSnapshot | undefined {
    const state = this.#alive(path)
    if (state === undefined) return undefined
    const segments = this.#line.segments(state, START)
    const until = atMost === undefined ? state.tail : this.#position(state, segments, atMost)
    const stored = this.#retention.snapshot(segments, until)
    return stored && { info: infoOf(state), at: offsetAt(segments, stored.at), data: stored.data }
  }

  streamPaths(page: StreamPathPage): string[] {
    return this.#retention.paths(page)
  }

  trimmable(path: string, keep: Keep): Trimmable | undefined {
    const state = this.#alive(path)
    const to = state && this.#retention.trimmable(state, keep)
    if (state === undefined || to === undefined) return undefined
    return { to: encodeOffset(state.incarnation, to), bytes: to - state.horizon }
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
    return byCollection(
      this.#prepare(rowsSql(collection))
        .all(...rowsValues(url, collection))
        .map(rowOf),
    )
  }

  rowCounts(url: string): Record<string, number> {
    const sql = `SELECT collection, count(*) AS n FROM "row" WHERE entity = (SELECT id FROM entity WHERE url = ?) GROUP BY collection`
    const counts = this.#prepare(sql).all(url)
    return Object.fromEntries(counts.map((row) => [row["collection"], row["n"]])) as Record<string, number>
  }

  row(url: string, collection: string, key: string): Row | undefined {
    const sql = `SELECT collection, key, ${ROW_VALUE} AS value FROM "row" WHERE entity = (SELECT id FROM entity WHERE url = ?) AND section = ? AND turn = ? AND key = ? AND collection = ?`
    const row = this.#prepare(sql).get(url, sectionOf(collection), turnOf(collection, key), key, collection)
    return row === undefined ? undefined : rowOf(row)
  }

  dueEntities(nowMs: number, limit: number, { status, type }: DueFilter = {}): EntityRecord[] {
    const of = `${status === undefined ? "" : " AND status = ?"}${type === undefined ? "" : " AND type = ?"}`
    const sql = `SELECT ${ENTITY_COLUMNS} FROM entity WHERE due_at IS NOT NULL AND due_at <= ?${of} ORDER BY due_at, id LIMIT ?`
    const values = [status, type].filter((value) => value !== undefined)
    return this.#prepare(sql)
      .all(nowMs, ...values, limit)
      .map(recordOf)
  }

  dueTimers(nowMs: number, limit: number, after?: TimerPlace): Timer[] {
    const behind = after === undefined ? "" : " AND (due_at, id) > (?, ?)"
    const place = after === undefined ? [] : [after.dueAtMs, after.id]
    const sql = `SELECT id, due_at, url, payload FROM timer WHERE due_at <= ?${behind} ORDER BY due_at, id LIMIT ?`
    return this.#prepare(sql)
      .all(nowMs, ...place, limit)
      .map(timerOf)
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
    if (position !== undefined && position < state.horizon) throw goneBelow(state, from)
    const endsAt = (stream: number, end: number): boolean => this.#prepare(BATCH_END_SQL).get(stream, end) !== undefined
    if (position === state.horizon) return position
    if (position !== undefined && isBoundary(segments, position, endsAt)) return position
    throw badOffset(state, from)
  }

  /** @throws {RouseError} `UNKNOWN_STREAM` or `GONE` when the stream was deleted or trimmed, and swept, since its state was read. */
  #runs(
    state: StreamState,
    segments: readonly Segment[],
    from: number,
    bytesMax: number,
    asked: Offset,
  ): { readonly runs: readonly ChunkRun[]; readonly end: number } {
    const read = this.#line.read(state, segments, from, bytesMax)
    if (read !== undefined) return read
    const now = this.#alive(state.path)
    throw now?.id === state.id && from < now.horizon ? goneBelow(now, asked) : unknownStream(state.path)
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
    ...(state.horizon === 0 ? {} : { horizon: encodeOffset(state.incarnation, state.horizon) }),
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
