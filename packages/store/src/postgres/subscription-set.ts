import { numberOf } from "../core/home.ts"
import { isBroad, parsePattern } from "../core/glob.ts"
import { GlobTrie } from "../core/glob-trie.ts"
import type { LinkState, SubscriptionState } from "../core/subscription-state.ts"
import type { LinkFact } from "./facts.ts"

/** In place of the version: the store was moved elsewhere, or is a copy that is not finished. */
export const SET_MOVED = -2
/** The lock on which subscriptions there are. Every commit takes it first, most of them shared. */
export const SET_LOCK: number = numberOf("the subscriptions")

export type KnownSubscription = Pick<SubscriptionState, "serial" | "id" | "pattern" | "wakeStream">

/**
 * Which subscriptions there are, as of a version. Every commit is compared with the version: one that was planned before a subscription came or
 * went is planned again.
 */
export class SubscriptionSet {
  readonly version: number
  readonly #known = new Map<string, KnownSubscription>()
  readonly #globs = new GlobTrie()
  readonly #broad: number

  constructor(version: number, all: readonly KnownSubscription[]) {
    this.version = version
    let broad = 0
    for (const one of all) {
      this.#known.set(one.id, one)
      if (one.pattern === null) continue
      const parts = parsePattern(one.pattern)
      this.#globs.add(parts, one.id)
      if (isBroad(parts)) broad += 1
    }
    this.#broad = broad
  }

  get size(): number {
    return this.#known.size
  }

  counts(): { readonly all: number; readonly broad: number } {
    return { all: this.size, broad: this.#broad }
  }

  /** Everybody for whom a stream counts: those who have a cursor in it, and those whose pattern matches. */
  subscribers(path: string, links: readonly LinkFact[]): readonly LinkState[] {
    const matched = new Set(this.#globs.match(path).filter((id) => this.#known.get(id)?.wakeStream !== path))
    const linked = links.map((link) => ({ ...link, matched: matched.delete(link.id) }))
    return [...linked, ...[...matched].map((id) => this.#waiting(id, path))]
  }

  #waiting(id: string, path: string): LinkState {
    const serial = this.#known.get(id)?.serial ?? 0
    return { serial, id, path, linked: false, explicit: false, matched: true, acked: 0, pending: false }
  }
}
