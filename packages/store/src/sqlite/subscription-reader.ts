import type { StatementSync } from "node:sqlite"
import { START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import type { StreamState } from "../core/stream-state.ts"
import type { DueCursor, Secret, SubscribedStream, SubscriptionRecord } from "../subscription.ts"
import { subscriptionColumns } from "./subscription-source.ts"

const COLUMNS = "serial, id, version, pattern, wake_stream, idle, due_at, pending, links, config, state"

/** Before all that can be due. */
const FIRST: DueCursor = { dueAtMs: Number.MIN_SAFE_INTEGER, serial: 0 }

/** Reads of subscriptions, on the reader's connection. */
export class SubscriptionReader {
  readonly #prepare: (sql: string) => StatementSync
  readonly #streamOf: (path: string) => StreamState | undefined
  readonly #offsetAt: (stream: StreamState, position: number) => Offset

  constructor(
    prepare: (sql: string) => StatementSync,
    streamOf: (path: string) => StreamState | undefined,
    offsetAt: (stream: StreamState, position: number) => Offset,
  ) {
    this.#prepare = prepare
    this.#streamOf = streamOf
    this.#offsetAt = offsetAt
  }

  one(id: string): SubscriptionRecord | undefined {
    const row = this.#prepare(`SELECT ${COLUMNS} FROM subscription WHERE id = ?`).get(id)
    return row && recordOf(row)
  }

  streams(id: string, limit: number): SubscribedStream[] {
    const sql = `SELECT path, acked, pending, explicit FROM subscribed
      WHERE subscription = (SELECT serial FROM subscription WHERE id = ?) ORDER BY pending DESC, path LIMIT ?`
    return this.#prepare(sql)
      .all(id, limit)
      .map((row) => this.#subscribed(row))
  }

  due(nowMs: number, limit: number, after: DueCursor = FIRST): SubscriptionRecord[] {
    const sql = `SELECT ${COLUMNS} FROM subscription
      WHERE due_at IS NOT NULL AND due_at <= ? AND (due_at, serial) > (?, ?) ORDER BY due_at, serial LIMIT ?`
    return this.#prepare(sql).all(nowMs, after.dueAtMs, after.serial, limit).map(recordOf)
  }

  distant(afterMs: number, limit: number): SubscriptionRecord[] {
    const sql = `SELECT ${COLUMNS} FROM subscription WHERE due_at IS NOT NULL AND due_at > ? ORDER BY due_at DESC LIMIT ?`
    return this.#prepare(sql).all(afterMs, limit).map(recordOf)
  }

  nextDueAtMs(): number | undefined {
    const row = this.#prepare("SELECT min(due_at) AS at FROM subscription WHERE due_at IS NOT NULL").get()
    return (row?.["at"] as number | null) ?? undefined
  }

  secrets(prefix: string): Secret[] {
    const sql = "SELECT name, value, created_at FROM secret WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name"
    return this.#prepare(sql).all(prefix).map(secretOf)
  }

  #subscribed(row: Record<string, unknown>): SubscribedStream {
    const path = row["path"] as string
    const stream = this.#streamOf(path)
    return {
      path,
      explicit: row["explicit"] === 1,
      acked: this.#offsetOf(stream, row["acked"] as number),
      next: this.#offsetOf(stream, stream?.tail ?? 0),
      pending: stream !== undefined && row["pending"] === 1,
    }
  }

  #offsetOf(stream: StreamState | undefined, position: number): Offset {
    return stream === undefined || position === 0 ? START : this.#offsetAt(stream, position)
  }
}

function recordOf(row: Record<string, unknown>): SubscriptionRecord {
  return { ...subscriptionColumns(row), config: row["config"] as string, state: row["state"] as string }
}

function secretOf(row: Record<string, unknown>): Secret {
  return { name: row["name"] as string, value: row["value"] as string, createdAtMs: row["created_at"] as number }
}
