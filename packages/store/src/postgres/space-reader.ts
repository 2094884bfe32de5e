import { RouseError } from "@rouse/protocol"
import type { Json, JsonObject, SharedDefinition } from "@rouse/protocol"
import { encodeOffset } from "../core/offset.ts"
import { ownedOf } from "../core/space-rules.ts"
import type { OwnedRow } from "../core/space-rules.ts"
import { indexFor, queueOf } from "../core/space-queue.ts"
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
import type { Connection, SqlValue } from "./connection.ts"
import { queueName } from "./space-loader.ts"
import { numberOrNull, spaceRowOf } from "./states.ts"
import type { SqlRow } from "./states.ts"
import { infoOf } from "./stream-reader.ts"
import type { StreamReader } from "./stream-reader.ts"

/** A space whose stream is gone, but not yet swept, is none. */
const SPACES = `SELECT x.path, x.version, x.definition, x.created_at, x.rows, x.tree, x.stream
  FROM ~space x JOIN ~stream s ON s.tree = x.tree AND s.id = x.stream AND NOT s.deleted`
const ROW_COLUMNS =
  "r.collection, r.key, r.value, r.version, r.made, r.done, r.token, r.holder, r.claim, r.free_at, r.owner"
/** Rows that a condition without an index is looked for in at a time: a page may have fewer than there are. */
const SCAN_ROWS_MAX = 5_000
/** What the database cannot look into: it is looked into here. */
const UNREADABLE = "position(chr(92) || 'u0000' IN r.value) > 0"

/** Reads of spaces. */
export class SpaceReader {
  readonly #connection: Connection
  readonly #streams: StreamReader

  constructor(connection: Connection, streams: StreamReader) {
    this.#connection = connection
    this.#streams = streams
  }

  async one(path: string): Promise<SpaceRecord | undefined> {
    const [row] = await this.#connection.read(`${SPACES} WHERE x.path = $1`, [path])
    return row && recordOf(row)
  }

  async page({ after = "", limit }: { readonly after?: string; readonly limit: number }): Promise<SpaceRecord[]> {
    const sql = `${SPACES} WHERE x.path > $1 ORDER BY x.path LIMIT $2`
    return (await this.#connection.read(sql, [after, limit])).map(recordOf)
  }

  async row(path: string, collection: string, key: string): Promise<SpaceRow | undefined> {
    const sql = `SELECT ${ROW_COLUMNS} FROM ~space_row r WHERE tree = $1 AND stream = $2 AND collection = $3 AND key = $4`
    const [row] = await this.#connection.read(sql, [...(await this.#placeOf(path)).place, collection, key])
    return row && spaceRowOf(row)
  }

  /** Looks at `SCAN_ROWS_MAX` rows at most: those of an index that fits the condition, or else all. */
  async rows(path: string, { collection, where = {}, after = "", limit }: SpaceRowQuery): Promise<SpaceRowPage> {
    const { place, definition } = await this.#placeOf(path)
    const of = definition.collections[collection]
    const index = of === undefined ? undefined : indexFor(of, where)
    const filters = Object.entries(where).filter(([field]) => !index?.includes(field))
    const scanMax = filters.length === 0 ? limit + 1 : SCAN_ROWS_MAX
    const values: SqlValue[] = [...place, collection, after, scanMax]
    const bind = (value: SqlValue): string => `$${values.push(value)}`
    const queue = index === undefined ? "" : ` AND queue = ${bind(queueName(queueOf(index, where)))}`
    const scanOf = (columns: string): string =>
      `SELECT ${columns} FROM ~space_${index === undefined ? "row" : "index"} r
        WHERE tree = $1 AND stream = $2 AND collection = $3 AND key > $4${queue} ORDER BY key LIMIT $5`
    const scan = [...values]
    const tests = filters.map(([field, value]) => {
      const found = `coalesce(r.value::jsonb -> ${bind(field)}::text, 'null')`
      return ` AND CASE WHEN ${UNREADABLE} THEN true ELSE ${found} = ${bind(JSON.stringify(value))}::text::jsonb END`
    })
    /** Rows are looked up one by one: joined, the planner may compare all with all of a table that it does not know yet. */
    const looked = `(${scanOf("key")}) k CROSS JOIN LATERAL (SELECT ${ROW_COLUMNS} FROM ~space_row r
      WHERE r.tree = $1 AND r.stream = $2 AND r.collection = $3 AND r.key = k.key OFFSET 0) r`
    const scanned = index === undefined ? `(${scanOf(ROW_COLUMNS)}) r` : looked
    const sql = `SELECT r.* FROM ${scanned} WHERE true${tests.join("")} ORDER BY r.key LIMIT ${bind(limit + 1)}`
    const found = (await this.#connection.read(sql, values)).map(spaceRowOf)
    const rows = found.slice(0, limit).filter((row) => matches(row, where))
    const last = found[limit - 1]
    if (found.length > limit && last) return { rows, next: last.key }
    const [seen] = await this.#connection.read(`SELECT max(key) AS key, count(*) AS n FROM (${scanOf("key")}) k`, scan)
    return Number(seen?.["n"]) === scanMax ? { rows, next: seen?.["key"] as string } : { rows }
  }

  /** One statement, so that all is as one commit left it. */
  async live(path: string): Promise<SpaceLive | undefined> {
    const sql = `SELECT x.path, x.version, x.definition, x.created_at, x.rows, (SELECT json_agg(row_to_json(r) ORDER BY r.collection, r.key)
      FROM ~space_row r WHERE r.tree = x.tree AND r.stream = x.stream) AS live FROM ~space x WHERE x.tree = s.tree AND x.stream = s.id`
    const found = await this.#streams.aliveWith(path, sql)
    const row = found?.beside ?? undefined
    if (found === undefined || row === undefined) return undefined
    const rows = ((row["live"] ?? []) as readonly SqlRow[]).map(spaceRowOf)
    return { info: infoOf(found.state), space: recordOf(row), rows }
  }

  async owned(owner: string, limit: number): Promise<OwnedRows | undefined> {
    const sql = `SELECT x.path, r.collection, r.key FROM ~space_row r JOIN ~space x ON x.tree = r.tree AND x.stream = r.stream
      JOIN ~stream s ON s.tree = x.tree AND s.id = x.stream AND NOT s.deleted WHERE r.owner = $1 ORDER BY x.path LIMIT $2`
    return ownedOf((await this.#connection.read(sql, [owner, limit])) as unknown as OwnedRow[])
  }

  async forgetful(limit: number): Promise<ForgetfulSpace[]> {
    const sql = `SELECT x.path, x.forget FROM ~space x
      JOIN ~stream s ON s.tree = x.tree AND s.id = x.stream AND NOT s.deleted WHERE x.forget > 0 LIMIT $1`
    const spaces: ForgetfulSpace[] = []
    for (const row of await this.#connection.read(sql, [limit])) {
      const path = row["path"] as string
      const found = await this.#streams.aliveWith(path, "SELECT 1 AS one")
      if (found) spaces.push({ path, until: encodeOffset(infoOf(found.state).incarnation, Number(row["forget"])) })
    }
    return spaces
  }

  async expired(nowMs: number, limit: number): Promise<ExpiredClaim[]> {
    const sql = `SELECT x.path, r.collection, r.key, r.token, r.free_at FROM ~space_row r JOIN ~space x ON x.tree = r.tree AND x.stream = r.stream
      WHERE r.free_at > 0 AND r.free_at <= $1 ORDER BY r.free_at, r.token LIMIT $2`
    const rows = await this.#connection.read(sql, [nowMs, limit])
    return rows.map((row) => ({
      path: row["path"] as string,
      collection: row["collection"] as string,
      key: row["key"] as string,
      token: Number(row["token"]),
      expiredAtMs: Number(row["free_at"]),
    }))
  }

  async nextExpiryAtMs(): Promise<number | undefined> {
    const sql = `SELECT r.free_at AS at FROM ~space_row r JOIN ~space x ON x.tree = r.tree AND x.stream = r.stream
      WHERE r.free_at > 0 ORDER BY r.free_at LIMIT 1`
    return numberOrNull((await this.#connection.read(sql, []))[0]?.["at"]) ?? undefined
  }

  /** @throws {RouseError} `NOT_FOUND`. */
  async #placeOf(
    path: string,
  ): Promise<{ readonly place: readonly [string, string]; readonly definition: SharedDefinition }> {
    const [row] = await this.#connection.read(`${SPACES} WHERE x.path = $1`, [path])
    if (row === undefined) throw new RouseError("NOT_FOUND", `there is no space ${path}`, { details: { path } })
    return { place: [String(row["tree"]), String(row["stream"])], definition: recordOf(row).definition }
  }
}

function matches({ value }: SpaceRow, where: JsonObject): boolean {
  const fields = Object.entries(where)
  if (fields.length === 0) return true
  const row = JSON.parse(value) as Readonly<Record<string, Json>>
  return fields.every(([field, wanted]) => JSON.stringify(row[field] ?? null) === JSON.stringify(wanted))
}

function recordOf(row: SqlRow): SpaceRecord {
  return {
    path: row["path"] as string,
    definition: JSON.parse(row["definition"] as string) as SharedDefinition,
    version: Number(row["version"]),
    createdAtMs: Number(row["created_at"]),
    rows: Number(row["rows"]),
  }
}
