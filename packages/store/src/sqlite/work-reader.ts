import type { SQLInputValue, StatementSync } from "node:sqlite"
import { RouseError } from "@rouse/protocol"
import type { Json } from "@rouse/protocol"
import type { WorkFilter, WorkPage, WorkRecord } from "../work.ts"

const COLUMNS = "id, queue, name, url, open, position, version, payload"

/** Reads of what waits outside any process. */
export class WorkReader {
  readonly #prepare: (sql: string) => StatementSync

  constructor(prepare: (sql: string) => StatementSync) {
    this.#prepare = prepare
  }

  one(id: string): WorkRecord | undefined {
    const row = this.#prepare(`SELECT ${COLUMNS} FROM work WHERE id = ?`).get(id)
    return row === undefined ? undefined : workOf(row)
  }

  open(queue: string, name: string, limit: number): WorkRecord[] {
    const sql = `SELECT ${COLUMNS} FROM work WHERE queue = ? AND name = ? AND open = 1 ORDER BY position, id LIMIT ?`
    return this.#prepare(sql).all(queue, name, limit).map(workOf)
  }

  closed(queue: string, name: string): number {
    const sql = "SELECT count(*) AS n FROM work WHERE queue = ? AND name = ? AND open = 0"
    return this.#prepare(sql).get(queue, name)?.["n"] as number
  }

  page({ queue, name, urlPrefix, after, limit }: WorkFilter): WorkPage {
    const [position, id] = after === undefined ? [Number.MIN_SAFE_INTEGER, ""] : cursorOf(after)
    const values: SQLInputValue[] = [queue, position, id]
    let where = "queue = ? AND (position, id) > (?, ?)"
    if (name !== undefined) {
      where += " AND name = ?"
      values.push(name)
    }
    if (urlPrefix !== undefined) {
      where += " AND substr(url, 1, ?) = ?"
      values.push(urlPrefix.length, urlPrefix)
    }
    const sql = `SELECT ${COLUMNS} FROM work WHERE ${where} ORDER BY position, id LIMIT ?`
    const found = this.#prepare(sql)
      .all(...values, limit + 1)
      .map(workOf)
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

function workOf(row: Record<string, unknown>): WorkRecord {
  return {
    id: row["id"] as string,
    queue: row["queue"] as string,
    name: row["name"] as string,
    url: row["url"] as string,
    open: row["open"] === 1,
    position: row["position"] as number,
    version: row["version"] as number,
    payload: JSON.parse(row["payload"] as string) as Json,
  }
}
