import type { HeldTransaction } from "../postgres/held-transaction.ts"
import type { SqlRow } from "../postgres/states.ts"
import type { StoreFacts, StoreReader } from "./end.ts"
import { Batch } from "./record.ts"
import type { Field, MoveRecord } from "./record.ts"
import type { MoveTable } from "./tables.ts"

/** Reads the records of a store in Postgres that nobody changes. */
export class PostgresReader implements StoreReader {
  readonly #held: HeldTransaction

  constructor(held: HeldTransaction) {
    this.#held = held
  }

  /** Takes a block of identities: whoever may use the store may do that, and nothing else tells how many were given. */
  async facts(): Promise<StoreFacts> {
    const [row] = await this.#held.query(
      "SELECT nextval('~ids') AS next, (SELECT value FROM ~meta WHERE key = 'nonce') AS nonce",
    )
    return { nonce: row?.["nonce"] as string, idLast: Number(row?.["next"]) - 1 }
  }

  async *read(
    table: MoveTable,
    { sorted }: { readonly sorted: boolean } = { sorted: false },
  ): AsyncGenerator<readonly MoveRecord[], void, undefined> {
    const eraOf = table.name === "chunk" ? await this.#eras() : undefined
    const batch = new Batch()
    for await (const rows of this.#held.rows(selectOf(table, sorted))) {
      for (const row of rows) {
        const full = batch.add(recordOf(table, row, eraOf))
        if (full !== undefined) yield full
      }
    }
    const rest = batch.take()
    if (rest.length > 0) yield rest
  }

  async parents(urls: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
    const sql =
      "SELECT e.url, e.parent FROM json_array_elements_text($1::text::json) AS q(url) JOIN ~entity e ON e.url = q.url"
    const rows = await this.#held.query(sql, [JSON.stringify(urls)])
    return new Map(rows.map((row) => [row["url"] as string, row["parent"] as string | null]))
  }

  /** How many of the marks that are kept were made before a batch was written, by the mark that it carries. */
  async #eras(): Promise<(mark: number) => number> {
    const rows = await this.#held.query("SELECT n FROM ~era WHERE tree = 0 AND n > 0 ORDER BY n")
    const marks = rows.map((row) => Number(row["n"]))
    return (mark) => {
      let [low, high] = [0, marks.length]
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((marks[middle] ?? 0) <= mark) low = middle + 1
        else high = middle
      }
      return low
    }
  }
}

/** The mark before all time is nobody's, and marks are counted anew. */
function selectOf({ name, columns, owner, key }: MoveTable, sorted: boolean): string {
  const fields = Object.keys(columns).map((column) => {
    if (name === "era" && column === "n") return `row_number() OVER (ORDER BY t.n) AS "n"`
    return `${owner?.read.includes(column) === true ? "o" : "t"}."${column}"`
  })
  const id = owner?.table === "subscription" ? "serial" : "id"
  const join = owner === undefined ? "" : ` JOIN ~"${owner.table}" o ON o.tree = t.tree AND o.${id} = t."${owner.by}"`
  const where = name === "era" ? " WHERE t.n > 0" : ""
  const order = sorted ? ` ORDER BY ${key.map((column) => `"${column}"`).join(", ")}` : ""
  return `SELECT ${fields.join(", ")} FROM ~"${name}" t${join}${where}${order}`
}

function recordOf({ columns }: MoveTable, row: SqlRow, eraOf: ((mark: number) => number) | undefined): MoveRecord {
  return Object.entries(columns).map(([column, type]): Field => {
    const value = row[column] as Field
    if (type !== "int" || value === null) return value
    return column === "era" && eraOf !== undefined ? eraOf(Number(value)) : Number(value)
  })
}
