import type { SharedDefinition } from "@rouse/protocol"
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import { activeSecondOf } from "../core/cursor.ts"
import { queuesOf } from "../core/space-queue.ts"
import { RowWrites } from "../sqlite/row-writes.ts"
import { Statements } from "../sqlite/statements.ts"
import type { StoreFacts, StoreWriter } from "./end.ts"
import { fieldsOf } from "./record.ts"
import type { Field, MoveRecord } from "./record.ts"
import { keptColumns } from "./tables.ts"
import type { MoveTable } from "./tables.ts"

type Fields = Readonly<Record<string, Field>>

/** How a table's records are written. */
interface Insert {
  readonly sql: string
  readonly columns: readonly string[]
}

/** Batches of one era have numbers of one range, each of so many. */
const ERA_CHUNKS = 2 ** 32
/** Definitions of spaces that are kept at hand. */
const DEFINITIONS_MAX = 100
/** Columns of records that are not columns of the tables; and the other way round. */
const ABSENT: ReadonlySet<string> = new Set(["stream.source", "chunk.era", "era.n"])
const MORE: Readonly<Record<string, readonly string[]>> = { entity: ["active_second"], chunk: ["id"], era: ["chunk"] }

/** Writes records into the tables of an embedded store that is empty. */
export class SqliteWriter implements StoreWriter {
  readonly #db: DatabaseSync
  readonly #rows: RowWrites
  readonly #statements: Statements
  readonly #inserts = new Map<string, Insert>()
  readonly #definitions = new Map<number, SharedDefinition>()
  #chunks = 0

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#rows = new RowWrites(db)
    this.#statements = new Statements(db)
  }

  async write(table: MoveTable, records: readonly MoveRecord[]): Promise<void> {
    this.#db.exec("BEGIN IMMEDIATE")
    try {
      for (const record of records) this.#put(table, fieldsOf(table, record))
      this.#db.exec("COMMIT")
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK")
      throw error
    }
  }

  async finish({ nonce, idLast }: StoreFacts): Promise<void> {
    this.#db.exec("BEGIN IMMEDIATE")
    // What is appended next has a number above the newest batch's, and is younger than every mark.
    this.#statements.run("UPDATE era SET chunk = min(chunk, (SELECT coalesce(max(id), 0) FROM chunk))")
    this.#statements.run("DELETE FROM sqlite_sequence")
    for (const table of ["stream", "subscription", "observation"])
      this.#statements.run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, idLast)
    this.#statements.run("UPDATE meta SET value = ? WHERE key = 'nonce'", nonce)
    this.#db.exec("COMMIT")
  }

  #put(table: MoveTable, fields: Fields): void {
    if (table.name === "row") {
      const { collection, key, value } = fields
      return this.#rows.put(fields["entity"] as number, {
        collection: collection as string,
        key: key as string,
        value: value as string,
      })
    }
    const { sql, columns } = this.#insertOf(table)
    const all: Fields = { ...fields, ...this.#more(table, fields) }
    this.#statements.run(sql, ...columns.map((column) => inputOf(all[column] ?? null)))
    if (table.name === "entity") this.#tag(fields)
    if (table.name === "space_row") this.#queue(fields)
  }

  #more({ name }: MoveTable, fields: Fields): Fields {
    switch (name) {
      case "entity":
        return { active_second: activeSecondOf(fields["active_at"] as number) }
      case "chunk":
        this.#chunks += 1
        return { id: (fields["era"] as number) * ERA_CHUNKS + this.#chunks }
      case "era":
        return { chunk: (fields["n"] as number) * ERA_CHUNKS }
      default:
        return {}
    }
  }

  #tag({ id, tags }: Fields): void {
    for (const [name, value] of Object.entries(JSON.parse(tags as string) as Record<string, string>))
      this.#statements.run("INSERT INTO tag (name, value, entity) VALUES (?, ?, ?)", name, value, id as number)
  }

  #queue(fields: Fields): void {
    const { stream = null, collection = null, key = null, made = null, free_at: freeAt = null } = fields
    const definition = this.#definition(stream as number)
    for (const queue of queuesOf(definition?.collections[collection as string], fields["value"] as string)) {
      if (queue !== "") {
        const sql = "INSERT INTO space_index (stream, collection, queue, key) VALUES (?, ?, ?, ?)"
        this.#statements.run(sql, ...[stream, collection, queue, key].map(inputOf))
      }
      if (fields["done"] === true) continue
      const sql = "INSERT INTO space_queue (stream, collection, queue, free_at, made, key) VALUES (?, ?, ?, ?, ?, ?)"
      this.#statements.run(sql, ...[stream, collection, queue, freeAt, made, key].map(inputOf))
    }
  }

  #insertOf(table: MoveTable): Insert {
    const known = this.#inserts.get(table.name)
    if (known !== undefined) return known
    const kept = keptColumns(table).filter((column) => !ABSENT.has(`${table.name}.${column}`))
    const columns = [...kept, ...(MORE[table.name] ?? [])]
    const names = columns.map((column) => `"${column}"`).join(", ")
    const sql = `INSERT INTO "${table.name}" (${names}) VALUES (${columns.map(() => "?").join(", ")})`
    const insert = { sql, columns }
    this.#inserts.set(table.name, insert)
    return insert
  }

  #definition(stream: number): SharedDefinition | undefined {
    const known = this.#definitions.get(stream)
    if (known !== undefined) return known
    const row = this.#db.prepare("SELECT definition FROM space WHERE stream = ?").get(stream)
    if (row === undefined) return undefined
    const definition = JSON.parse(row["definition"] as string) as SharedDefinition
    if (this.#definitions.size >= DEFINITIONS_MAX) this.#definitions.clear()
    this.#definitions.set(stream, definition)
    return definition
  }
}

function inputOf(field: Field): SQLInputValue {
  return typeof field === "boolean" ? Number(field) : field
}
