import { type EntityDefinition, runWake } from "@rouse/agents/runtime"
import {
  type CommitReply,
  type EntityInfo,
  type EntityUrl,
  type HandlerCommit,
  RouseError,
  type WakeBackend,
  type WakeInfo,
  type WakeRequest,
} from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import { isoTime } from "./core/control.ts"
import { applyHandlerCommit, type HeldLease } from "./handler-commit.ts"
import type { Plane } from "./plane.ts"
import { endWake, type WakeFailure } from "./wake-end.ts"

/** Room for one wake in this process: reserved before its lease is committed, and then started or released. */
export interface Slot {
  /** Names the lease that the plan took. */
  lease(wake: WakeInfo, record: Omit<EntityRecord, "version">): void
  start(): void
  release(): void
}

/** What handlers are given beside their wake. */
export type HandlerHost = Parameters<typeof runWake>[3]

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

  /** Reserves room for a wake; undefined when there is none, or the type is not served here. */
  reserve(url: EntityUrl, typeName: string): Slot | undefined {
    const definition = this.#plane().types.get(typeName)
    if (!definition) return undefined
    const ofType = this.#perType.get(typeName) ?? 0
    if (this.room <= 0 || ofType >= (definition.concurrency ?? Number.POSITIVE_INFINITY)) {
      this.#refused = true
      return undefined
    }
    this.#taken += 1
    this.#perType.set(typeName, ofType + 1)
    return new ReservedSlot(definition, () => this.#giveBack(typeName), (wake, record) => this.#start(url, definition, wake, record))
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
    if (!this.#leased) throw new RouseError("INTERNAL", `a slot of ${this.#definition.name} was started without a lease`)
    this.#start(this.#leased.wake, this.#leased.record)
  }

  release(): void {
    this.#release()
  }
}

/** One wake under way: the handler's backend, its clock and its end. */
class ActiveWake implements WakeBackend {
  readonly ended: Promise<void>
  readonly #plane: Plane
  readonly #host: HandlerHost
  readonly #definition: EntityDefinition
  readonly #lease: HeldLease
  readonly #entity: EntityInfo
  readonly #abort = new AbortController()
  #resolve: () => void = () => undefined
  #watchdog: () => void = () => undefined
  #heartbeat: () => void = () => undefined
  #progressAtMs: number
  #over = false

  constructor(plane: Plane, host: HandlerHost, definition: EntityDefinition, wake: WakeInfo, record: Omit<EntityRecord, "version">) {
    this.#plane = plane
    this.#host = host
    this.#definition = definition
    this.#progressAtMs = plane.clock()
    this.#lease = { url: record.url, type: record.type, wake, atMs: this.#progressAtMs }
    const { url, type, id, args, tags, parent, createdAtMs } = record
    this.#entity = { url, type, id, args, tags, parent, createdAt: isoTime(createdAtMs) }
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  run(): void {
    this.#watch()
    this.#renewLater()
    this.#handle().then(
      () => this.#settle(undefined),
      (error: unknown) => this.#settle(error ?? new Error("the handler threw nothing")),
    )
  }

  abort(reason: Error, graceMs: number = this.#plane.limits.graceMs): void {
    if (this.#abort.signal.aborted) return
    this.#abort.abort(reason)
    this.#watchdog()
    this.#watchdog = this.#plane.defer(graceMs, () => this.#settle(reason))
  }

  async commit(commit: HandlerCommit): Promise<CommitReply> {
    if (this.#over) throw new RouseError("FENCED", "the wake is over")
    try {
      const reply = await applyHandlerCommit(this.#plane, this.#lease, commit)
      this.#progressAtMs = this.#plane.clock()
      if (commit.finish) this.#over = true
      return reply
    } catch (error) {
      if (RouseError.is(error, "FENCED")) this.abort(error)
      throw error
    }
  }

  async #handle(): Promise<void> {
    const rows = await this.#plane.store.rows(this.#lease.url)
    const request: WakeRequest = { wake: this.#lease.wake, entity: this.#entity, rows }
    await runWake(this.#definition, request, this, this.#host)
    if (!this.#over) throw new RouseError("HANDLER_FAILED", "the handler returned without finishing its wake")
  }

  /** Ends the wake once, whichever comes first: the handler's return, its throw, or the end of its time. */
  #settle(error: unknown): void {
    this.#watchdog()
    this.#heartbeat()
    const finished = this.#over
    this.#over = true
    if (finished || error === undefined) return this.#resolve()
    this.#end(error).then(this.#resolve, (failure: unknown) => {
      this.#plane.log.error("a wake could not be ended; its lease will expire", { url: this.#lease.url, error: String(failure) })
      this.#resolve()
    })
  }

  async #end(error: unknown): Promise<void> {
    if (RouseError.is(error, "FENCED", "STOPPED")) return
    const failure = failureOf(error, this.#definition.attempts ?? this.#plane.limits.attemptsMax)
    if (failure.kind === "failed") {
      this.#plane.log.warn("a wake failed", { url: this.#lease.url, attempt: this.#lease.wake.attempt, reason: failure.message })
    }
    try {
      await endWake(this.#plane, this.#lease, failure)
    } catch (cause) {
      if (!RouseError.is(cause, "FENCED")) throw cause
    }
  }

  /** Takes the wake away from a handler that makes no progress. */
  #watch(): void {
    const limit = this.#definition.timeout ?? this.#plane.limits.handlerMs
    const leftMs = this.#progressAtMs + limit - this.#plane.clock()
    if (leftMs <= 0) this.abort(new RouseError("TIMED_OUT", `the handler committed nothing for ${limit} ms`))
    else this.#watchdog = this.#plane.defer(leftMs, () => this.#watch())
  }

  #renewLater(): void {
    this.#heartbeat = this.#plane.defer(this.#plane.limits.leaseMs / 3, () => {
      if (this.#over) return
      void this.#renew().then(() => this.#over || this.#renewLater())
    })
  }

  async #renew(): Promise<void> {
    const { url, wake } = this.#lease
    try {
      await this.#plane.transactor.transact([url], (planning) => {
        const expiresAtMs = planning.draft.nowMs + this.#plane.limits.leaseMs
        planning.entity(url)?.wake({ kind: "renew", epoch: wake.epoch, expiresAtMs, progress: false })
      })
    } catch (error) {
      if (RouseError.is(error, "FENCED")) this.abort(error)
      else this.#plane.log.warn("a lease could not be renewed", { url, error: String(error) })
    }
  }
}

function failureOf(error: unknown, attemptsMax: number): WakeFailure {
  if (RouseError.is(error, "SHUTTING_DOWN")) return { kind: "released" }
  const known = error instanceof Error ? error : new Error(String(error))
  const code = RouseError.is(error) ? { code: error.code } : {}
  const stack = known.stack === undefined ? {} : { stack: known.stack }
  return { kind: "failed", message: known.message || known.name, ...stack, ...code, attemptsMax }
}
