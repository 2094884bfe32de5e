import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { ObservationWrite } from "../core/observation-state.ts"

/** The writes of observations. Prepared when first needed: many stores never do. */
export class ObservationWrites {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  do(write: ObservationWrite): void {
    switch (write.kind) {
      case "insert":
      case "update":
        return this.#put(write)
      case "mark": {
        const { cursor, pending, dueAtMs, serial } = write.state
        const sql = "UPDATE observation SET cursor = ?, pending = ?, due_at = ? WHERE serial = ?"
        return this.#run(sql, cursor, Number(pending), dueAtMs, serial)
      }
      case "drop":
        return this.#run("DELETE FROM observation WHERE serial = ?", write.serial)
      case "dropOf":
        return this.#run("DELETE FROM observation WHERE url = ?", write.url)
    }
  }

  #put({ kind, state, config }: Extract<ObservationWrite, { readonly kind: "insert" | "update" }>): void {
    const { serial, version, url, name, path, debounceMs, cursor, pending, dueAtMs, timeoutAtMs } = state
    const filter = JSON.stringify(state.filter)
    const values = [version, path, filter, debounceMs, cursor, Number(pending), dueAtMs, timeoutAtMs, config]
    if (kind === "update") {
      const sql = `UPDATE observation SET version = ?, path = ?, filter = ?, debounce = ?, cursor = ?, pending = ?, due_at = ?,
        timeout_at = ?, config = ? WHERE serial = ?`
      return this.#run(sql, ...values, serial)
    }
    const sql = `INSERT INTO observation (version, path, filter, debounce, cursor, pending, due_at, timeout_at, config, serial, url, name)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
    this.#run(sql, ...values, serial, url, name)
  }

  #run(sql: string, ...values: (string | number | null)[]): void {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    statement.run(...values)
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
