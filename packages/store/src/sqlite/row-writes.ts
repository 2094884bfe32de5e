import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { EncodedRow } from "../core/encoded.ts"

/** What fits beside a row's key into the quarter of a page that SQLite leaves it, in UTF-16 code units. */
const SHORT_VALUE_MAX = 900

/** A row's value, wherever it is kept. For statements over `"row"`. */
export const ROW_VALUE = `CASE typeof("row".value) WHEN 'integer' THEN (SELECT value FROM long_value WHERE id = "row".value) ELSE "row".value END`

/** The writes of rows. The tables' triggers drop a long value with the row that had it. */
export class RowWrites {
  readonly #put: StatementSync
  /** A long value, and then the row with its number. */
  readonly #putLong: readonly [StatementSync, StatementSync]
  readonly #drop: StatementSync

  constructor(db: DatabaseSync) {
    this.#put = db.prepare(putSql("?"))
    this.#putLong = [db.prepare("INSERT INTO long_value (value) VALUES (?)"), db.prepare(putSql("last_insert_rowid()"))]
    this.#drop = db.prepare(`DELETE FROM "row" WHERE entity = ? AND collection = ? AND key = ?`)
  }

  put(entity: number, { collection, key, value }: EncodedRow): void {
    if (value.length <= SHORT_VALUE_MAX) {
      this.#put.run(entity, collection, key, value)
      return
    }
    const [insert, refer] = this.#putLong
    insert.run(value)
    refer.run(entity, collection, key)
  }

  drop(entity: number, collection: string, key: string): void {
    this.#drop.run(entity, collection, key)
  }
}

function putSql(value: string): string {
  return `INSERT INTO "row" (entity, collection, key, value) VALUES (?, ?, ?, ${value})
    ON CONFLICT (entity, collection, key) DO UPDATE SET value = excluded.value`
}
