import { RouseError } from "@rouse/protocol"
import type { ObservationRecord } from "@rouse/store"
import { deliverBatch } from "./observe-deliver.ts"
import { Digests } from "./observe-digest.ts"
import type { Plane } from "./plane.ts"

/** Observations that are looked at together. */
const LOOK_MAX = 1_024
/** Of them, those that are told in one commit. */
const COMMIT_MAX = 128
/** The longest sleep: a due time written by another process is seen within it. */
const SLEEP_MS_MAX = 30_000
/** The pause after the store refused, or one could not be told. */
const RETRY_MS = 1_000

/**
 * Looks at the observations that are due, earliest first. Holds one timer, whatever their number; all else it knows is in the store.
 *
 * 1. One round at a time; a poke during a round makes another follow it.
 * 2. One that cannot be told keeps no other from being told.
 */
export class ObserveLoop {
  readonly #plane: () => Plane
  #cancel: () => void = () => undefined
  #unwatch: () => void = () => undefined
  #wakeAtMs = Number.POSITIVE_INFINITY
  #round: Promise<void> | undefined
  #again = false
  #open = false

  constructor(plane: () => Plane) {
    this.#plane = plane
  }

  start(): void {
    this.#open = true
    this.#unwatch = this.#plane().store.watchObservations((dueAtMs) => this.dueAt(dueAtMs))
    this.poke()
  }

  /** Looks no more, and waits for the round under way. */
  async close(): Promise<void> {
    this.#open = false
    this.#unwatch()
    this.#cancel()
    await this.#round
  }

  /** Something falls due at this time. */
  dueAt(ms: number): void {
    if (!this.#open || ms >= this.#wakeAtMs) return
    this.#cancel()
    this.#wakeAtMs = ms
    const delayMs = Math.min(Math.max(0, ms - this.#plane().clock()), SLEEP_MS_MAX)
    this.#cancel = this.#plane().defer(delayMs, () => {
      this.#wakeAtMs = Number.POSITIVE_INFINITY
      this.poke()
    })
  }

  /** Looks now. */
  poke(): void {
    if (!this.#open) return
    if (this.#round) this.#again = true
    else this.#round = this.#run()
  }

  async #run(): Promise<void> {
    const plane = this.#plane()
    this.#cancel()
    this.#wakeAtMs = Number.POSITIVE_INFINITY
    try {
      do {
        this.#again = false
        if ((await this.#look(plane)) === LOOK_MAX) this.#again = true
      } while (this.#again && this.#open)
      const next = await plane.store.nextObservationDueAtMs()
      this.dueAt(next ?? plane.clock() + SLEEP_MS_MAX)
    } catch (error) {
      if (this.#open) plane.log.error("looking for what is observed failed", { error: String(error) })
      this.dueAt(plane.clock() + RETRY_MS)
    } finally {
      this.#round = undefined
    }
    if (this.#again) this.poke()
  }

  /** Returns how many were due. */
  async #look(plane: Plane): Promise<number> {
    const due = await plane.store.dueObservations(plane.clock(), LOOK_MAX)
    const digests = new Digests(plane.store)
    for (let at = 0; at < due.length && this.#open; at += COMMIT_MAX)
      await this.#deliver(plane, digests, due.slice(at, at + COMMIT_MAX))
    return due.length
  }

  /** What cannot be told together is told one by one, and what cannot be told at all later. */
  async #deliver(plane: Plane, digests: Digests, records: readonly ObservationRecord[]): Promise<void> {
    try {
      await deliverBatch(plane, digests, records)
    } catch (error) {
      if (RouseError.is(error, "STORE_UNAVAILABLE", "SHUTTING_DOWN", "OVERLOADED")) throw error
      const [first, ...others] = records
      if (first === undefined) return
      if (others.length > 0) for (const record of records) await this.#deliver(plane, digests, [record])
      else await postpone(plane, first, error)
    }
  }
}

async function postpone(plane: Plane, record: ObservationRecord, error: unknown): Promise<void> {
  const { url, name, serial, version, path, filter, debounceMs, timeoutAtMs, config } = record
  plane.log.error("an observer could not be told", { url, observation: name, error: String(error) })
  const nowMs = plane.clock()
  const kept = { url, name, path, filter, debounceMs, timeoutAtMs, config }
  const change = { kind: "put", record: { ...kept, cursor: null, notBeforeMs: nowMs + RETRY_MS }, nowMs } as const
  const guards = [{ kind: "observation", url, name, serial, version }] as const
  await plane.store.commit({ guards, ops: [{ op: "observation", change }] }).catch((failure: unknown) => {
    if (!RouseError.is(failure, "CONFLICT")) throw failure
  })
}
