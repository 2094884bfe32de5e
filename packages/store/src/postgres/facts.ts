import type { ProducerState } from "../core/producer.ts"
import type { StreamState } from "../core/stream-state.ts"
import type { LinkState, SubscriptionState } from "../core/subscription-state.ts"
import type { EntityState } from "../core/view.ts"

/**
 * What a group of commits is planned on: what was found when it was looked up, with what tells later whether it is still so. `undefined` where a
 * fact is missing is not "there is none", but "nobody has looked".
 */
export interface Facts {
  readonly streams: Map<string, StreamFact>
  readonly entities: Map<string, EntityFact>
  /** The tree of an address that was placed; null: it was not. */
  readonly places: Map<string, number | null>
  /** By path and identity of the producer. */
  readonly producers: Map<string, ProducerState | null>
  readonly timers: Map<string, TimerFact | null>
  readonly receipts: Map<string, boolean>
  readonly works: Map<string, WorkFact | null>
  readonly subscriptions: Map<string, SubscriptionFact>
  /** Who has a cursor in a path, with what it is. */
  readonly links: Map<string, readonly LinkFact[]>
  readonly ends: Map<string, boolean>
  readonly afters: Map<string, Uint8Array | null>
  readonly pins: Map<string, number | null>
}

export interface StreamFact {
  /** Undefined: there is none. */
  readonly state: StreamState | undefined
  readonly tree: number
  readonly rev: number
}

export interface EntityFact {
  readonly state: EntityState | undefined
  readonly tree: number
}

export interface TimerFact {
  readonly tree: number
  readonly url: string
}

export interface WorkFact extends TimerFact {
  readonly version: number
}

export interface SubscriptionFact {
  readonly state: SubscriptionState | undefined
  readonly rev: number
}

export type LinkFact = Omit<LinkState, "matched"> & { readonly rev: number }

export type NeedKind = keyof Facts

/** Something to look up. */
export interface Need {
  readonly kind: NeedKind
  /** A path, address, key or identity. */
  readonly name: string
  /** Of a producer: its identity. Of a batch: the stream and a position. */
  readonly id?: string
  readonly stream?: number
  readonly position?: number
}

/** Thrown by a view that was asked for what nobody has looked up. */
export class Missing extends Error {
  readonly needs: readonly Need[] | "ids"

  constructor(needs: readonly Need[] | "ids") {
    super("a fact is missing")
    this.needs = needs
  }
}

export function newFacts(): Facts {
  return {
    streams: new Map(),
    entities: new Map(),
    places: new Map(),
    producers: new Map(),
    timers: new Map(),
    receipts: new Map(),
    works: new Map(),
    subscriptions: new Map(),
    links: new Map(),
    ends: new Map(),
    afters: new Map(),
    pins: new Map(),
  }
}

export function producerKey(path: string, id: string): string {
  return `${path}\n${id}`
}

export function batchKey(stream: number, position: number): string {
  return `${stream} ${position}`
}
