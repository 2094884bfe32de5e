import { isBroad, parsePattern } from "./glob.ts"
import { GlobTrie } from "./glob-trie.ts"
import type { SubscriptionOverlay } from "./subscription-overlay.ts"
import type { LinkState, SubscriptionState, SubscriptionView } from "./subscription-state.ts"

/** Paths whose subscribers are kept. When there are as many, all are forgotten and it begins anew. */
export const PATHS_MAX = 8_192

/** Where subscriptions are found when they are not at hand. */
export interface SubscriptionSource {
  all(): readonly Pick<SubscriptionState, "serial" | "id" | "pattern" | "wakeStream">[]
  subscription(id: string): SubscriptionState | undefined
  /** The streams at this path that have a cursor. `matched` is not known to the source. */
  links(path: string): readonly Omit<LinkState, "matched">[]
  newSerial(): number
}

type Known = ReturnType<SubscriptionSource["all"]>[number]

const NOBODY: readonly LinkState[] = []

/**
 * Who subscribes to which stream, in the writer's memory: an append to a stream of nobody costs one lookup, and none at all when
 * there is no subscription.
 *
 * 1. Made when first asked, from what is stored; kept up to date by every commit since.
 * 2. Whoever undoes or bypasses a commit must `forget`.
 */
export class SubscriberIndex implements SubscriptionView {
  readonly #source: SubscriptionSource
  #known: Map<string, Known> | undefined
  #globs = new GlobTrie()
  #broad = 0
  readonly #paths = new Map<string, readonly LinkState[]>()

  constructor(source: SubscriptionSource) {
    this.#source = source
  }

  get any(): boolean {
    return this.#load().size > 0
  }

  subscription(id: string): SubscriptionState | undefined {
    return this.#source.subscription(id)
  }

  subscribers(path: string): readonly LinkState[] {
    const known = this.#paths.get(path)
    if (known !== undefined) return known
    const links = this.#look(path)
    if (this.#paths.size >= PATHS_MAX) this.#paths.clear()
    this.#paths.set(path, links)
    return links
  }

  counts(): { readonly all: number; readonly broad: number } {
    return { all: this.#load().size, broad: this.#broad }
  }

  newSerial(): number {
    return this.#source.newSerial()
  }

  /** Takes over what a commit changed, once its writes are done. */
  keep(changes: SubscriptionOverlay): void {
    if (changes.changed) this.#paths.clear()
    for (const [id, state] of changes.subscriptions) this.#keepOne(id, state)
    for (const [path, links] of changes.subscribed) this.#paths.set(path, links)
    if (changes.changed) this.#paths.clear()
  }

  forget(): void {
    this.#known = undefined
    this.#paths.clear()
  }

  #keepOne(id: string, state: SubscriptionState | undefined): void {
    const known = this.#load()
    const before = known.get(id)
    if (before?.serial === state?.serial) return
    if (before !== undefined) this.#remove(before)
    if (state !== undefined) this.#add(state)
  }

  #load(): Map<string, Known> {
    if (this.#known !== undefined) return this.#known
    this.#known = new Map()
    this.#globs = new GlobTrie()
    this.#broad = 0
    for (const one of this.#source.all()) this.#add(one)
    return this.#known
  }

  #add({ id, serial, pattern, wakeStream }: Known): void {
    this.#known?.set(id, { id, serial, pattern, wakeStream })
    if (pattern === null) return
    const parts = parsePattern(pattern)
    this.#globs.add(parts, id)
    if (isBroad(parts)) this.#broad += 1
  }

  #remove({ id, pattern }: Known): void {
    this.#known?.delete(id)
    if (pattern === null) return
    const parts = parsePattern(pattern)
    this.#globs.remove(parts, id)
    if (isBroad(parts)) this.#broad -= 1
  }

  #look(path: string): readonly LinkState[] {
    const subscriptions = this.#load()
    const matched = new Set(this.#globs.match(path).filter((id) => subscriptions.get(id)?.wakeStream !== path))
    const linked = this.#source.links(path).map((link) => ({ ...link, matched: matched.delete(link.id) }))
    if (linked.length === 0 && matched.size === 0) return NOBODY
    const waiting = [...matched].map((id) => unlinked(subscriptions.get(id) as Known, path))
    return [...linked, ...waiting]
  }
}

function unlinked({ serial, id }: Known, path: string): LinkState {
  return { serial, id, path, linked: false, explicit: false, matched: true, acked: 0, pending: false }
}
