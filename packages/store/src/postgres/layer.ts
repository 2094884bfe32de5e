import type { Home } from "../core/home.ts"
import type { ObservationState } from "../core/observation-state.ts"
import type { ProducerState } from "../core/producer.ts"
import type { QueuedRow, SpaceRowState, SpaceState } from "../core/space-state.ts"
import type { LinkState, SubscriptionState } from "../core/subscription-state.ts"
import type { EntityFact, StreamFact, TimerFact, WorkFact } from "./facts.ts"

/** A row of a space: as the database has it, and as the group leaves it. */
export interface RowChange {
  readonly before: SpaceRowState | undefined
  readonly after: QueuedRow | undefined
}

/** What the commits of a group leave, before any of it is done: what the next commit of the group is planned on. */
export class Layer {
  readonly streams: Map<string, StreamFact> = new Map()
  readonly entities: Map<string, EntityFact> = new Map()
  readonly producers: Map<string, ProducerState | null> = new Map()
  readonly timers: Map<string, TimerFact | null> = new Map()
  readonly works: Map<string, WorkFact | null> = new Map()
  readonly receipts: Set<string> = new Set()
  readonly subscriptions: Map<string, SubscriptionState | undefined> = new Map()
  readonly links: Map<string, readonly LinkState[]> = new Map()
  readonly trees: Map<Home, number> = new Map()
  /** By observer and name. */
  readonly observations: Map<string, ObservationState | undefined> = new Map()
  /** Of paths whose observers changed. */
  readonly observers: Map<string, readonly ObservationState[]> = new Map()
  /** Entities whose observations went with them. */
  readonly blind: Set<string> = new Set()
  /** By the identity of the space's stream. */
  readonly spaces: Map<number, SpaceState | undefined> = new Map()
  readonly spaceRows: Map<number, Map<string, RowChange>> = new Map()
  /** Streams that began in this group, by path: the database knows no producer of theirs. */
  readonly #new = new Map<string, number>()

  isNew(path: string): boolean {
    return this.#new.has(path) && this.#new.get(path) === this.streams.get(path)?.state?.id
  }

  begins(path: string, id: number): void {
    for (const key of this.producers.keys()) if (key.startsWith(`${path}\n`)) this.producers.delete(key)
    this.#new.set(path, id)
  }
}
