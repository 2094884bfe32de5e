import type { ObservationState } from "../core/observation-state.ts"
import type { ProducerState } from "../core/producer.ts"
import type { SpaceRowState, SpaceState } from "../core/space-state.ts"
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
  /** By observer and name. */
  readonly observations: Map<string, ObservationFact>
  /** Who observes a path. */
  readonly observers: Map<string, ObserversFact>
  /** What an entity observes. */
  readonly observing: Map<string, readonly ObservedPlace[]>
  /** Of spaces all is as old as what is known of the space's stream, or younger: its tail tells whether it is still so. By path. */
  readonly spaces: Map<string, SpaceState | null>
  /** The rest by path, and then by what was asked. */
  readonly spaceRows: Map<string, SpaceRowState | null>
  readonly occupied: Map<string, boolean>
  readonly claimable: Map<string, ClaimableFact>
  readonly held: Map<string, readonly SpaceRowState[]>
  readonly heldCounts: Map<string, number>
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

export interface ObservationFact {
  readonly state: ObservationState | undefined
  readonly rev: number
}

/** `count` and the newest `rev` tell one such list from every other that the path ever had: a `rev` is never used again, and grows. */
export interface ObserversFact {
  readonly states: readonly ObservationState[]
  readonly count: number
  readonly rev: number
}

export const UNOBSERVED: ObserversFact = { states: [], count: 0, rev: 0 }

/** Where an observation is. */
export type ObservedPlace = Pick<ObservationState, "serial" | "path" | "url" | "name">

/** The first rows of a queue: as many as were asked for of each kind, if there are. */
export interface ClaimableFact {
  readonly expired: readonly SpaceRowState[]
  readonly free: readonly SpaceRowState[]
  readonly asked: number
}

export type NeedKind = keyof Facts

/** Something to look up. */
export interface Need {
  readonly kind: NeedKind
  /** A path, address, key or identity. */
  readonly name: string
  /** Of a producer: its identity. Of an observation: its name. Of rows of a space: what is asked of them, as JSON text. */
  readonly id?: string
  readonly stream?: number
  readonly position?: number
  /** How many. */
  readonly limit?: number
}

/** Thrown by a view that was asked for what nobody has looked up. */
export class Missing extends Error {
  readonly needs: readonly Need[] | "ids"

  constructor(needs: readonly Need[] | "ids") {
    super("a fact is missing")
    this.needs = needs
  }
}

/** Thrown when a commit depends on what an earlier one of its group does, in a way that only the database can tell: it is for the next group. */
export class Deferred extends Error {}

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
    observations: new Map(),
    observers: new Map(),
    observing: new Map(),
    spaces: new Map(),
    spaceRows: new Map(),
    occupied: new Map(),
    claimable: new Map(),
    held: new Map(),
    heldCounts: new Map(),
  }
}

export function producerKey(path: string, id: string): string {
  return `${path}\n${id}`
}

export function batchKey(stream: number, position: number): string {
  return `${stream} ${position}`
}

/** The key of what was asked of a named thing. */
export function askedKey(name: string, id: string): string {
  return `${name}\n${id}`
}

export function observationKey(url: string, name: string): string {
  return `${url} ${name}`
}
