import type { EntityUrl } from "@rouse/protocol"
import { RouseError } from "@rouse/protocol"
import type { EntityRecord, Replica } from "@rouse/store"
import { controlOf } from "./core/control.ts"
import { rankOf, TURN_MS } from "./core/rendezvous.ts"
import type { Plane } from "./plane.ts"
import { leasesOfOthers, takeOver } from "./recovery.ts"

/** How long after a session ended its row is kept: a commit that was on its way then has arrived. */
const FORGET_MS = 5_000

/** What a loop looks for again when its turn comes. */
type Later = (atMs: number) => void

/**
 * The replicas that serve the same store, as this one knows them. Where a store has one process there is nobody, and every answer is at once: everything is
 * this process's.
 *
 * Invariants:
 * 1. It only says who should do what first. Who does it is decided by commits: whoever comes second loses a compare-and-set.
 * 2. What its first in line leaves undone, the next ones do, each `TURN_MS` later.
 * 3. A lease is taken away only from a replica that was not live when it was looked up after the lease was.
 */
export class Peers {
  readonly #plane: () => Plane
  #live: readonly Replica[] = []
  /** Since when a replica has been known to have ended, by id. */
  readonly #endedAtMs = new Map<string, number>()
  #taking: Promise<void> | undefined
  #isRecounting = false

  constructor(plane: () => Plane) {
    this.#plane = plane
  }

  /** What leases of this process name; undefined where there can be no other. */
  get own(): string | undefined {
    return this.#plane().store.replicas?.id
  }

  /** How many share the work. At least 1. */
  get count(): number {
    return Math.max(1, this.#live.length)
  }

  /** Begins this process's session: from then on its leases are its own. */
  async join(poke: () => void): Promise<void> {
    const plane = this.#plane()
    await plane.store.replicas?.join(plane.limits.wakesMax, {
      onReplicas: (live, ended) => {
        const isNew = live.length !== this.#live.length
        this.#live = live
        if (isNew) poke()
        this.#recount()
        if (ended.length > 0) this.#taking ??= this.#takeAll(ended).finally(() => (this.#taking = undefined))
      },
      onEntities: (urls) => this.#heard(urls),
      onDue: (atMs) => plane.dueAt(atMs),
    })
  }

  /** Lets the others do what is due from now on. */
  async drain(): Promise<void> {
    const plane = this.#plane()
    await plane.store.replicas
      ?.drain()
      .catch((error: unknown) => plane.log.warn("the other servers could not be told", { error: String(error) }))
  }

  async leave(): Promise<void> {
    await this.#taking
    await this.#plane().store.replicas?.leave()
  }

  /**
   * Of what is due, that which this process is to do now, first what it is first in line for. `later` is told when the turn comes for the earliest of the rest.
   */
  share<T>(due: readonly T[], keyOf: (one: T) => string, dueAtOf: (one: T) => number, later: Later): readonly T[] {
    const { own } = this
    if (own === undefined || this.#live.length < 2) return due
    const nowMs = this.#plane().clock()
    const ranked = due.map((one) => ({ one, rank: rankOf(keyOf(one), own, this.#live) }))
    let laterAtMs = Number.POSITIVE_INFINITY
    const now = ranked.filter(({ one, rank }) => {
      const turnAtMs = dueAtOf(one) + rank * TURN_MS
      if (turnAtMs > nowMs) laterAtMs = Math.min(laterAtMs, turnAtMs)
      return turnAtMs <= nowMs
    })
    if (laterAtMs !== Number.POSITIVE_INFINITY) later(laterAtMs)
    return now.sort((a, b) => a.rank - b.rank).map(({ one }) => one)
  }

  /** What another replica changed is not remembered as it was, and a wake under way here may have to end. */
  #heard(urls: readonly EntityUrl[]): void {
    const plane = this.#plane()
    plane.transactor.forget(urls)
    for (const url of urls) {
      if (!plane.dispatcher.isActive(url)) continue
      plane.store.entity(url).then(
        (record) => this.#check(url, record),
        (error: unknown) =>
          plane.log.debug("a change by another server could not be read", { url, error: String(error) }),
      )
    }
  }

  #check(url: EntityUrl, record: EntityRecord | undefined): void {
    const plane = this.#plane()
    const control = record && controlOf(record)
    if (control?.wake.phase.kind === "stopped") plane.abort(url, new RouseError("STOPPED", "the entity was stopped"))
    else if (control?.interrupting && plane.dispatcher.activeWake(url, control.wake.epoch))
      plane.abort(url, new RouseError("INTERRUPTED", control.interrupting.reason))
  }

  /** Leases of replicas that ended: what this one is first in line for, and at the next call whatever is left. */
  async #takeAll(ended: readonly string[]): Promise<void> {
    const plane = this.#plane()
    const nowMs = plane.clock()
    try {
      const left = await leasesOfOthers(plane)
      const isFirst = ended.some((id) => !this.#endedAtMs.has(id))
      const { own = "" } = this
      const mine = isFirst ? left.filter(({ url }) => rankOf(url, own, this.#live) === 0) : left
      const taken = await Promise.all(mine.map((record) => takeOver(plane, record)))
      const count = taken.filter(Boolean).length
      if (count > 0) plane.log.warn("wakes of a server that ended were taken over", { count })
      await this.#forgetAll(ended, left.length === 0, nowMs)
    } catch (error) {
      plane.log.warn("wakes of a server that ended could not be taken over yet", { error: String(error) })
    }
  }

  async #forgetAll(ended: readonly string[], isDone: boolean, nowMs: number): Promise<void> {
    for (const id of this.#endedAtMs.keys()) if (!ended.includes(id)) this.#endedAtMs.delete(id)
    for (const id of ended) {
      const sinceMs = this.#endedAtMs.get(id) ?? nowMs
      this.#endedAtMs.set(id, sinceMs)
      if (isDone && sinceMs + FORGET_MS <= nowMs) await this.#plane().store.replicas?.forget(id)
    }
  }

  /** Others take what this one queued: before messages are refused for what waits, it is counted. */
  #recount(): void {
    const { transactor, limits, store, log } = this.#plane()
    if (transactor.queued < limits.queuedMax || this.#isRecounting || store.replicas === undefined) return
    this.#isRecounting = true
    store.replicas
      .queued()
      .then(
        (queued) => (transactor.queued = queued),
        (error: unknown) => log.debug("what waits could not be counted", { error: String(error) }),
      )
      .finally(() => (this.#isRecounting = false))
  }
}
