import type { SpaceView } from "./space-state.ts"
import type { ProducerClaim, StreamState } from "./stream-state.ts"
import type { ProducerState } from "./producer.ts"
import { ObservationOverlay } from "./observation-overlay.ts"
import { SubscriptionOverlay } from "./subscription-overlay.ts"
import type { EntityState, StoreView } from "./view.ts"

/** A view with the effects of a commit's earlier operations laid over it: of those that later ones depend on. */
export class Overlay implements StoreView {
  readonly base: StoreView
  /** States as they are now, of what was looked at. */
  readonly streams: Map<string, StreamState | undefined> = new Map()
  readonly #producers = new Map<string, ProducerState>()
  readonly entities: Map<string, EntityState | undefined> = new Map()
  readonly #pins = new Map<number, number>()
  #work: Map<string, number> | undefined
  readonly #entityIds = new Map<string, number>()
  /** Made when a commit first concerns a subscription: few do. */
  touchedSubscriptions: SubscriptionOverlay | undefined

  /** The same of observations. */
  touchedObservations: ObservationOverlay | undefined

  constructor(base: StoreView) {
    this.base = base
  }

  get subscriptions(): SubscriptionOverlay {
    return (this.touchedSubscriptions ??= new SubscriptionOverlay(this.base.subscriptions))
  }

  get observations(): ObservationOverlay {
    return (this.touchedObservations ??= new ObservationOverlay(this.base.observations))
  }

  /** What a commit did to spaces is for `SpacePlan` to know. */
  get spaces(): SpaceView {
    return this.base.spaces
  }

  stream(path: string): StreamState | undefined {
    if (this.streams.has(path)) return this.streams.get(path)
    const state = this.base.stream(path)
    this.streams.set(path, state)
    return state
  }

  setStream(path: string, state: StreamState | undefined): void {
    this.streams.set(path, state)
  }

  producer(stream: number, id: string): ProducerState | undefined {
    return this.#producers.get(`${stream} ${id}`) ?? this.base.producer(stream, id)
  }

  setProducer(stream: number, claim: ProducerClaim): void {
    this.#producers.set(`${stream} ${claim.id}`, claim)
  }

  entity(url: string): EntityState | undefined {
    if (this.entities.has(url)) return this.entities.get(url)
    const state = this.base.entity(url)
    this.entities.set(url, state)
    return state
  }

  setEntity(url: string, state: EntityState | undefined): void {
    this.entities.set(url, state)
    if (state === undefined) this.#entityIds.delete(url)
  }

  /** The same identity for every mention of an entity that this commit makes. */
  entityIdFor(url: string): number {
    const id = this.#entityIds.get(url) ?? this.base.newEntityId()
    this.#entityIds.set(url, id)
    return id
  }

  hasBatchEnd(stream: number, position: number): boolean {
    return this.base.hasBatchEnd(stream, position)
  }

  batchAfter(stream: number, position: number): Uint8Array | undefined {
    return this.base.batchAfter(stream, position)
  }

  hasTimer(id: string): boolean {
    return this.base.hasTimer(id)
  }

  hasReceipt(key: string): boolean {
    return this.base.hasReceipt(key)
  }

  workVersion(id: string): number {
    return this.#work?.get(id) ?? this.base.workVersion(id)
  }

  setWork(id: string, version: number): void {
    this.#work ??= new Map()
    this.#work.set(id, version)
  }

  /** A pin that this commit drops still counts for it. */
  pinned(stream: number): number | undefined {
    const known = [this.base.pinned(stream), this.#pins.get(stream)].filter((position) => position !== undefined)
    return known.length === 0 ? undefined : Math.min(...known)
  }

  setPin(stream: number, position: number): void {
    this.#pins.set(stream, Math.min(position, this.#pins.get(stream) ?? position))
  }

  newStream(): { readonly id: number; readonly incarnation: string } {
    return this.base.newStream()
  }

  newEntityId(): number {
    return this.base.newEntityId()
  }
}
