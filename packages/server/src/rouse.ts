import { entityStreamPath, type EntityUrl, type Reason, type WakeInfo } from "@rouse/protocol"
import { isFrozen, tooManyWakes } from "./breakers.ts"
import { isoTime } from "./core/control.ts"
import type { CommitDraft, EntityDraft } from "./core/draft.ts"
import type { Slot } from "./dispatcher.ts"
import { leaseMsOf } from "./limits.ts"
import type { Plane } from "./plane.ts"
import type { Planning, Transacted } from "./transactor.ts"

/**
 * Plans and commits a change, and takes the lease of every entity that it rouses in the same commit when this process has room
 * for the wake: a message to an idle agent is then one commit, not two. What finds no room stays queued in the store.
 */
export async function transactAndRouse<T>(
  plane: Plane,
  urls: readonly EntityUrl[],
  plan: (planning: Planning) => T | Promise<T>,
): Promise<Transacted<T>> {
  let slots: Slot[] = []
  const giveBack = (): void => {
    for (const slot of slots) slot.release()
    slots = []
  }
  try {
    const transacted = await plane.transactor.transact(urls, async (planning) => {
      giveBack()
      const value = await plan(planning)
      await plane.tellAskers(planning)
      for (const entity of planning.draft.entities) {
        const slot =
          entity.reasons.length > 0 && isFirstAttempt(entity)
            ? leaseNow(plane, entity, entity.reasons, planning.draft.nowMs)
            : undefined
        if (slot) slots.push(slot)
      }
      return value
    })
    if (transacted.result?.applied === false) giveBack()
    else {
      tellSettled(plane, transacted)
      freezeTrees(plane, transacted.draft)
    }
    for (const slot of slots) slot.start()
    if (plane.dispatcher.queueing && plane.dispatcher.room > 0) plane.dueAt(transacted.draft.nowMs)
    lookForRoom(plane, transacted.draft)
    return transacted
  } catch (error) {
    giveBack()
    throw error
  }
}

/** Room that came between the plan and its commit, such as a worker that asks for wakes, was told of before there was anything to take. */
function lookForRoom(plane: Plane, draft: CommitDraft): void {
  for (const entity of draft.entities) {
    const { status, dueAtMs } = entity.record
    if (status !== "queued" || dueAtMs === null || dueAtMs > draft.nowMs) continue
    if (plane.dispatcher.roomOf(entity) > 0) plane.dueAt(draft.nowMs)
  }
}

/** A further attempt has reasons of its own, which the ticker looks up. */
function isFirstAttempt({ control }: EntityDraft): boolean {
  const { phase } = control.wake
  return phase.kind === "queued" && phase.wake.attempt === 1
}

/**
 * Takes the lease of a queued entity, if it is due and there is room: the wake state, and the event on the log. One that is not taken
 * `fromQueue`, where types take turns, waits behind those that are queued.
 * The caller commits, and then starts or releases the slot.
 */
export function leaseNow(
  plane: Plane,
  entity: EntityDraft,
  reasons: readonly Reason[],
  nowMs: number,
  fromQueue = false,
): Slot | undefined {
  const { phase } = entity.control.wake
  if (phase.kind !== "queued" || phase.dueAtMs > nowMs) return undefined
  const { run } = entity.control
  const slot = plane.dispatcher.reserve(entity.url, entity.record.type, run?.version, fromQueue)
  if (!slot) return undefined
  // Counted where there is room, and so once: one that finds none comes here again.
  if (phase.wake.attempt === 1 && tooManyWakes(plane, entity, nowMs)) {
    slot.release()
    return undefined
  }
  entity.wake({ kind: "lease", nowMs, expiresAtMs: nowMs + leaseMsOf(plane.limits, slot.isRemote) })
  if (slot.isRemote) entity.setControl({ remote: { progressAtMs: nowMs } })
  else if (entity.control.remote) entity.setControl({ remote: null })
  const { own } = plane.peers
  if (own !== undefined && entity.control.replica !== own) entity.setControl({ replica: own })
  const wake: WakeInfo = {
    id: phase.wake.id,
    attempt: phase.wake.attempt,
    epoch: entity.control.wake.epoch,
    first: entity.control.wakes === 0,
    reasons,
    deadlineAtMs: plane.limits.sliceMs === null ? null : nowMs + plane.limits.sliceMs,
    ...(slot.version === undefined ? {} : { version: slot.version }),
  }
  const kinds = [...new Set(reasons.map((reason) => reason.kind))]
  const { id, attempt, epoch } = wake
  const row = { id, attempt, epoch, reasons: kinds, at: isoTime(nowMs) }
  if (attempt === 1) entity.insert("wake", id, row)
  else entity.update("wake", id, row)
  slot.lease(wake, entity.record)
  return slot
}

/** The trees of what a commit froze follow it. */
export function freezeTrees(plane: Plane, draft: CommitDraft): void {
  for (const entity of draft.entities) {
    if (isFrozen(entity)) plane.freezeTree(entity.control.root ?? entity.url, entity.url)
  }
}

function tellSettled(plane: Plane, { draft, result }: Transacted<unknown>): void {
  for (const entity of draft.entities) {
    const offset = result?.streams[entityStreamPath(entity.url)]?.next
    if (offset === undefined) continue
    for (const settlement of entity.settled) plane.settlements.tell({ url: entity.url, offset, ...settlement })
  }
}
