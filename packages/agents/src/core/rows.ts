import type { BuiltInRows, ChangeEvent, Json, Row } from "@rouse/protocol"

/**
 * Owns an entity's live rows as one wake sees them: those it was given, changed by what it wrote since.
 *
 * Invariants:
 * 1. `list` is in the order of keys (code units).
 * 2. `apply` of the same event twice changes nothing more.
 */
export class LiveRows {
  readonly #collections = new Map<string, Map<string, Json>>()
  readonly #unsorted = new Set<string>()

  /** @param rows Sorted by collection and key. */
  constructor(rows: readonly Row[]) {
    let name: string | undefined
    let current: Map<string, Json> | undefined
    for (const row of rows) {
      if (row.collection !== name) {
        name = row.collection
        current = this.#collection(name)
        this.#unsorted.add(name)
      }
      current?.set(row.key, row.value)
    }
  }

  get<C extends string>(collection: C, key: string): RowOf<C> | undefined {
    return this.#collections.get(collection)?.get(key) as RowOf<C> | undefined
  }

  keys(collection: string): readonly string[] {
    return [...this.#sorted(collection).keys()]
  }

  list<C extends string>(collection: C): readonly RowOf<C>[] {
    return [...this.#sorted(collection).values()] as RowOf<C>[]
  }

  /** The names of the collections that have rows. */
  collections(): readonly string[] {
    return [...this.#collections].flatMap(([name, rows]) => (rows.size > 0 ? [name] : []))
  }

  /** How many rows a collection has. */
  size(collection: string): number {
    return this.#collections.get(collection)?.size ?? 0
  }

  /** Keys and rows, without a copy of the collection: do not change it meanwhile. */
  entries<C extends string>(collection: C): Iterable<readonly [string, RowOf<C>]> {
    return this.#sorted(collection).entries() as Iterable<readonly [string, RowOf<C>]>
  }

  /** Rows, without a copy. */
  values<C extends string>(collection: C): Iterable<RowOf<C>> {
    return this.#sorted(collection).values() as Iterable<RowOf<C>>
  }

  apply(event: ChangeEvent): void {
    if (event.headers.operation === "delete") this.delete(event.type, event.key)
    else this.put(event.type, event.key, event.value ?? null)
  }

  put(collection: string, key: string, value: Json): void {
    const rows = this.#collection(collection)
    if (!rows.has(key)) this.#unsorted.add(collection)
    rows.set(key, value)
  }

  delete(collection: string, key: string): void {
    this.#collections.get(collection)?.delete(key)
  }

  #collection(name: string): Map<string, Json> {
    let rows = this.#collections.get(name)
    if (rows === undefined) this.#collections.set(name, (rows = new Map()))
    return rows
  }

  #sorted(name: string): ReadonlyMap<string, Json> {
    // Most collections are only asked about: what is not there takes no memory in every run under way.
    const rows = this.#collections.get(name) ?? NONE
    if (!this.#unsorted.delete(name)) return rows
    const keys = [...rows.keys()]
    if (isSorted(keys)) return rows
    const sorted = new Map(keys.sort().map((key) => [key, rows.get(key) as Json]))
    this.#collections.set(name, sorted)
    return sorted
  }
}

const NONE: ReadonlyMap<string, Json> = new Map()

/** The type of a collection's rows: the author's are any JSON. */
export type RowOf<C extends string> = C extends keyof BuiltInRows ? BuiltInRows[C] : Json

function isSorted(keys: readonly string[]): boolean {
  return keys.every((key, i) => i === 0 || (keys[i - 1] as string) <= key)
}
