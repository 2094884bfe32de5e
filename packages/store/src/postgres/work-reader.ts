import { RouseError } from "@rouse/protocol"
import type { Json } from "@rouse/protocol"
import type { WorkFilter, WorkPage, WorkRecord } from "../work.ts"
import type { Connection, SqlValue } from "./connection.ts"
import type { SqlRow } from "./states.ts"

const COLUMNS = "id, queue, name, url, open, position, version, payload"

/** Reads of what waits outside any process. */
export class WorkReader {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async one(id: string): Promise<WorkRecord | undefined> {
    const [row] = await this.#connection.read(`SELECT ${COLUMNS} FROM ~work WHERE id = $1`, [id])
    return row && workOf(row)
  }

  async open(queue: string, name: string, limit: number): Promise<WorkRecord[]> {
    const sql = `SELECT ${COLUMNS} FROM ~work WHERE queue = $1 AND name = $2 AND open ORDER BY position, id LIMIT $3`
    return (await this.#connection.read(sql, [queue, name, limit])).map(workOf)
  }

  async closed(queue: string, name: string): Promise<number> {
    const sql = "SELECT count(*) AS n FROM ~work WHERE queue = $1 AND name = $2 AND NOT open"
    return Number((await this.#connection.read(sql, [queue, name]))[0]?.["n"])
  }

  async page({ queue, name, urlPrefix, after, limit }: WorkFilter): Promise<WorkPage> {
    const [position, id] = after === undefined ? [Number.MIN_SAFE_INTEGER, ""] : cursorOf(after)
    const values: SqlValue[] = [queue, position, id, limit + 1]
    let where = "queue = $1 AND (position, id) > ($2, $3)"
    if (name !== undefined) where += ` AND name = $${values.push(name)}`
    if (urlPrefix !== undefined) where += ` AND starts_with(url, $${values.push(urlPrefix)})`
    const sql = `SELECT ${COLUMNS} FROM ~work WHERE ${where} ORDER BY position, id LIMIT $4`
    const found = (await this.#connection.read(sql, values)).map(workOf)
    const items = found.slice(0, limit)
    const last = items.at(-1)
    return { items, ...(found.length > limit && last ? { next: `${last.position}~${last.id}` } : {}) }
  }
}

/** @throws {RouseError} `BAD_REQUEST`. */
function cursorOf(after: string): readonly [number, string] {
  const found = /^(-?[0-9]{1,16})~(.*)$/s.exec(after)
  if (!found) throw new RouseError("BAD_REQUEST", "after: is not the next of a page")
  return [Number(found[1]), found[2] as string]
}

function workOf(row: SqlRow): WorkRecord {
  return {
    id: row["id"] as string,
    queue: row["queue"] as string,
    name: row["name"] as string,
    url: row["url"] as string,
    open: row["open"] === true,
    position: Number(row["position"]),
    version: Number(row["version"]),
    payload: JSON.parse(row["payload"] as string) as Json,
  }
}
