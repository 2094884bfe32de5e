import type { EntityDefinition } from "@rouse/agents/runtime"
import { type EntityUrl, RouseError, type WakeInfo } from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import { ActiveWake, type HandlerHost } from "./active-wake.ts"
import type { Plane } from "./plane.ts"

/** Room for one wake in this process: reserved before its lease is committed, and then started or released. */
export interface Slot {
  /** Names the lease that the plan took. */
  lease(wake: WakeInfo, record: Omit<EntityRecord, "version">): void
  start(): void
  release(): void
}

/**
 * Runs handlers in this process, as many at once as there is room for.
 *
 * Invariants:
 * 1. A handler runs only under a lease that is on disk.
 * 2. Every wake it starts ends by its handler's finish, or by `endWake`, whatever the handler does.
 * 3. `reserved` and `active` together never pass `wakesMax`, nor a type's own `concurrency`.
 */
export class Dispatcher {
  readonly #plane: () => Plane
  readonly #host: HandlerHost
  readonly #onRoom: () => void
  readonly #active = new Map<EntityUrl, ActiveWake>()
  readonly #perType = new Map<string, number>()
  #taken = 0
  #refused = false
  #open = true
  /** Whether wakes wait in the store for want of room: then nobody goes before them. */
  queueing = false

  /** `onRoom` is called when room came free after a wake had found none. */
  constructor(plane: () => Plane, host: HandlerHost, onRoom: () => void) {
    this.#plane = plane
    this.#host = host
    this.#onRoom = onRoom
  }

  get active(): number {
    return this.#active.size
  }

  /** How many more wakes there is room for. */
  get room(): number {
    return this.#open ? this.#plane().limits.wakesMax - this.#taken : 0
  }

  /** Says that wakes were left in the store, for want of room in all or of their type: room that comes free is told. */
  leave(queueing: boolean): void {
    this.queueing = queueing
    this.#refused = true
  }

  /** How many more wakes of a type there is room for. */
  roomFor(typeName: string): number {
    const max = this.#plane().types.get(typeName)?.concurrency ?? Number.POSITIVE_INFINITY
    return Math.max(0, Math.min(this.room, max - (this.#perType.get(typeName) ?? 0)))
  }

  /** Reserves room for a wake; undefined when there is none, or the type is not served here. */
  reserve(url: EntityUrl, typeName: string, fromQueue: boolean): Slot | undefined {
    const definition = this.#plane().types.get(typeName)
    if (!definition) return undefined
    if (this.room <= 0) this.queueing = true
    if (this.roomFor(typeName) <= 0 || (this.queueing && !fromQueue)) {
      this.#refused = true
      return undefined
    }
    this.#taken += 1
    this.#perType.set(typeName, (this.#perType.get(typeName) ?? 0) + 1)
    return new ReservedSlot(
      definition,
      () => this.#giveBack(typeName),
      (wake, record) => this.#start(url, definition, wake, record),
    )
  }

  /** Aborts the wake under way for an entity, if there is one here. */
  abort(url: EntityUrl, reason: Error): void {
    this.#active.get(url)?.abort(reason)
  }

  /** Takes no more wakes, gives those under way `graceMs` to come to a point where they can be given back, and waits for them. */
  async close(graceMs: number): Promise<void> {
    this.#open = false
    const running = [...this.#active.values()]
    for (const wake of running) wake.abort(new RouseError("SHUTTING_DOWN", "the server is shutting down"), graceMs)
    await Promise.all(running.map((wake) => wake.ended))
  }

  #start(url: EntityUrl, definition: EntityDefinition, wake: WakeInfo, record: Omit<EntityRecord, "version">): void {
    const active = new ActiveWake(this.#plane(), this.#host, definition, wake, record)
    this.#active.set(url, active)
    void active.ended.then(() => {
      if (this.#active.get(url) === active) this.#active.delete(url)
      this.#giveBack(definition.name)
    })
    active.run()
  }

  #giveBack(typeName: string): void {
    this.#taken -= 1
    const left = (this.#perType.get(typeName) ?? 1) - 1
    if (left > 0) this.#perType.set(typeName, left)
    else this.#perType.delete(typeName)
    if (!this.#open || !this.#refused) return
    this.#refused = false
    this.#onRoom()
  }
}

class ReservedSlot implements Slot {
  readonly #definition: EntityDefinition
  readonly #release: () => void
  readonly #start: (wake: WakeInfo, record: Omit<EntityRecord, "version">) => void
  #leased: { readonly wake: WakeInfo; readonly record: Omit<EntityRecord, "version"> } | undefined

  constructor(
    definition: EntityDefinition,
    release: () => void,
    start: (wake: WakeInfo, record: Omit<EntityRecord, "version">) => void,
  ) {
    this.#definition = definition
    this.#release = release
    this.#start = start
  }

  lease(wake: WakeInfo, record: Omit<EntityRecord, "version">): void {
    this.#leased = { wake, record }
  }

  start(): void {
    if (!this.#leased)
      throw new RouseError("INTERNAL", `a slot of ${this.#definition.name} was started without a lease`)
    this.#start(this.#leased.wake, this.#leased.record)
  }

  release(): void {
    this.#release()
  }
}
