import { type EntityUrl, RouseError, type WakeInfo } from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import { ActiveWake } from "./active-wake.ts"
import type { EntityDraft } from "./core/draft.ts"
import { pullSlot } from "./dispatch/pull-slot.ts"
import { type HandlerHost, localRunner, type WakeRunner } from "./dispatch/runner.ts"
import type { ServedType } from "./dispatch/served-type.ts"
import { webhookRunner } from "./dispatch/webhook-runner.ts"
import type { Plane } from "./plane.ts"

/** Room for one wake: reserved before its lease is committed, and then started or released. */
export interface Slot {
  /** Of the handler that is to run. */
  readonly version: string | undefined
  /** Whether the handler is not in this process. */
  readonly isRemote: boolean
  /** Names the lease that the plan took. */
  lease(wake: WakeInfo, record: Omit<EntityRecord, "version">): void
  start(): void
  release(): void
}

/**
 * Runs handlers in this process and behind webhooks, as many at once as there is room for, and hands wakes to workers that wait for them.
 *
 * Invariants:
 * 1. A handler runs only under a lease that is on disk.
 * 2. Every wake it starts ends by its handler's finish, or by `endWake`, whatever the handler does. One that a worker was given, or that
 *    outlives this process, by its lease.
 * 3. `reserved` and `active` together never pass `wakesMax`, nor a type's own `concurrency`. Workers have bounds of their own.
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

  /** How many more wakes of a type there is room for, in whichever version. */
  roomFor(typeName: string): number {
    const versions = this.#plane().types.versions(typeName)
    return versions.reduce((sum, type) => sum + this.#roomOfType(type), 0)
  }

  /** The same, in the version that an entity's next wake runs. */
  roomOf({ url, record, control }: EntityDraft): number {
    const type = this.#plane().types.resolve(record.type, url, control.run?.version)
    return type ? this.#roomOfType(type) : 0
  }

  /** Reserves room for a wake; undefined when there is none, or the type is not served here. @param run The version of its open run. */
  reserve(url: EntityUrl, typeName: string, run: string | undefined, fromQueue: boolean): Slot | undefined {
    const type = this.#plane().types.resolve(typeName, url, run)
    if (!type) return undefined
    if (type.dispatch.kind === "pull") return this.#open ? pullSlot(this.#plane(), type) : undefined
    if (this.room <= 0) this.queueing = true
    if (this.#roomOfType(type) <= 0 || (this.queueing && !fromQueue)) {
      this.#refused = true
      return undefined
    }
    this.#taken += 1
    this.#perType.set(typeName, (this.#perType.get(typeName) ?? 0) + 1)
    if (type.dispatch.kind === "webhook") this.#plane().remote.circuits.begin(type.dispatch.url)
    return new ReservedSlot(
      type,
      () => this.#release(type),
      (wake, record) => this.#start(url, type, wake, record),
    )
  }

  /** Whether a wake of an entity is under way here. */
  isActive(url: EntityUrl): boolean {
    return this.#active.has(url)
  }

  /** The wake under way for an entity that this process looks after, under this lease. */
  activeWake(url: EntityUrl, epoch: number): ActiveWake | undefined {
    const active = this.#active.get(url)
    return active?.lease.wake.epoch === epoch ? active : undefined
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

  #roomOfType(type: ServedType): number {
    const { remote } = this.#plane()
    const { dispatch } = type
    if (dispatch.kind === "pull") return this.#open ? remote.pulls.room(type.name, type.version) : 0
    const max = type.concurrency ?? Number.POSITIVE_INFINITY
    const room = Math.max(0, Math.min(this.room, max - (this.#perType.get(type.name) ?? 0)))
    return dispatch.kind === "webhook" ? Math.min(room, remote.circuits.room(dispatch.url)) : room
  }

  #start(url: EntityUrl, type: ServedType, wake: WakeInfo, record: Omit<EntityRecord, "version">): void {
    const active = new ActiveWake(this.#plane(), this.#runnerOf(type), type, wake, record)
    this.#active.set(url, active)
    void active.ended.then(() => {
      if (this.#active.get(url) === active) this.#active.delete(url)
      this.#giveBack(type.name)
    })
    active.run()
  }

  #runnerOf({ dispatch, definition, name }: ServedType): WakeRunner {
    if (dispatch.kind === "webhook") return webhookRunner(this.#plane(), dispatch.url)
    if (!definition) throw new RouseError("INTERNAL", `${name} has no handler in this process`)
    return localRunner(definition, this.#host)
  }

  #release(type: ServedType): void {
    if (type.dispatch.kind === "webhook") this.#plane().remote.circuits.cancel(type.dispatch.url)
    this.#giveBack(type.name)
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
  readonly version: string | undefined
  readonly isRemote: boolean
  readonly #name: string
  readonly #release: () => void
  readonly #start: (wake: WakeInfo, record: Omit<EntityRecord, "version">) => void
  #leased: { readonly wake: WakeInfo; readonly record: Omit<EntityRecord, "version"> } | undefined

  constructor(
    type: ServedType,
    release: () => void,
    start: (wake: WakeInfo, record: Omit<EntityRecord, "version">) => void,
  ) {
    this.version = type.version
    this.isRemote = type.dispatch.kind !== "local"
    this.#name = type.name
    this.#release = release
    this.#start = start
  }

  lease(wake: WakeInfo, record: Omit<EntityRecord, "version">): void {
    this.#leased = { wake, record }
  }

  start(): void {
    if (!this.#leased) throw new RouseError("INTERNAL", `a slot of ${this.#name} was started without a lease`)
    this.#start(this.#leased.wake, this.#leased.record)
  }

  release(): void {
    this.#release()
  }
}
