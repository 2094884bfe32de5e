import { entityStreamPath } from "@rouse/protocol"
import type { EntityStatus, Json, JsonObject, Row } from "@rouse/protocol"
import { activeSecondOf, encodeCursor, parseCursor } from "../core/cursor.ts"
import type { DueFilter, EntityFilter, EntityRecord, EntityRecordPage } from "../entity.ts"
import type { StoredReceipt } from "../receipt.ts"
import type { Timer, TimerPlace } from "../timer.ts"
import { homeOfEntity, homeOfReceipt, numberOf } from "../core/home.ts"
import type { Connection, SqlValue } from "./connection.ts"
import type { EntityFact, StreamFact } from "./facts.ts"
import { entityOf, numberOrNull, streamOf } from "./states.ts"
import { TAIL } from "./stream-reader.ts"
import type { SqlRow } from "./states.ts"

const COLUMNS = "url, type, name, status, version, epoch, parent, created_at, active_at, due_at, tags, args, control"
/** One row, whatever is there. */
const ONE = `SELECT e.*, p.tree AS placed, (SELECT row_to_json(l) FROM (SELECT s.*, ${TAIL} FROM ~stream s WHERE s.path = $2) l) AS log
  FROM (SELECT) nothing LEFT JOIN ~place p ON p.url = $1 LEFT JOIN ~entity e ON e.url = $1`
const ROWS = `SELECT r.collection, r.key, r.value FROM ~entity e JOIN ~"row" r ON r.tree = e.tree AND r.entity = e.id WHERE e.url = $1`

type Learn = (url: string, entity: EntityFact, log: StreamFact) => void

/** Reads of entities, their rows, their timers, and of receipts. */
export class EntityReader {
  readonly #connection: Connection
  readonly #nonce: string
  readonly #learn: Learn

  /** @param learn Told what was found, there or not. */
  constructor(connection: Connection, nonce: string, learn: Learn) {
    this.#connection = connection
    this.#nonce = nonce
    this.#learn = learn
  }

  /** Who reads an entity mostly changes it next: what its log is is found beside it. */
  async one(url: string): Promise<EntityRecord | undefined> {
    const [row = {}] = await this.#connection.read(ONE, [url, entityStreamPath(url)])
    const { log, placed } = row as { readonly log?: SqlRow | null; readonly placed?: unknown }
    const isThere = typeof row["url"] === "string"
    const home = numberOrNull(placed) ?? numberOf(homeOfEntity(url))
    this.#learn(
      url,
      isThere ? { state: entityOf(row), tree: Number(row["tree"]) } : { state: undefined, tree: home },
      log
        ? { state: streamOf(log, this.#nonce), tree: Number(log["tree"]), rev: Number(log["rev"]) }
        : { state: undefined, tree: home, rev: 0 },
    )
    return isThere ? recordOf(row) : undefined
  }

  /** A page of entities by newest second of activity, then address. */
  async page(filter: EntityFilter): Promise<EntityRecordPage> {
    const { where, values } = conditionsOf(filter)
    const sql = `SELECT ${COLUMNS} FROM ~entity e${where} ORDER BY active_second DESC, url LIMIT $${values.length + 1}`
    const found = (await this.#connection.read(sql, [...values, filter.limit + 1])).map(recordOf)
    const entities = found.slice(0, filter.limit)
    const last = entities.at(-1)
    if (found.length <= filter.limit || last === undefined) return { entities }
    return { entities, next: encodeCursor({ activeSecond: activeSecondOf(last.activeAtMs), url: last.url }) }
  }

  async rows(url: string, collection: string | undefined): Promise<Row[]> {
    const order = " ORDER BY r.collection, r.key"
    const rows = await (collection === undefined
      ? this.#connection.read(ROWS + order, [url])
      : this.#connection.read(`${ROWS} AND r.collection = $2${order}`, [url, collection]))
    return rows.map(rowOf)
  }

  async rowCounts(url: string): Promise<Record<string, number>> {
    const sql = `SELECT r.collection, count(*) AS n FROM ~entity e JOIN ~"row" r ON r.tree = e.tree AND r.entity = e.id WHERE e.url = $1
      GROUP BY r.collection ORDER BY r.collection`
    const rows = await this.#connection.read(sql, [url])
    return Object.fromEntries(rows.map((row) => [row["collection"] as string, Number(row["n"])]))
  }

  async row(url: string, collection: string, key: string): Promise<Row | undefined> {
    const [row] = await this.#connection.read(`${ROWS} AND r.collection = $2 AND r.key = $3`, [url, collection, key])
    return row && rowOf(row)
  }

  async due(nowMs: number, limit: number, { status, type }: DueFilter = {}): Promise<EntityRecord[]> {
    const values: SqlValue[] = [nowMs, limit]
    const of = [["status", status] as const, ["type", type] as const].flatMap(([column, value]) => {
      if (value === undefined) return []
      values.push(value)
      return ` AND ${column} = $${values.length}`
    })
    const sql = `SELECT ${COLUMNS} FROM ~entity WHERE due_at IS NOT NULL AND due_at <= $1${of.join("")} ORDER BY due_at, id LIMIT $2`
    return (await this.#connection.read(sql, values)).map(recordOf)
  }

  async dueTimers(nowMs: number, limit: number, after?: TimerPlace): Promise<Timer[]> {
    const behind = after === undefined ? "" : " AND (due_at, id) > ($3, $4)"
    const sql = `SELECT id, due_at, url, payload FROM ~timer WHERE due_at <= $1${behind} ORDER BY due_at, id LIMIT $2`
    const place = after === undefined ? [] : [after.dueAtMs, after.id]
    return (await this.#connection.read(sql, [nowMs, limit, ...place])).map(timerOf)
  }

  async nextDueAtMs(): Promise<number | undefined> {
    const sql = `SELECT least((SELECT min(due_at) FROM ~entity WHERE due_at IS NOT NULL), (SELECT min(due_at) FROM ~timer)) AS at`
    const [row] = await this.#connection.read(sql, [])
    return numberOrNull(row?.["at"]) ?? undefined
  }

  async receipt(key: string): Promise<StoredReceipt | undefined> {
    const sql = "SELECT fingerprint, response, expires_at FROM ~receipt WHERE tree = $1 AND key = $2"
    const [row] = await this.#connection.read(sql, [numberOf(homeOfReceipt(key)), key])
    if (row === undefined) return undefined
    return {
      key,
      fingerprint: row["fingerprint"] as string,
      response: JSON.parse(row["response"] as string) as Json,
      expiresAtMs: Number(row["expires_at"]),
    }
  }
}

function conditionsOf(filter: EntityFilter): { readonly where: string; readonly values: SqlValue[] } {
  const values: SqlValue[] = []
  const bind = (value: SqlValue): string => `$${values.push(value)}`
  const parts: string[] = []
  /** An address begins with its type, and the index of activity holds addresses: other types are passed over within it. */
  if (filter.type !== undefined) parts.push(`url >= ${bind(`/${filter.type}/`)} AND url < ${bind(`/${filter.type}0`)}`)
  if (filter.status !== undefined)
    parts.push(`status = ${bind(filter.status)}${filter.status === "idle" ? "" : " AND status <> 'idle'"}`)
  /** Sorted by bytes, text has capital letters of ASCII alone. */
  for (const word of filter.words ?? []) parts.push(`position(${bind(asciiLower(word))} IN lower(url)) > 0`)
  if (filter.parent !== undefined) parts.push(`parent = ${bind(filter.parent)}`)
  if (filter.hasDead === true) parts.push("dead")
  if (filter.tag !== undefined) {
    const { name, value } = filter.tag
    const of = value === undefined ? "" : ` AND t.value = ${bind(value)}`
    parts.push(`EXISTS (SELECT FROM ~tag t WHERE t.tree = e.tree AND t.entity = e.id AND t.name = ${bind(name)}${of})`)
  }
  if (filter.after !== undefined) {
    const { activeSecond, url } = parseCursor(filter.after)
    const second = bind(activeSecond)
    parts.push(`active_second <= ${second} AND (active_second < ${second} OR url > ${bind(url)})`)
  }
  return { where: parts.length === 0 ? "" : ` WHERE ${parts.join(" AND ")}`, values }
}

function asciiLower(word: string): string {
  return word.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}

export function recordOf(row: SqlRow): EntityRecord {
  return {
    url: row["url"] as string,
    type: row["type"] as string,
    id: row["name"] as string,
    status: row["status"] as EntityStatus,
    version: Number(row["version"]),
    epoch: Number(row["epoch"]),
    parent: row["parent"] as string | null,
    createdAtMs: Number(row["created_at"]),
    activeAtMs: Number(row["active_at"]),
    dueAtMs: numberOrNull(row["due_at"]),
    tags: JSON.parse(row["tags"] as string) as Record<string, string>,
    args: JSON.parse(row["args"] as string) as JsonObject,
    control: JSON.parse(row["control"] as string) as JsonObject,
  }
}

function rowOf(row: SqlRow): Row {
  return {
    collection: row["collection"] as string,
    key: row["key"] as string,
    value: JSON.parse(row["value"] as string) as Json,
  }
}

function timerOf(row: SqlRow): Timer {
  return {
    id: row["id"] as string,
    dueAtMs: Number(row["due_at"]),
    url: row["url"] as string,
    payload: JSON.parse(row["payload"] as string) as Json,
  }
}
