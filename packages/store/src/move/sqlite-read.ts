import type { DatabaseSync } from "node:sqlite"
import { readNonce } from "../sqlite/migrate.ts"
import type { StoreFacts, StoreReader } from "./end.ts"
import { Batch } from "./record.ts"
import type { Field, MoveRecord } from "./record.ts"
import type { MoveTable } from "./tables.ts"

/** Columns that are not there under their name. A batch has no era: its number lies between those of two marks. */
const EXPRESSIONS: Readonly<Record<string, string>> = {
  "era.n": "row_number() OVER (ORDER BY t.at)",
  "stream.source": "(SELECT s.path FROM stream s WHERE s.id = t.forked_from)",
  "chunk.era": "t.id",
  "row.value":
    "CASE typeof(t.value) WHEN 'integer' THEN (SELECT l.value FROM long_value l WHERE l.id = t.value) ELSE t.value END",
}

/** Reads the records of an embedded store that nobody changes. */
export class SqliteReader implements StoreReader {
  readonly #db: DatabaseSync

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  facts(): Promise<StoreFacts> {
    const sql = `SELECT max(n) AS n FROM (SELECT max(seq) AS n FROM sqlite_sequence UNION ALL SELECT max(id) FROM entity)`
    return Promise.resolve({ nonce: readNonce(this.#db), idLast: Number(this.#db.prepare(sql).get()?.["n"] ?? 0) })
  }

  async *read(
    table: MoveTable,
    { sorted }: { readonly sorted: boolean } = { sorted: false },
  ): AsyncGenerator<readonly MoveRecord[], void, undefined> {
    const eraOf = table.name === "chunk" ? this.#eras() : undefined
    const batch = new Batch()
    for (const row of this.#db.prepare(selectOf(table, sorted)).iterate()) {
      const full = batch.add(recordOf(table, row, eraOf))
      if (full !== undefined) yield full
    }
    const rest = batch.take()
    if (rest.length > 0) yield rest
  }

  parents(urls: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
    const statement = this.#db.prepare("SELECT parent FROM entity WHERE url = ?")
    const found = new Map<string, string | null>()
    for (const url of urls) {
      const row = statement.get(url)
      if (row !== undefined) found.set(url, row["parent"] as string | null)
    }
    return Promise.resolve(found)
  }

  /** How many marks were made before a batch was written, by its number. */
  #eras(): (id: number) => number {
    const marks = this.#db.prepare("SELECT chunk FROM era ORDER BY at").all() as { readonly chunk: number }[]
    return (id) => {
      let [low, high] = [0, marks.length]
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((marks[middle]?.chunk ?? 0) < id) low = middle + 1
        else high = middle
      }
      return low
    }
  }
}

function selectOf(table: MoveTable, sorted: boolean): string {
  const { name, columns, owner, key } = table
  const fields = Object.keys(columns).map((column) => {
    const own = owner?.read.includes(column) === true ? `o."${column}"` : `t."${column}"`
    return `${EXPRESSIONS[`${name}.${column}`] ?? own} AS "${column}"`
  })
  const id = owner?.table === "subscription" ? "serial" : "id"
  // A cross join keeps the order: as the records lie.
  const join = owner === undefined ? "" : ` CROSS JOIN "${owner.table}" o ON o.${id} = t."${owner.by}"`
  const order = sorted ? ` ORDER BY ${key.map((column) => `"${column}"`).join(", ")}` : ""
  return `SELECT ${fields.join(", ")} FROM "${name}" t${join}${order}`
}

function recordOf(
  { columns }: MoveTable,
  row: Readonly<Record<string, unknown>>,
  eraOf: ((id: number) => number) | undefined,
): MoveRecord {
  return Object.entries(columns).map(([column, type]): Field => {
    const value = row[column] as Field
    if (type === "bool") return value === 1
    return column === "era" && eraOf !== undefined ? eraOf(value as number) : value
  })
}
