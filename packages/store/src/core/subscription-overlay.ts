import { parsePattern } from "./glob.ts"
import { GlobTrie } from "./glob-trie.ts"
import type { LinkState, SubscriptionState, SubscriptionView } from "./subscription-state.ts"

/** Subscriptions with the effects of a commit's earlier operations laid over them. */
export class SubscriptionOverlay implements SubscriptionView {
  readonly #base: SubscriptionView
  readonly subscriptions: Map<string, SubscriptionState | undefined> = new Map()
  readonly subscribed: Map<string, readonly LinkState[]> = new Map()
  /** Whether someone came, went, or named other streams: then more paths are concerned than those in `subscribed`. */
  changed = false
  /** Those with a pattern that this commit made. */
  readonly #made = new Map<string, SubscriptionState>()
  #globs: GlobTrie | undefined

  constructor(base: SubscriptionView) {
    this.#base = base
  }

  get any(): boolean {
    return this.changed || this.#base.any
  }

  subscription(id: string): SubscriptionState | undefined {
    return this.subscriptions.has(id) ? this.subscriptions.get(id) : this.#base.subscription(id)
  }

  subscribers(path: string): readonly LinkState[] {
    const known = this.subscribed.get(path) ?? this.#base.subscribers(path)
    if (this.#globs === undefined) return known
    const joining = this.#globs.match(path).flatMap((id) => this.#joining(id, path, known))
    return joining.length === 0 ? known : [...known, ...joining]
  }

  /** A subscription that was not there before. */
  make(state: SubscriptionState): void {
    this.set(state)
    this.changed = true
    if (state.pattern === null) return
    this.#made.set(state.id, state)
    this.#globs ??= new GlobTrie()
    this.#globs.add(parsePattern(state.pattern), state.id)
  }

  set(state: SubscriptionState): void {
    this.subscriptions.set(state.id, state)
  }

  setLink(link: LinkState): void {
    const others = this.subscribers(link.path).filter((other) => other.serial !== link.serial)
    this.subscribed.set(link.path, link.linked || link.matched ? [...others, link] : others)
  }

  counts(): { readonly all: number; readonly broad: number } {
    return this.#base.counts()
  }

  newSerial(): number {
    return this.#base.newSerial()
  }

  #joining(id: string, path: string, known: readonly LinkState[]): LinkState[] {
    const state = this.#made.get(id)
    if (state === undefined || state.wakeStream === path) return []
    if (known.some((link) => link.serial === state.serial)) return []
    return [{ serial: state.serial, id, path, linked: false, explicit: false, matched: true, acked: 0, pending: false }]
  }
}
