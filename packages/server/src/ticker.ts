import { type MessageRow, type Reason, RouseError, type Row } from "@rouse/protocol"
import type { DueFilter, EntityRecord } from "@rouse/store"
import { controlOf } from "./core/control.ts"
import { type EntityDraft, reasonKind } from "./core/draft.ts"
import { inTurns } from "./core/turns.ts"
import type { Plane } from "./plane.ts"
import { freezeTrees, leaseNow } from "./rouse.ts"
import type { Slot } from "./dispatcher.ts"
import { fireTimers } from "./timers.ts"
import { endWake } from "./wake-end.ts"

/** How many due things are read at a time: as many as there is room for, within these. */
const BATCH = 256
const BATCH_MIN = 16

/** The longest sleep: a due time written by another process is seen within it. */
const SLEEP_MS_MAX = 30_000

/** How many queued wakes of one type are read at a time, when there are more than one read shows. */
const TYPE_BATCH = 16

/** How long a wake steps back for which there is no room in its version. */
const HOLD_MS = 2_000

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
    // This look is for all that was said to fall due before it, and the clock may have jumped since the timer was set.
    this.#cancel()
    this.#wakeAtMs = Number.POSITIVE_INFINITY
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
    await fireTimers(plane, timers)
    // More than there is room for need not be read.
    const limit = Math.min(BATCH, Math.max(plane.dispatcher.room, BATCH_MIN))
    const due = await plane.store.dueEntities(plane.clock(), limit)
    const isAll = due.length < limit
    await this.#attend(plane, isAll ? due.filter(isRunning) : await dueOf(plane, BATCH, { status: "running" }))
    await this.#takeTurns(plane, isAll ? byType(due) : await dueByType(plane))
    if (timers.length === BATCH) this.#again = true
  }

  /** Takes queued wakes as far as there is room, each type in its turn. Room that comes free for those that are left pokes. */
  async #takeTurns(plane: Plane, perType: ReadonlyMap<string, readonly EntityRecord[]>): Promise<void> {
    const { dispatcher } = plane
    const { room } = dispatcher
    const waiting = [...perType.values()].reduce((sum, records) => sum + records.length, 0)
    if (room <= 0) return dispatcher.leave(true)
    const turns = inTurns([...perType].map(([type, records]) => records.slice(0, dispatcher.roomFor(type))))
    const taken = turns.slice(0, room)
    const isFull = [...perType.values()].some((records) => records.length >= TYPE_BATCH)
    const isMore = isFull || waiting > taken.length
    // Types at their own limit keep no other from being served at once.
    dispatcher.queueing = turns.length > room
    if (isMore) dispatcher.leave(dispatcher.queueing)
    await this.#attend(plane, taken)
    if (isMore && taken.length > 0 && dispatcher.room > 0) this.#again = true
  }

  async #attend(plane: Plane, records: readonly EntityRecord[]): Promise<void> {
    await Promise.all(records.map((record) => this.#attendTo(plane, record)))
  }

  async #attendTo(plane: Plane, record: EntityRecord): Promise<void> {
    try {
      if (isRunning(record)) await expire(plane, record)
      else await take(plane, record)
    } catch (error) {
      if (RouseError.is(error, "FENCED", "CONFLICT")) return
      plane.log.error("a due entity could not be attended to", { url: record.url, error: String(error) })
    }
  }
}

function isRunning(record: EntityRecord): boolean {
  return record.status === "running"
}

function dueOf(plane: Plane, limit: number, filter: DueFilter): Promise<readonly EntityRecord[]> {
  return plane.store.dueEntities(plane.clock(), limit, filter)
}

/** Queued wakes of the types that are served and have room, some of each. */
async function dueByType(plane: Plane): Promise<ReadonlyMap<string, readonly EntityRecord[]>> {
  const types = plane.types.names().filter((type) => plane.dispatcher.roomFor(type) > 0)
  const read = await Promise.all(types.map((type) => dueOf(plane, TYPE_BATCH, { status: "queued", type })))
  return new Map(types.map((type, index) => [type, read[index] ?? []]))
}

function byType(records: readonly EntityRecord[]): ReadonlyMap<string, readonly EntityRecord[]> {
  return Map.groupBy(
    records.filter((record) => !isRunning(record)),
    (record) => record.type,
  )
}

/** Takes the lease of a queued entity, if there is room for it. */
async function take(plane: Plane, record: EntityRecord): Promise<void> {
  let slot: Slot | undefined
  try {
    const { draft, result } = await plane.transactor.transact([record.url], async (planning) => {
      slot?.release()
      slot = undefined
      const entity = planning.entity(record.url)
      if (!entity || entity.record.status !== "queued") return
      slot = leaseNow(plane, entity, await reasonsOf(plane, record), planning.draft.nowMs, true)
      if (!slot) holdBack(plane, entity)
    })
    if (result?.applied !== false) freezeTrees(plane, draft)
  } catch (error) {
    slot?.release()
    throw error
  }
  slot?.start()
}

/** A wake that only a version can run for which there is no room steps back, so that it does not stand before the others of its type. */
function holdBack(plane: Plane, entity: EntityDraft): void {
  if (plane.dispatcher.roomFor(entity.record.type) > plane.dispatcher.roomOf(entity)) {
    entity.wake({ kind: "hold", dueAtMs: entity.nowMs + HOLD_MS })
  }
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
  return [...messages.map((row): Reason => ({ kind: reasonKind(row.value), message: row.key })), ...retry]
}

/** A lease ran out: its holder is gone. */
async function expire(plane: Plane, record: EntityRecord): Promise<void> {
  const { phase, epoch } = controlOf(record).wake
  if (phase.kind !== "running") return
  await loseLease(plane, record, epoch, "the lease ran out: the process that held it is gone or stuck")
}

/** Takes a running wake away from a holder that is gone, so that it is tried again. */
export async function loseLease(plane: Plane, record: EntityRecord, epoch: number, message: string): Promise<void> {
  const { phase } = controlOf(record).wake
  if (phase.kind !== "running") return
  const wake = { id: phase.wake.id, attempt: phase.wake.attempt, epoch, first: false, reasons: [], deadlineAtMs: null }
  await endWake(plane, { url: record.url, type: record.type, wake, atMs: record.activeAtMs }, { kind: "lost", message })
}
