import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"
import { RouseError } from "@rouse/protocol"
import type { SharedDefinition } from "@rouse/protocol"
import type { ExpiredClaim, ForgetfulSpace, SpaceLive, SpaceRecord, SpaceRow, SpaceRowQuery } from "../space.ts"
import type { StreamInfo } from "../stream.ts"
import { encodeOffset } from "../core/offset.ts"
import { SPACE_ROW_COLUMNS, spaceRowOf } from "./space-view.ts"

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

  rows(path: string, { collection, where = {}, after = "", limit }: SpaceRowQuery): SpaceRow[] {
    const fields = Object.entries(where)
    const filters = fields.map(() => " AND json_extract(r.value, ?) IS json_extract(?, '$[0]')").join("")
    const sql = `SELECT ${SPACE_ROW_COLUMNS} FROM space_row r WHERE stream = ? AND collection = ? AND key > ?${filters} ORDER BY key LIMIT ?`
    const values = fields.flatMap(([field, value]) => [`$.${JSON.stringify(field)}`, JSON.stringify([value])])
    return this.#all(sql, this.#stream(path), collection, after, ...values, limit).map(spaceRowOf)
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
  owned(owner: string): string | undefined {
    const sql = `SELECT p.path FROM space_row r INDEXED BY space_owner CROSS JOIN space p ON p.stream = r.stream
      JOIN stream s ON s.id = p.stream AND s.deleted = 0 WHERE r.owner = ? LIMIT 1`
    return this.#get(sql, owner)?.["path"] as string | undefined
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
    const sql = `SELECT p.path, r.collection, r.key, r.token ${CLAIMS} AND r.free_at <= ? ORDER BY r.free_at LIMIT ?`
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
