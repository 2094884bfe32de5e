import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { SharedDefinition } from "@rouse/protocol"
import type { SpaceRowState, SpaceState, SpaceView } from "../core/space-state.ts"

type SqlRow = Record<string, unknown>

/** Definitions kept parsed. When there are as many, all are forgotten. */
const DEFINITIONS_MAX = 256

export const SPACE_ROW_COLUMNS =
  "r.collection, r.key, r.value, r.version, r.made, r.done, r.token, r.holder, r.claim, r.free_at, r.owner"

/** The joins and indexes are named in order: without statistics the planner takes all rows of a space for a few. */
const CLAIMABLE = `SELECT ${SPACE_ROW_COLUMNS} FROM space_queue q
  CROSS JOIN space_row r ON r.stream = q.stream AND r.collection = q.collection AND r.key = q.key
  WHERE q.stream = ? AND q.collection = ? AND q.queue = ?`

/** Looks up what decisions about spaces need, in the writer's own transaction. */
export class SqliteSpaces implements SpaceView {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #definitions = new Map<number, { readonly version: number; readonly definition: SharedDefinition }>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  space(stream: number): SpaceState | undefined {
    const row = this.#get("SELECT version, created_at, rows, forget FROM space WHERE stream = ?", stream)
    if (row === undefined) return undefined
    const version = row["version"] as number
    const definition = this.#definition(stream, version)
    const [createdAtMs, rows, forget] = [row["created_at"], row["rows"], row["forget"]] as [number, number, number]
    return { stream, version, definition, createdAtMs, rows, forget }
  }

  row(stream: number, collection: string, key: string): SpaceRowState | undefined {
    const sql = `SELECT ${SPACE_ROW_COLUMNS} FROM space_row r WHERE stream = ? AND collection = ? AND key = ?`
    const row = this.#get(sql, stream, collection, key)
    return row && spaceRowOf(row)
  }

  hasRows(stream: number, collection: string): boolean {
    return (
      this.#get("SELECT 1 FROM space_row WHERE stream = ? AND collection = ? LIMIT 1", stream, collection) !== undefined
    )
  }

  claimable(stream: number, collection: string, queue: string, nowMs: number, limit: number): readonly SpaceRowState[] {
    const expired = this.#all(
      `${CLAIMABLE} AND q.free_at > 0 AND q.free_at <= ? ORDER BY q.free_at, q.made LIMIT ?`,
      stream,
      collection,
      queue,
      nowMs,
      limit,
    )
    if (expired.length >= limit) return expired
    const sql = `${CLAIMABLE} AND q.free_at = 0 ORDER BY q.made LIMIT ?`
    return [...expired, ...this.#all(sql, stream, collection, queue, limit - expired.length)]
  }

  held(stream: number, holder: string, claim: string): readonly SpaceRowState[] {
    const sql = `SELECT ${SPACE_ROW_COLUMNS} FROM space_row r INDEXED BY space_held WHERE stream = ? AND holder = ? AND claim = ? ORDER BY token`
    return this.#all(sql, stream, holder, claim)
  }

  heldCount(stream: number, holder: string, nowMs: number): number {
    const sql =
      "SELECT count(*) AS n FROM space_row INDEXED BY space_held WHERE stream = ? AND holder = ? AND free_at > ?"
    return Number(this.#get(sql, stream, holder, nowMs)?.["n"])
  }

  #definition(stream: number, version: number): SharedDefinition {
    const known = this.#definitions.get(stream)
    if (known?.version === version) return known.definition
    const row = this.#get("SELECT definition FROM space WHERE stream = ?", stream)
    const definition = JSON.parse(row?.["definition"] as string) as SharedDefinition
    if (this.#definitions.size >= DEFINITIONS_MAX) this.#definitions.clear()
    this.#definitions.set(stream, { version, definition })
    return definition
  }

  #get(sql: string, ...values: (string | number)[]): SqlRow | undefined {
    return this.#prepare(sql).get(...values)
  }

  #all(sql: string, ...values: (string | number)[]): SpaceRowState[] {
    return this.#prepare(sql)
      .all(...values)
      .map(spaceRowOf)
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

export function spaceRowOf(row: SqlRow): SpaceRowState {
  return {
    collection: row["collection"] as string,
    key: row["key"] as string,
    value: row["value"] as string,
    version: row["version"] as number,
    made: row["made"] as number,
    done: row["done"] === 1,
    token: row["token"] as number,
    holder: row["holder"] as string | null,
    claim: row["claim"] as string | null,
    freeAtMs: row["free_at"] as number,
    owner: row["owner"] as string | null,
  }
}
