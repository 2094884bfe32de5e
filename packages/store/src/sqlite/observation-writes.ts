import type { DatabaseSync } from "node:sqlite"
import type { ObservationWrite } from "../core/observation-state.ts"
import { Statements } from "./statements.ts"

/** The writes of observations. */
export class ObservationWrites {
  readonly #statements: Statements

  constructor(db: DatabaseSync) {
    this.#statements = new Statements(db)
  }

  do(write: ObservationWrite): void {
    switch (write.kind) {
      case "insert":
      case "update":
        return this.#put(write)
      case "mark": {
        const { cursor, pending, dueAtMs, serial } = write.state
        const sql = "UPDATE observation SET cursor = ?, pending = ?, due_at = ? WHERE serial = ?"
        return this.#statements.run(sql, cursor, Number(pending), dueAtMs, serial)
      }
      case "drop":
        return this.#statements.run("DELETE FROM observation WHERE serial = ?", write.serial)
      case "dropOf":
        return this.#statements.run("DELETE FROM observation WHERE url = ?", write.url)
    }
  }

  #put({ kind, state, config }: Extract<ObservationWrite, { readonly kind: "insert" | "update" }>): void {
    const { serial, version, url, name, path, debounceMs, cursor, pending, dueAtMs, timeoutAtMs } = state
    const filter = JSON.stringify(state.filter)
    const values = [version, path, filter, debounceMs, cursor, Number(pending), dueAtMs, timeoutAtMs, config]
    if (kind === "update") {
      const sql = `UPDATE observation SET version = ?, path = ?, filter = ?, debounce = ?, cursor = ?, pending = ?, due_at = ?,
        timeout_at = ?, config = ? WHERE serial = ?`
      return this.#statements.run(sql, ...values, serial)
    }
    const sql = `INSERT INTO observation (version, path, filter, debounce, cursor, pending, due_at, timeout_at, config, serial, url, name)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
    this.#statements.run(sql, ...values, serial, url, name)
  }
}

/** What `ObservationPlan.gone` does, for a stream that no commit deleted but a sweep. */
export function forgetObserved(db: DatabaseSync): (path: string) => void {
  const sql = "UPDATE observation SET cursor = 0, pending = 0, due_at = timeout_at WHERE path = ?"
  const statement = db.prepare(sql)
  return (path) => {
    statement.run(path)
  }
}
