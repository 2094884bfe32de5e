import type { DatabaseSync } from "node:sqlite"
import type { SubscriptionState, SubscriptionWrite } from "../core/subscription-state.ts"
import { Statements } from "./statements.ts"

/** The writes of subscriptions, their streams and their secrets. */
export class SubscriptionWrites {
  readonly #statements: Statements

  constructor(db: DatabaseSync) {
    this.#statements = new Statements(db)
  }

  do(write: SubscriptionWrite): void {
    switch (write.kind) {
      case "insert":
        return this.#insert(write.state, write.config, write.control)
      case "update":
        return this.#update(write.state, write.config, write.control)
      case "count":
        return this.#count(write.state)
      case "drop":
        this.#statements.run("DELETE FROM subscription WHERE serial = ?", write.serial)
        this.#statements.run("DELETE FROM subscribed WHERE subscription = ?", write.serial)
        return
      case "putLink": {
        const { serial, path, acked, pending, explicit } = write.link
        const sql =
          "INSERT OR REPLACE INTO subscribed (subscription, path, acked, pending, explicit) VALUES (?, ?, ?, ?, ?)"
        return this.#statements.run(sql, serial, path, acked, Number(pending), Number(explicit))
      }
      case "dropLink":
        return this.#statements.run(
          "DELETE FROM subscribed WHERE subscription = ? AND path = ?",
          write.serial,
          write.path,
        )
      case "putSecret": {
        const sql = "INSERT OR REPLACE INTO secret (name, value, created_at) VALUES (?, ?, ?)"
        return this.#statements.run(sql, write.name, write.value, write.createdAtMs)
      }
      case "dropSecret":
        return this.#statements.run("DELETE FROM secret WHERE name = ?", write.name)
    }
  }

  #insert(state: SubscriptionState, config: string, control: string): void {
    const { serial, id, version, pattern, wakeStream, idle, dueAtMs, pending, links, named } = state
    const sql = `INSERT INTO subscription (serial, id, version, pattern, wake_stream, idle, due_at, pending, links, named, config, state)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
    const flag = Number(idle)
    this.#statements.run(
      sql,
      serial,
      id,
      version,
      pattern,
      wakeStream,
      flag,
      dueAtMs,
      pending,
      links,
      named,
      config,
      control,
    )
  }

  #update(state: SubscriptionState, config: string, control: string): void {
    const sql = "UPDATE subscription SET version = ?, idle = ?, due_at = ?, config = ?, state = ? WHERE serial = ?"
    this.#statements.run(sql, state.version, Number(state.idle), state.dueAtMs, config, control, state.serial)
  }

  #count(state: SubscriptionState): void {
    const sql = "UPDATE subscription SET pending = ?, links = ?, named = ?, due_at = ? WHERE serial = ?"
    this.#statements.run(sql, state.pending, state.links, state.named, state.dueAtMs, state.serial)
  }
}

/** What `SubscriptionPlan.gone` does, for a stream that no commit deleted but a sweep. */
export function forgetSubscribed(db: DatabaseSync): (path: string) => void {
  const statements = [
    `UPDATE subscription SET
      pending = pending - (SELECT pending FROM subscribed l WHERE l.subscription = serial AND path = ?1),
      links = links - (SELECT 1 - explicit FROM subscribed l WHERE l.subscription = serial AND path = ?1)
      WHERE serial IN (SELECT subscription FROM subscribed WHERE path = ?1)`,
    "DELETE FROM subscribed WHERE path = ?1 AND explicit = 0",
    "UPDATE subscribed SET acked = 0, pending = 0 WHERE path = ?1",
  ].map((sql) => db.prepare(sql))
  return (path) => {
    for (const statement of statements) statement.run(path)
  }
}
