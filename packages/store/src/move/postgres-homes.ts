import { mayBePlaced, numberOf } from "../core/home.ts"
import type { Home } from "../core/home.ts"
import type { Connection } from "../postgres/connection.ts"
import type { StoreReader } from "./end.ts"

/** Homes whose trees are kept at hand. */
const TREES_MAX = 50_000
/** A chain of parents that is longer, or goes in a circle, places nothing. */
const ANCESTORS_MAX = 1_000

export interface Child {
  readonly url: string
  readonly parent: string
}

/**
 * Finds the trees of homes (`core/home.ts`) for a store that is written whole: an entity lives with the one that spawned it, and so with the first of its
 * line.
 */
export class Homes {
  readonly #connection: Connection
  readonly #source: StoreReader
  readonly #trees = new Map<Home, number>()
  /** Whether any entity lives elsewhere than in a tree of its own name. */
  #isAnyPlaced = false

  constructor(connection: Connection, source: StoreReader) {
    this.#connection = connection
    this.#source = source
  }

  /** Gives entities that were spawned by others their places. */
  async place(children: readonly Child[]): Promise<void> {
    if (children.length === 0) return
    const firsts = await this.#firstsOf(children)
    const places = [...firsts]
      .map(([url, first]) => ({ url, tree: numberOf(first) }))
      .filter(({ url, tree }) => tree !== numberOf(url))
    for (const { url, tree } of places) this.#keep(url, tree)
    if (places.length === 0) return
    this.#isAnyPlaced = true
    const sql =
      "INSERT INTO ~place (url, tree) SELECT w.url, w.tree FROM json_to_recordset($1::text::json) AS w(url text, tree int8) ON CONFLICT DO NOTHING"
    await this.#connection.read(sql, [JSON.stringify(places)])
  }

  /** The trees of homes, all looked up at once. */
  async treesOf(homes: Iterable<Home>): Promise<(home: Home) => number> {
    const placed = [...new Set(homes)].filter((home) => mayBePlaced(home))
    const trees = new Map(
      placed.flatMap((home) => (this.#trees.has(home) ? [[home, this.#trees.get(home) as number]] : [])),
    )
    const unknown = this.#isAnyPlaced ? placed.filter((home) => !trees.has(home)) : []
    if (unknown.length > 0) {
      const sql =
        "SELECT p.url, p.tree FROM json_array_elements_text($1::text::json) AS q(url) JOIN ~place p ON p.url = q.url"
      for (const home of unknown) trees.set(home, numberOf(home))
      for (const row of await this.#connection.read(sql, [JSON.stringify(unknown)]))
        trees.set(row["url"] as string, Number(row["tree"]))
      for (const home of unknown) this.#keep(home, trees.get(home) as number)
    }
    return (home) => trees.get(home) ?? numberOf(home)
  }

  /** The first of each line, by the entity; one whose line has no first is its own. */
  async #firstsOf(children: readonly Child[]): Promise<ReadonlyMap<string, string>> {
    const parents = new Map<string, string | null>(children.map(({ url, parent }) => [url, parent]))
    let unknown = new Set(children.map(({ parent }) => parent).filter((parent) => !parents.has(parent)))
    for (let depth = 0; unknown.size > 0 && depth < ANCESTORS_MAX; depth += 1) {
      const found = await this.#source.parents([...unknown])
      for (const url of unknown) parents.set(url, found.get(url) ?? null)
      unknown = new Set([...found.values()].filter((parent) => parent !== null && !parents.has(parent)) as string[])
    }
    return new Map(children.map(({ url }) => [url, firstOf(url, parents)]))
  }

  #keep(home: Home, tree: number): void {
    if (this.#trees.size >= TREES_MAX) this.#trees.clear()
    this.#trees.set(home, tree)
  }
}

function firstOf(url: string, parents: ReadonlyMap<string, string | null>): string {
  let at = url
  for (let depth = 0; depth < ANCESTORS_MAX; depth += 1) {
    const parent = parents.get(at)
    if (parent === null || parent === undefined) return at
    at = parent
  }
  return url
}
