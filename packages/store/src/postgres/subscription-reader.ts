import { START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import { offsetAt } from "../core/lineage.ts"
import { homeOfSubscription, numberOf } from "../core/home.ts"
import type { DueCursor, Secret, SubscribedStream, SubscriptionRecord } from "../subscription.ts"
import type { Connection } from "./connection.ts"
import { numberOrNull, subscriptionOf } from "./states.ts"
import type { SqlRow } from "./states.ts"
import type { FoundStream, StreamReader } from "./stream-reader.ts"

const COLUMNS = "serial, id, version, pattern, wake_stream, idle, due_at, pending, links, named, config, state"
/** Before all that can be due. */
const FIRST: DueCursor = { dueAtMs: Number.MIN_SAFE_INTEGER, serial: 0 }

/** Reads of subscriptions and secrets. */
export class SubscriptionReader {
  readonly #connection: Connection
  readonly #streams: StreamReader

  constructor(connection: Connection, streams: StreamReader) {
    this.#connection = connection
    this.#streams = streams
  }

  async one(id: string): Promise<SubscriptionRecord | undefined> {
    const sql = `SELECT ${COLUMNS} FROM ~subscription WHERE tree = $1 AND id = $2`
    const [row] = await this.#connection.read(sql, [numberOf(homeOfSubscription(id)), id])
    return row && recordOf(row)
  }

  async streams(id: string, limit: number): Promise<SubscribedStream[]> {
    const sql = `SELECT l.path, l.acked, l.pending, l.explicit FROM ~subscription s JOIN ~subscribed l ON l.tree = s.tree AND l.subscription = s.serial
      WHERE s.tree = $1 AND s.id = $2 ORDER BY l.pending DESC, l.path LIMIT $3`
    const rows = await this.#connection.read(sql, [numberOf(homeOfSubscription(id)), id, limit])
    return Promise.all(rows.map((row) => this.#subscribed(row)))
  }

  async due(nowMs: number, limit: number, after: DueCursor = FIRST): Promise<SubscriptionRecord[]> {
    const sql = `SELECT ${COLUMNS} FROM ~subscription
      WHERE due_at IS NOT NULL AND due_at <= $1 AND (due_at, serial) > ($2, $3) ORDER BY due_at, serial LIMIT $4`
    return (await this.#connection.read(sql, [nowMs, after.dueAtMs, after.serial, limit])).map(recordOf)
  }

  async distant(afterMs: number, limit: number): Promise<SubscriptionRecord[]> {
    const sql = `SELECT ${COLUMNS} FROM ~subscription WHERE due_at IS NOT NULL AND due_at > $1 ORDER BY due_at DESC LIMIT $2`
    return (await this.#connection.read(sql, [afterMs, limit])).map(recordOf)
  }

  async nextDueAtMs(): Promise<number | undefined> {
    const [row] = await this.#connection.read(
      "SELECT min(due_at) AS at FROM ~subscription WHERE due_at IS NOT NULL",
      [],
    )
    return numberOrNull(row?.["at"]) ?? undefined
  }

  async secrets(prefix: string): Promise<Secret[]> {
    const sql = "SELECT name, value, created_at FROM ~secret WHERE starts_with(name, $1) ORDER BY name"
    const rows = await this.#connection.read(sql, [prefix])
    return rows.map((row) => ({
      name: row["name"] as string,
      value: row["value"] as string,
      createdAtMs: Number(row["created_at"]),
    }))
  }

  async #subscribed(row: SqlRow): Promise<SubscribedStream> {
    const path = row["path"] as string
    const stream = await this.#streams.alive(path)
    return {
      path,
      explicit: row["explicit"] === true,
      acked: await this.#offsetOf(stream, Number(row["acked"])),
      next: await this.#offsetOf(stream, stream?.state.tail ?? 0),
      pending: stream !== undefined && row["pending"] === true,
    }
  }

  async #offsetOf(stream: FoundStream | undefined, position: number): Promise<Offset> {
    if (stream === undefined || position === 0) return START
    return offsetAt(await this.#streams.segments(stream, START), position)
  }
}

function recordOf(row: SqlRow): SubscriptionRecord {
  const { named: _, ...state } = subscriptionOf(row)
  return { ...state, config: row["config"] as string, state: row["state"] as string }
}
