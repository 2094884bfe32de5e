import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"
import { RouseError } from "@rouse/protocol"
import type { SharedDefinition } from "@rouse/protocol"
import type {
  ExpiredClaim,
  ForgetfulSpace,
  OwnedRows,
  SpaceLive,
  SpaceRecord,
  SpaceRow,
  SpaceRowPage,
  SpaceRowQuery,
} from "../space.ts"
import type { StreamInfo } from "../stream.ts"
import { encodeOffset } from "../core/offset.ts"
import { ownedOf } from "../core/space-rules.ts"
import type { OwnedRow } from "../core/space-rules.ts"
import { indexFor, queueOf } from "../core/space-queue.ts"
import { SPACE_ROW_COLUMNS, spaceRowOf } from "./space-view.ts"

/** Rows that one read looks at: reads are on the thread that serves. */
const SCAN_ROWS_MAX = 5_000

type SqlRow = Record<string, unknown>

/** A space whose stream is gone, but not yet swept, is none. */
const SPACES = `SELECT p.path, p.version, p.definition, p.created_at, p.rows, p.stream
  FROM space p JOIN stream s ON s.id = p.stream AND s.deleted = 0`

/** The joins are in order: the claims of a space that was dropped, but not yet swept, are few. */
const CLAIMS = `FROM space_row r INDEXED BY space_expiry CROSS JOIN space p ON p.stream = r.stream
  JOIN stream s ON s.id = p.stream AND s.deleted = 0 WHERE r.free_at > 0`

/** Reads of spaces. */
export class SpaceReader {
  readonly #db: DatabaseSync
  readonly #info: (path: string) => StreamInfo | undefined
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync, info: (path: string) => StreamInfo | undefined) {
    this.#db = db
    this.#info = info
  }

  one(path: string): SpaceRecord | undefined {
    const row = this.#get(`${SPACES} WHERE p.path = ?`, path)
    return row && recordOf(row)
  }

  page({ after = "", limit }: { readonly after?: string; readonly limit: number }): SpaceRecord[] {
    return this.#all(`${SPACES} WHERE p.path > ? ORDER BY p.path LIMIT ?`, after, limit).map(recordOf)
  }

  row(path: string, collection: string, key: string): SpaceRow | undefined {
    const sql = `SELECT ${SPACE_ROW_COLUMNS} FROM space_row r WHERE stream = ? AND collection = ? AND key = ?`
    const row = this.#get(sql, this.#stream(path), collection, key)
    return row && spaceRowOf(row)
  }

  /**
   * Looks at `SCAN_ROWS_MAX` rows at most: those of an index that fits the condition, or else all. The joins and indexes are named in order:
   * without statistics the planner takes all rows of a space for a few.
   */
  rows(path: string, { collection, where = {}, after = "", limit }: SpaceRowQuery): SpaceRowPage {
    const stream = this.#stream(path)
    const definition = this.one(path)?.definition.collections[collection]
    const index = definition === undefined ? undefined : indexFor(definition, where)
    const filters = Object.entries(where).filter(([field]) => !index?.includes(field))
    const scanMax = filters.length === 0 ? limit + 1 : SCAN_ROWS_MAX
    const keys =
      index === undefined
        ? "SELECT key FROM space_row WHERE stream = ?1 AND collection = ?2 AND key > ?3 ORDER BY key LIMIT ?4"
        : "SELECT key FROM space_index WHERE stream = ?1 AND collection = ?2 AND key > ?3 AND queue = ?5 ORDER BY key LIMIT ?4"
    const first = index === undefined ? 5 : 6
    const tests = filters.map(
      (_, at) => ` AND json_extract(r.value, ?${first + 2 * at}) IS json_extract(?${first + 2 * at + 1}, '$[0]')`,
    )
    const sql = `SELECT ${SPACE_ROW_COLUMNS} FROM (${keys}) k CROSS JOIN space_row r
      ON r.stream = ?1 AND r.collection = ?2 AND r.key = k.key${tests.join("")} LIMIT ${limit + 1}`
    const scan = [stream, collection, after, scanMax, ...(index === undefined ? [] : [queueOf(index, where)])]
    const values = filters.flatMap(([field, value]) => [`$.${JSON.stringify(field)}`, JSON.stringify([value])])
    const found = this.#all(sql, ...scan, ...values).map(spaceRowOf)
    const rows = found.slice(0, limit)
    const last = rows.at(-1)
    if (found.length > limit && last) return { rows, next: last.key }
    const seen = this.#get(`SELECT max(key) AS key, count(*) AS n FROM (${keys})`, ...scan)
    return seen?.["n"] === scanMax ? { rows, next: seen["key"] as string } : { rows }
  }

  /** One transaction, so that all is of one snapshot of the WAL. */
  live(path: string): SpaceLive | undefined {
    this.#db.exec("BEGIN")
    try {
      const info = this.#info(path)
      const space = info && this.one(path)
      if (info === undefined || space === undefined) return undefined
      const sql = `SELECT ${SPACE_ROW_COLUMNS} FROM space_row r WHERE stream = ? ORDER BY collection, key`
      return { info, space, rows: this.#all(sql, this.#stream(path)).map(spaceRowOf) }
    } finally {
      this.#db.exec("COMMIT")
    }
  }

  /** The joins are in order: rows of a space that was dropped, but not yet swept, are passed over. */
  owned(owner: string, limit: number): OwnedRows | undefined {
    const sql = `SELECT p.path, r.collection, r.key FROM space_row r INDEXED BY space_owner CROSS JOIN space p ON p.stream = r.stream
      JOIN stream s ON s.id = p.stream AND s.deleted = 0 WHERE r.owner = ? ORDER BY r.stream LIMIT ?`
    return ownedOf(this.#all(sql, owner, limit) as unknown as OwnedRow[])
  }

  forgetful(limit: number): ForgetfulSpace[] {
    const sql = `SELECT p.path, p.forget FROM space p INDEXED BY space_forget
      JOIN stream s ON s.id = p.stream AND s.deleted = 0 WHERE p.forget > 0 LIMIT ?`
    return this.#all(sql, limit).flatMap(({ path, forget }) => {
      const info = this.#info(path as string)
      return info ? [{ path: info.path, until: encodeOffset(info.incarnation, forget as number) }] : []
    })
  }

  expired(nowMs: number, limit: number): ExpiredClaim[] {
    const sql = `SELECT p.path, r.collection, r.key, r.token, r.free_at AS expiredAtMs ${CLAIMS} AND r.free_at <= ? ORDER BY r.free_at, r.token LIMIT ?`
    return this.#all(sql, nowMs, limit) as unknown as ExpiredClaim[]
  }

  nextExpiryAtMs(): number | undefined {
    return this.#get(`SELECT r.free_at ${CLAIMS} ORDER BY r.free_at LIMIT 1`)?.["free_at"] as number | undefined
  }

  /** @throws {RouseError} `NOT_FOUND`. */
  #stream(path: string): number {
    const row = this.#get(`${SPACES} WHERE p.path = ?`, path)
    if (row === undefined) throw new RouseError("NOT_FOUND", `there is no space ${path}`, { details: { path } })
    return row["stream"] as number
  }

  #get(sql: string, ...values: SQLInputValue[]): SqlRow | undefined {
    return this.#prepare(sql).get(...values)
  }

  #all(sql: string, ...values: SQLInputValue[]): SqlRow[] {
    return this.#prepare(sql).all(...values)
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

function recordOf(row: SqlRow): SpaceRecord {
  return {
    path: row["path"] as string,
    definition: JSON.parse(row["definition"] as string) as SharedDefinition,
    version: row["version"] as number,
    createdAtMs: row["created_at"] as number,
    rows: row["rows"] as number,
  }
}
