import { type MessageRow, type Reason, RouseError, type Row } from "@rouse/protocol"
import type { DueFilter, EntityRecord } from "@rouse/store"
import { controlOf } from "./core/control.ts"
import { type EntityDraft, reasonKind } from "./core/draft.ts"
import { inTurns } from "./core/turns.ts"
import { DueLoop, STORE_RETRY_MS } from "./due-loop.ts"
import type { Plane } from "./plane.ts"
import { freezeTrees, leaseNow } from "./rouse.ts"
import type { Slot } from "./dispatcher.ts"
import { fireTimers } from "./timers.ts"
import { endWake } from "./wake-end.ts"

/** How many due things are read at a time: as many as there is room for, within these. */
const BATCH = 256
const BATCH_MIN = 16

/** How many queued wakes of one type are read at a time, when there are more than one read shows. */
const TYPE_BATCH = 16

/** How long a wake steps back for which there is no room in its version. */
const HOLD_MS = 2_000

/**
 * The loop that looks at what falls due: timers, queued wakes, and leases that ran out. Room that comes free pokes it.
 *
 * A timer's effect and its deletion are one commit: it fires once.
 */
export function newTicker(plane: () => Plane): DueLoop {
  return new DueLoop(plane, { name: "due work", look, next })
}

/** What is due and was not taken waits for room, which pokes. */
async function next(plane: Plane): Promise<number | undefined> {
  const due = await plane.store.nextDueAtMs()
  const now = plane.clock()
  return due !== undefined && due <= now ? now + STORE_RETRY_MS : due
}

async function look(plane: Plane): Promise<boolean> {
  const timers = await plane.store.dueTimers(plane.clock(), BATCH)
  const fired = plane.peers.share(timers, urlOf, (timer) => timer.dueAtMs, plane.dueAt)
  await fireTimers(plane, fired)
  // More than there is room for need not be read, here and in those who read the same.
  const limit = Math.min(BATCH, Math.max(plane.dispatcher.room, BATCH_MIN) * plane.peers.count)
  const due = await plane.store.dueEntities(plane.clock(), limit)
  const isAll = due.length < limit
  await attend(plane, shared(plane, isAll ? due.filter(isRunning) : await dueOf(plane, BATCH, { status: "running" })))
  const isRoomLeft = await takeTurns(plane, isAll ? byType(due) : await dueByType(plane))
  return isRoomLeft || (timers.length === BATCH && fired.length > 0)
}

function urlOf({ url }: { readonly url: string }): string {
  return url
}

/** Those that this process is to attend to now. */
function shared(plane: Plane, due: readonly EntityRecord[]): readonly EntityRecord[] {
  return plane.peers.share(due, urlOf, ({ dueAtMs }) => dueAtMs ?? 0, plane.dueAt)
}

/**
 * Takes queued wakes as far as there is room, each type in its turn. Room that comes free for those that are left pokes. Returns whether
 * some are left and there is room still.
 */
async function takeTurns(plane: Plane, due: ReadonlyMap<string, readonly EntityRecord[]>): Promise<boolean> {
  const { dispatcher } = plane
  const { room } = dispatcher
  if (room <= 0) {
    dispatcher.leave(true)
    return false
  }
  const perType = new Map([...due].map(([type, records]) => [type, shared(plane, records)]))
  const waiting = [...perType.values()].reduce((sum, records) => sum + records.length, 0)
  const turns = inTurns([...perType].map(([type, records]) => records.slice(0, dispatcher.roomFor(type))))
  const taken = turns.slice(0, room)
  const isFull = [...perType.values()].some((records) => records.length >= TYPE_BATCH)
  const isMore = isFull || waiting > taken.length
  // Types at their own limit keep no other from being served at once.
  dispatcher.queueing = turns.length > room
  if (isMore) dispatcher.leave(dispatcher.queueing)
  await attend(plane, taken)
  return isMore && taken.length > 0 && dispatcher.room > 0
}

async function attend(plane: Plane, records: readonly EntityRecord[]): Promise<void> {
  await Promise.all(records.map((record) => attendTo(plane, record)))
}

async function attendTo(plane: Plane, record: EntityRecord): Promise<void> {
  try {
    if (isRunning(record)) await expire(plane, record)
    else await take(plane, record)
  } catch (error) {
    if (RouseError.is(error, "FENCED", "CONFLICT")) return
    plane.log.error("a due entity could not be attended to", { url: record.url, error: String(error) })
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
  const limit = TYPE_BATCH * plane.peers.count
  const read = await Promise.all(types.map((type) => dueOf(plane, limit, { status: "queued", type })))
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
      slot = leaseNow(plane, entity, await reasonsOf(plane, entity), planning.draft.nowMs, true)
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
async function reasonsOf(plane: Plane, { url, control }: EntityDraft): Promise<readonly Reason[]> {
  const { wake, taken } = control
  const retry: Reason[] = wake.phase.kind === "queued" && wake.phase.wake.attempt > 1 ? [{ kind: "retry" }] : []
  const seen = taken === null ? undefined : new Set(taken)
  const rows = (await plane.transactor.rows(url, "message")) as unknown as readonly Row<MessageRow>[]
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
