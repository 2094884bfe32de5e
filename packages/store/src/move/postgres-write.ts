import { RouseError } from "@rouse/protocol"
import type { SharedDefinition } from "@rouse/protocol"
import { queuesOf } from "../core/space-queue.ts"
import type { Connection } from "../postgres/connection.ts"
import { queueName } from "../postgres/space-loader.ts"
import type { StoreFacts, StoreReader, StoreWriter } from "./end.ts"
import { Homes } from "./postgres-homes.ts"
import { derivedFields, homesOf, insertOf, kept } from "./postgres-rows.ts"
import { fieldsOf, keyOf, showKey } from "./record.ts"
import type { Field, MoveRecord } from "./record.ts"
import { MOVE_TABLES } from "./tables.ts"
import type { MoveTable } from "./tables.ts"

type Fields = Readonly<Record<string, Field>>

/** Definitions of spaces that are kept at hand. */
const DEFINITIONS_MAX = 100
const TAGS = `INSERT INTO ~tag (tree, entity, name, value) SELECT w.tree, w.id, t.key, t.value
  FROM json_to_recordset($1::text::json) AS w(tree int8, id int8, tags text), json_each_text(w.tags::json) t ON CONFLICT DO NOTHING`
const QUEUES = `INSERT INTO ~space_queue (tree, stream, collection, queue, free_at, made, key)
  SELECT w.tree, w.stream, w.collection, w.queue, w.free_at, w.made, w.key
  FROM json_to_recordset($1::text::json) AS w(tree int8, stream int8, collection text, queue text, free_at int8, made int8, key text) ON CONFLICT DO NOTHING`
const INDEXES = `INSERT INTO ~space_index (tree, stream, collection, queue, key) SELECT w.tree, w.stream, w.collection, w.queue, w.key
  FROM json_to_recordset($1::text::json) AS w(tree int8, stream int8, collection text, queue text, key text) ON CONFLICT DO NOTHING`

/**
 * Writes records into the tables of a store in Postgres that is empty. A batch is one statement, which may be done again when its connection is lost: what is
 * there already is left as it is, and compared at the end like everything else.
 */
export class PostgresWriter implements StoreWriter {
  readonly #connection: Connection
  readonly #homes: Homes
  readonly #definitions = new Map<number, SharedDefinition>()

  constructor(connection: Connection, source: StoreReader) {
    this.#connection = connection
    this.#homes = new Homes(connection, source)
  }

  async write(table: MoveTable, records: readonly MoveRecord[]): Promise<void> {
    for (const record of records) refuseNul(table, record)
    const all = records.map((record) => fieldsOf(table, record))
    if (table.name === "entity") {
      const children = all.filter(({ parent }) => parent !== null)
      await this.#homes.place(children.map(({ url, parent }) => ({ url: url as string, parent: parent as string })))
    }
    const treeOf = await this.#homes.treesOf(all.flatMap((fields) => homesOf(table, fields)))
    const rows = all.map((fields) => ({ ...kept(table, fields), ...derivedFields(table, fields, treeOf) }))
    await this.#insert(insertOf(table), rows)
    if (table.name === "entity")
      await this.#insert(
        TAGS,
        rows.filter(({ tags }) => tags !== "{}"),
      )
    if (table.name === "space_row") await this.#putQueues(rows)
  }

  async finish({ nonce, idLast }: StoreFacts): Promise<void> {
    await this.#connection.read(
      "INSERT INTO ~meta (key, value) VALUES ('nonce', $1) ON CONFLICT (key) DO UPDATE SET value = $1",
      [nonce],
    )
    await this.#connection.read("SELECT setval('~ids', $1, false)", [idLast + 1])
    for (const { name } of MOVE_TABLES) await this.#connection.read(`ANALYZE ~"${name}"`, [])
  }

  async #insert(sql: string, rows: readonly Fields[]): Promise<void> {
    if (rows.length > 0) await this.#connection.read(sql, [JSON.stringify(rows)])
  }

  /** The queues that rows of spaces stand in, and the indexes that they are found by, also when they are done. */
  async #putQueues(rows: readonly Fields[]): Promise<void> {
    await this.#readDefinitions(new Set(rows.map(({ stream }) => stream as number)))
    const all = rows.flatMap((row) => {
      const {
        tree = null,
        stream = null,
        collection = null,
        made = null,
        free_at = null,
        key = null,
        value,
        done,
      } = row
      const definition = this.#definitions.get(stream as number)
      const queues = queuesOf(definition?.collections[collection as string], value as string)
      return queues.map((queue) => ({
        tree,
        stream,
        collection,
        queue: queueName(queue),
        free_at,
        made,
        key,
        done: done ?? null,
      }))
    })
    await this.#insert(
      INDEXES,
      all.filter(({ queue }) => queue !== ""),
    )
    await this.#insert(
      QUEUES,
      all.filter(({ done }) => done !== true),
    )
  }

  async #readDefinitions(streams: ReadonlySet<number>): Promise<void> {
    const unknown = [...streams].filter((stream) => !this.#definitions.has(stream))
    if (unknown.length === 0) return
    if (this.#definitions.size >= DEFINITIONS_MAX) this.#definitions.clear()
    const wanted = [...streams].filter((stream) => !this.#definitions.has(stream))
    for (const row of await this.#connection.read(
      "SELECT stream, definition FROM ~space WHERE stream = ANY($1::int8[])",
      [wanted],
    ))
      this.#definitions.set(Number(row["stream"]), JSON.parse(row["definition"] as string) as SharedDefinition)
  }
}

/** @throws {RouseError} `BAD_REQUEST`. */
function refuseNul(table: MoveTable, record: MoveRecord): void {
  if (!record.some((field) => typeof field === "string" && field.includes("\0"))) return
  const key = showKey(keyOf(table, record))
  throw new RouseError("BAD_REQUEST", `${key} holds U+0000, which Postgres cannot keep in text`, { details: { key } })
}
