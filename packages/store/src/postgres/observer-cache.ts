import { UNOBSERVED } from "./facts.ts"
import type { Facts, ObserversFact } from "./facts.ts"
import type { Group } from "./group.ts"

/** Paths of which something is known. When there are as many, all are forgotten and it begins anew. */
const PATHS_MAX = 8_192
/** Observations kept, of all paths together. */
const STATES_MAX = 65_536

/**
 * Who observed what when it was last looked up. Others may have come and gone since: that is found out when a commit is applied.
 *
 * Of a path of which nothing is known, it is believed that nobody observes it: so it is with nearly all of them. One about which that was wrong
 * is looked up the next time.
 */
export class ObserverCache {
  readonly #known = new Map<string, ObserversFact>()
  readonly #doubted = new Set<string>()
  #states = 0

  /** Makes a fact of what is known. False: it must be looked up, or believed. */
  recall(path: string, facts: Facts): boolean {
    if (facts.observers.has(path)) return true
    const known = this.#known.get(path)
    if (known === undefined) return false
    facts.observers.set(path, known)
    return true
  }

  /** Makes it a fact that nobody observes a path. False: it must be looked up. */
  believe(path: string, facts: Facts): boolean {
    if (this.#doubted.has(path)) return false
    facts.observers.set(path, UNOBSERVED)
    return true
  }

  /** Takes over what the parts of a group that were done were planned on, and left; doubts what the others were. */
  keep(group: Group, isDone: (commit: number) => boolean): void {
    const { facts, layer } = group.sources
    for (const [path, commits] of group.seen) {
      const fact = facts.observers.get(path)
      this.#forget(path)
      const isChanged = layer.observers.has(path) || fact?.states.some(({ url }) => layer.blind.has(url)) === true
      if (isChanged || !commits.every(isDone)) this.#doubt(path)
      else if (fact !== undefined && fact.count > 0) this.#keep(path, fact)
      else this.#doubted.delete(path)
    }
    for (const path of layer.observers.keys()) this.#doubt(path)
  }

  clear(): void {
    this.#known.clear()
    this.#states = 0
  }

  #keep(path: string, fact: ObserversFact): void {
    if (this.#known.size >= PATHS_MAX || this.#states > STATES_MAX) this.clear()
    this.#states += fact.count
    this.#known.set(path, fact)
  }

  #forget(path: string): void {
    this.#states -= this.#known.get(path)?.count ?? 0
    this.#known.delete(path)
  }

  #doubt(path: string): void {
    if (this.#doubted.size >= PATHS_MAX) this.#doubted.clear()
    this.#doubted.add(path)
  }
}
