import type { EntityUrl, Row } from "@rouse/protocol"
import type { EntityRecord, Op } from "@rouse/store"

/** Entities kept at hand. */
const ENTITIES_MAX = 10_000

/** Live rows kept at hand, of all entities together. */
const ROWS_MAX = 100_000

/** An entity with more rows than this is read each time. */
const ROWS_OF_ONE_MAX = 10_000

/**
 * What this process has lately seen of entities: records, and the live rows that go with them.
 *
 * It is a copy, never the truth. Every commit that it leads to is guarded by the version that it was copied at, so a stale copy costs a
 * conflict and another read.
 *
 * Invariants:
 * 1. Rows are as of their record's version: a commit changes both or drops the rows.
 * 2. Rows are shared and never changed; who wants to change one copies it.
 */
export class EntityCache {
  readonly #entities = new Map<EntityUrl, Known>()
  #rowCount = 0

  record(url: EntityUrl): EntityRecord | undefined {
    return this.#entities.get(url)?.record
  }

  /** The live rows as of `version`, sorted by collection and key; undefined when they are not at hand. */
  rows(url: EntityUrl, version: number, collection?: string): readonly Row[] | undefined {
    const known = this.#entities.get(url)
    if (known?.record.version !== version || !known.rows) return undefined
    return flatten(known.rows, collection === undefined ? [...known.rows.keys()].sort() : [collection])
  }

  /** One row as of `version`. `known` tells a row that is not there from one that is not at hand. */
  row(
    url: EntityUrl,
    version: number,
    collection: string,
    key: string,
  ): { readonly known: boolean; readonly row: Row | undefined } {
    const found = this.#entities.get(url)
    if (found?.record.version !== version || !found.rows) return { known: false, row: undefined }
    return { known: true, row: found.rows.get(collection)?.get(key) }
  }

  /** Keeps a record that was read, without its rows. */
  keep(record: EntityRecord): void {
    const known = this.#entities.get(record.url)
    if (known?.record.version === record.version) return
    this.forget(record.url)
    this.#entities.set(record.url, { record, rows: undefined, count: 0 })
    this.#evict()
  }

  /** Keeps the rows that were read, if the record is still the one that they go with. */
  keepRows(url: EntityUrl, version: number, rows: readonly Row[]): void {
    const known = this.#entities.get(url)
    if (known?.record.version !== version || rows.length > ROWS_OF_ONE_MAX) return
    this.#rowCount += rows.length - known.count
    known.rows = collect(rows)
    known.count = rows.length
    this.#evict()
  }

  /** Takes in a commit of this process: the entity's next record, and what became of its rows. */
  apply(next: EntityRecord, ops: readonly Op[]): void {
    const known = this.#entities.get(next.url)
    const isNew = next.version === 1
    const follows = isNew || known?.record.version === next.version - 1
    const rows = follows ? (known?.rows ?? (isNew ? new Map<string, Map<string, Row>>() : undefined)) : undefined
    const before = known?.count ?? 0
    this.#entities.delete(next.url)
    const count = rows ? before + change(rows, ops) : 0
    this.#rowCount += count - before
    this.#entities.set(next.url, { record: next, rows: count > ROWS_OF_ONE_MAX ? undefined : rows, count })
    this.#evict()
  }

  forget(url: EntityUrl): void {
    this.#rowCount -= this.#entities.get(url)?.count ?? 0
    this.#entities.delete(url)
  }

  #evict(): void {
    while (this.#entities.size > ENTITIES_MAX || this.#rowCount > ROWS_MAX) {
      const [oldest] = this.#entities.keys()
      if (oldest === undefined) return
      this.forget(oldest)
    }
  }
}

type Rows = Map<string, Map<string, Row>>

interface Known {
  readonly record: EntityRecord
  rows: Rows | undefined
  count: number
}

function collect(rows: readonly Row[]): Rows {
  const collections: Rows = new Map()
  for (const row of rows) put(collections, row)
  return collections
}

function put(collections: Rows, row: Row): number {
  let rows = collections.get(row.collection)
  if (!rows) collections.set(row.collection, (rows = new Map()))
  const isNew = !rows.has(row.key)
  rows.set(row.key, row)
  return isNew ? 1 : 0
}

/** Applies a commit's row operations. Returns by how many rows there are more. */
function change(collections: Rows, ops: readonly Op[]): number {
  let more = 0
  for (const op of ops) {
    if (op.op === "putRow") more += put(collections, { collection: op.collection, key: op.key, value: op.value })
    if (op.op === "deleteRow" && collections.get(op.collection)?.delete(op.key)) more -= 1
  }
  return more
}

function flatten(collections: Rows, names: readonly string[]): Row[] {
  const rows: Row[] = []
  for (const name of names) {
    const from = rows.length
    let last = ""
    let sorted = true
    for (const row of collections.get(name)?.values() ?? []) {
      if (row.key < last) sorted = false
      last = row.key
      rows.push(row)
    }
    if (!sorted) rows.splice(from, rows.length - from, ...rows.slice(from).sort(byKey))
  }
  return rows
}

function byKey(a: Row, b: Row): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}
