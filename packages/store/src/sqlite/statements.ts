import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"

/** Statements that many stores never run: each is prepared when first run, and kept. Their texts are constants, so they are few. */
export class Statements {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    let statement = this.#prepared.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#prepared.set(sql, statement)
    }
    statement.run(...values)
  }
}
