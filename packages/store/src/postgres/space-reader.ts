import { RouseError } from "@rouse/protocol"
import type { Json, JsonObject, SharedDefinition } from "@rouse/protocol"
import { encodeOffset } from "../core/offset.ts"
import { ownedOf } from "../core/space-rules.ts"
import type { OwnedRow } from "../core/space-rules.ts"
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
import { numberOrNull, spaceRowOf } from "./states.ts"
import type { SqlRow } from "./states.ts"
import { infoOf } from "./stream-reader.ts"
import type { StreamReader } from "./stream-reader.ts"

/** A space whose stream is gone, but not yet swept, is none. */
const SPACES = `SELECT x.path, x.version, x.definition, x.created_at, x.rows, x.tree, x.stream
  FROM ~space x JOIN ~stream s ON s.tree = x.tree AND s.id = x.stream AND NOT s.deleted`
const ROW_COLUMNS =
  "r.collection, r.key, r.value, r.version, r.made, r.done, r.token, r.holder, r.claim, r.free_at, r.owner"
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
    const [row] = await this.#connection.read(sql, [...(await this.#placeOf(path)), collection, key])
    return row && spaceRowOf(row)
  }

  async rows(path: string, { collection, where = {}, after = "", limit }: SpaceRowQuery): Promise<SpaceRowPage> {
    const place = await this.#placeOf(path)
    const values: SqlValue[] = [...place, collection, limit + 1]
    const bind = (value: SqlValue): string => `$${values.push(value)}`
    const filters = Object.entries(where).map(([field, value]) => {
      const found = `coalesce(r.value::jsonb -> ${bind(field)}::text, 'null')`
      return ` AND CASE WHEN ${UNREADABLE} THEN true ELSE ${found} = ${bind(JSON.stringify(value))}::text::jsonb END`
    })
    const from = values.push(after)
    const sql = `SELECT ${ROW_COLUMNS} FROM ~space_row r WHERE tree = $1 AND stream = $2 AND collection = $3 AND key > $${from}${filters.join("")}
      ORDER BY key LIMIT $4`
    const rows: SpaceRow[] = []
    for (;;) {
      const found = (await this.#connection.read(sql, values)).map(spaceRowOf)
      rows.push(...found.filter((row) => matches(row, where)))
      const last = found.at(-1)
      if (last === undefined || found.length <= limit || rows.length > limit) return pageOf(rows, limit)
      values[from - 1] = last.key
    }
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
    const sql = `SELECT x.path, r.collection, r.key, r.token FROM ~space_row r JOIN ~space x ON x.tree = r.tree AND x.stream = r.stream
      WHERE r.free_at > 0 AND r.free_at <= $1 ORDER BY r.free_at, r.token LIMIT $2`
    const rows = await this.#connection.read(sql, [nowMs, limit])
    return rows.map((row) => ({
      path: row["path"] as string,
      collection: row["collection"] as string,
      key: row["key"] as string,
      token: Number(row["token"]),
    }))
  }

  async nextExpiryAtMs(): Promise<number | undefined> {
    const sql = `SELECT r.free_at AS at FROM ~space_row r JOIN ~space x ON x.tree = r.tree AND x.stream = r.stream
      WHERE r.free_at > 0 ORDER BY r.free_at LIMIT 1`
    return numberOrNull((await this.#connection.read(sql, []))[0]?.["at"]) ?? undefined
  }

  /** @throws {RouseError} `NOT_FOUND`. */
  async #placeOf(path: string): Promise<readonly [string, string]> {
    const [row] = await this.#connection.read(`${SPACES} WHERE x.path = $1`, [path])
    if (row === undefined) throw new RouseError("NOT_FOUND", `there is no space ${path}`, { details: { path } })
    return [String(row["tree"]), String(row["stream"])]
  }
}

function pageOf(found: readonly SpaceRow[], limit: number): SpaceRowPage {
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  return found.length > limit && last ? { rows, next: last.key } : { rows }
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
