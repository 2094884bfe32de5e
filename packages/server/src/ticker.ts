import { type EntityUrl, type MessageRow, type Reason, RouseError, type Row } from "@rouse/protocol"
import type { EntityRecord, Timer } from "@rouse/store"
import { controlOf } from "./core/control.ts"
import { deliver, type TimedSend } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { leaseNow, transactAndRouse } from "./rouse.ts"
import type { Slot } from "./dispatcher.ts"
import { endWake } from "./wake-end.ts"

/** How many due things are read at a time. */
const BATCH = 256

/** The longest sleep: a due time written by another process is seen within it. */
const SLEEP_MS_MAX = 30_000

/** Entities remembered as not to be served, each an address. */
const STUCK_MAX = 10_000

/** The pause after the store refused, so that a full disk is not asked without end. */
const STORE_RETRY_MS = 1_000

/**
 * Looks at what falls due: timers, queued wakes, and leases that ran out. Holds one timer, whatever the number of agents.
 *
 * Invariants:
 * 1. One round at a time; a poke during a round makes another follow it.
 * 2. A timer's effect and its deletion are one commit: it fires once.
 */
export class Ticker {
  readonly #plane: () => Plane
  /** Due entities that the last round could not serve: they must not hide those behind them. */
  readonly #stuck = new Set<EntityUrl>()
  #cancel: () => void = () => undefined
  #wakeAtMs = Number.POSITIVE_INFINITY
  #round: Promise<void> | undefined
  #again = false
  #open = true

  constructor(plane: () => Plane) {
    this.#plane = plane
  }

  /** Something falls due at this time. */
  dueAt(ms: number): void {
    if (!this.#open || ms >= this.#wakeAtMs) return
    this.#cancel()
    const delay = Math.min(Math.max(0, ms - this.#plane().clock()), SLEEP_MS_MAX)
    this.#wakeAtMs = ms
    this.#cancel = this.#plane().defer(delay, () => {
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

  /** Looks no more, and waits for the round under way. */
  async close(): Promise<void> {
    this.#open = false
    this.#cancel()
    await this.#round
  }

  async #run(): Promise<void> {
    const plane = this.#plane()
    try {
      do {
        this.#again = false
        await this.#look(plane)
      } while (this.#again && this.#open)
      const next = await plane.store.nextDueAtMs()
      const now = plane.clock()
      // What is due and was not taken waits for room, which pokes.
      this.dueAt(next === undefined ? now + SLEEP_MS_MAX : next <= now ? now + STORE_RETRY_MS : next)
    } catch (error) {
      if (this.#open) plane.log.error("looking for due work failed", { error: String(error) })
      this.dueAt(plane.clock() + STORE_RETRY_MS)
    } finally {
      this.#round = undefined
    }
    if (this.#again) this.poke()
  }

  async #look(plane: Plane): Promise<void> {
    const timers = await plane.store.dueTimers(plane.clock(), BATCH)
    await Promise.all(timers.map((timer) => fire(plane, timer)))
    const due = await plane.store.dueEntities(plane.clock(), BATCH + this.#stuck.size)
    await Promise.all(due.map((record) => this.#attend(plane, record)))
    if (timers.length === BATCH) this.#again = true
  }

  async #attend(plane: Plane, record: EntityRecord): Promise<void> {
    try {
      const done = record.status === "running" ? await expire(plane, record) : await take(plane, record)
      if (done) this.#stuck.delete(record.url)
      else if (this.#stuck.size < STUCK_MAX) this.#stuck.add(record.url)
    } catch (error) {
      if (RouseError.is(error, "FENCED", "CONFLICT")) return
      plane.log.error("a due entity could not be attended to", { url: record.url, error: String(error) })
    }
  }
}

/** Takes the lease of a queued entity, if there is room for it. */
async function take(plane: Plane, record: EntityRecord): Promise<boolean> {
  if (!plane.types.get(record.type)) return false
  let slot: Slot | undefined
  try {
    await plane.transactor.transact([record.url], async (planning) => {
      slot?.release()
      slot = undefined
      const entity = planning.entity(record.url)
      if (!entity || entity.record.status !== "queued") return
      slot = leaseNow(plane, entity, await reasonsOf(plane, record), planning.draft.nowMs)
    })
  } catch (error) {
    slot?.release()
    throw error
  }
  slot?.start()
  return slot !== undefined
}

/**
 * What rouses an entity now: what waits; or, when an earlier attempt had begun to commit, what that one saw. A handler that runs
 * again must see the same messages, or what it numbered by them would be sent twice, or never.
 */
async function reasonsOf(plane: Plane, record: EntityRecord): Promise<readonly Reason[]> {
  const { wake, taken } = controlOf(record)
  const retry: Reason[] = wake.phase.kind === "queued" && wake.phase.wake.attempt > 1 ? [{ kind: "retry" }] : []
  const seen = taken === null ? undefined : new Set(taken)
  const rows = (await plane.transactor.rows(record.url, "message")) as unknown as readonly Row<MessageRow>[]
  const messages = rows.filter((row) => (seen ? seen.has(row.key) : row.value.status === "accepted"))
  return [...messages.map((row): Reason => ({ kind: row.value.kind, message: row.key })), ...retry]
}

/** A lease ran out: its holder is gone. */
async function expire(plane: Plane, record: EntityRecord): Promise<boolean> {
  const { phase, epoch } = controlOf(record).wake
  if (phase.kind !== "running") return false
  await loseLease(plane, record, epoch, "the lease ran out: the process that held it is gone or stuck")
  return true
}

/** Takes a running wake away from a holder that is gone, so that it is tried again. */
export async function loseLease(plane: Plane, record: EntityRecord, epoch: number, message: string): Promise<void> {
  const { phase } = controlOf(record).wake
  if (phase.kind !== "running") return
  const wake = { id: phase.wake.id, attempt: phase.wake.attempt, epoch, first: false, reasons: [], deadlineAtMs: null }
  await endWake(plane, { url: record.url, type: record.type, wake, atMs: record.activeAtMs }, { kind: "lost", message })
}

/** Delivers a delayed message, once: the timer is deleted in the same commit. */
async function fire(plane: Plane, timer: Timer): Promise<void> {
  const { to, from, content, mode, owner } = timer.payload as unknown as TimedSend
  try {
    await transactAndRouse(plane, [...new Set([to, owner])], (planning) => {
      planning.draft.also({ op: "deleteTimer", id: timer.id }, { kind: "timer", id: timer.id })
      planning.entity(owner)?.delete("schedule", timer.id)
      const target = planning.entity(to)
      const message = { kind: "message", from, content, mode } as const
      if (!target) plane.log.warn("a delayed message had nobody to go to", { to, timer: timer.id })
      // It was accepted, so it comes to an end that can be seen (P1).
      else if (target.record.status === "stopped") target.refuse(message, `${to} was stopped before it arrived`)
      else deliver(plane, target, message)
    })
  } catch (error) {
    // Another replica fired it first.
    if (!RouseError.is(error, "CONFLICT")) throw error
  }
}
