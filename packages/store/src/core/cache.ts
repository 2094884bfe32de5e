import type { Overlay } from "./overlay.ts"
import type { ProducerState } from "./producer.ts"
import type { SpaceView } from "./space-state.ts"
import type { StreamState } from "./stream-state.ts"
import { ObserverIndex } from "./observer-index.ts"
import type { ObservationSource } from "./observer-index.ts"
import { SubscriberIndex } from "./subscriber-index.ts"
import type { SubscriptionSource } from "./subscriber-index.ts"
import type { EntityState, StoreView } from "./view.ts"

/** States kept of each kind. When there are as many, all are forgotten and it begins anew. */
export const STATES_MAX = 8_192
/** Text of an entity whose state is kept, in UTF-16 code units. */
const ENTITY_TEXT_MAX = 2_048

/** What is looked up as it is asked for. */
type Looked = Omit<StoreView, "subscriptions" | "observations">

/**
 * What the writer knows of streams and entities without looking: it is the only one that changes them.
 *
 * 1. A state is kept only as a commit left it, or as it was read since.
 * 2. Whoever undoes or bypasses a commit (`ROLLBACK`, a sweep) must `forget`.
 */
export class CachedView implements StoreView {
  readonly #base: Looked
  readonly subscriptions: SubscriberIndex
  readonly observations: ObserverIndex
  readonly #streams = new Map<string, StreamState>()
  readonly #entities = new Map<string, EntityState>()

  constructor(base: Looked, subscriptions: SubscriptionSource, observations: ObservationSource) {
    this.#base = base
    this.subscriptions = new SubscriberIndex(subscriptions)
    this.observations = new ObserverIndex(observations)
  }

  get spaces(): SpaceView {
    return this.#base.spaces
  }

  stream(path: string): StreamState | undefined {
    const known = this.#streams.get(path)
    if (known !== undefined) return known
    const state = this.#base.stream(path)
    this.#keepStream(path, state)
    return state
  }

  entity(url: string): EntityState | undefined {
    const known = this.#entities.get(url)
    if (known !== undefined) return known
    const state = this.#base.entity(url)
    this.#keepEntity(url, state)
    return state
  }

  /** Takes over what a commit changed, once its writes are done. */
  keep(changes: Overlay): void {
    for (const [path, state] of changes.streams) this.#keepStream(path, state)
    for (const [url, state] of changes.entities) this.#keepEntity(url, state)
    if (changes.touchedSubscriptions !== undefined) this.subscriptions.keep(changes.touchedSubscriptions)
    if (changes.touchedObservations !== undefined) this.observations.keep(changes.touchedObservations)
  }

  forget(): void {
    this.#streams.clear()
    this.#entities.clear()
    this.subscriptions.forget()
    this.observations.forget()
  }

  producer(stream: number, id: string): ProducerState | undefined {
    return this.#base.producer(stream, id)
  }

  hasBatchEnd(stream: number, position: number): boolean {
    return this.#base.hasBatchEnd(stream, position)
  }

  batchAfter(stream: number, position: number): Uint8Array | undefined {
    return this.#base.batchAfter(stream, position)
  }

  hasTimer(id: string): boolean {
    return this.#base.hasTimer(id)
  }

  hasReceipt(key: string): boolean {
    return this.#base.hasReceipt(key)
  }

  workVersion(id: string): number {
    return this.#base.workVersion(id)
  }

  pinned(stream: number): number | undefined {
    return this.#base.pinned(stream)
  }

  newStream(): { readonly id: number; readonly incarnation: string } {
    return this.#base.newStream()
  }

  newEntityId(): number {
    return this.#base.newEntityId()
  }

  #keepStream(path: string, state: StreamState | undefined): void {
    if (state === undefined) this.#streams.delete(path)
    else put(this.#streams, path, state)
  }

  #keepEntity(url: string, state: EntityState | undefined): void {
    if (state === undefined) this.#entities.delete(url)
    else if (state.record.args.length + state.record.tags.length > ENTITY_TEXT_MAX) this.#entities.delete(url)
    else put(this.#entities, url, state)
  }
}

function put<T>(states: Map<string, T>, key: string, state: T): void {
  if (states.size >= STATES_MAX && !states.has(key)) states.clear()
  states.set(key, state)
}
