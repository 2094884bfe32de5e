import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { EncodedRow } from "../core/encoded.ts"
import { sectionOf, turnOf } from "./row-place.ts"

/** What fits beside a row's key into the quarter of a page that SQLite leaves it, in UTF-16 code units. */
const SHORT_VALUE_MAX = 900

/** The writes of rows. The tables' triggers drop a long value with the row that had it. */
export class RowWrites {
  readonly #put: StatementSync
  /** A long value, and then the row with its number. */
  readonly #putLong: readonly [StatementSync, StatementSync]
  readonly #drop: StatementSync

  constructor(db: DatabaseSync) {
    this.#put = db.prepare(putSql("?"))
    this.#putLong = [db.prepare("INSERT INTO long_value (value) VALUES (?)"), db.prepare(putSql("last_insert_rowid()"))]
    this.#drop = db.prepare(
      `DELETE FROM "row" WHERE entity = ? AND section = ? AND turn = ? AND key = ? AND collection = ?`,
    )
  }

  put(entity: number, { collection, key, value }: EncodedRow): void {
    if (value.length <= SHORT_VALUE_MAX) {
      this.#put.run(entity, sectionOf(collection), turnOf(collection, key), key, collection, value)
      return
    }
    const [insert, refer] = this.#putLong
    insert.run(value)
    refer.run(entity, sectionOf(collection), turnOf(collection, key), key, collection)
  }

  drop(entity: number, collection: string, key: string): void {
    this.#drop.run(entity, sectionOf(collection), turnOf(collection, key), key, collection)
  }
}

function putSql(value: string): string {
  return `INSERT INTO "row" (entity, section, turn, key, collection, value) VALUES (?, ?, ?, ?, ?, ${value})
    ON CONFLICT (entity, section, turn, key, collection) DO UPDATE SET value = excluded.value`
}
