import { RouseError } from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import { controlOf } from "./core/control.ts"
import type { Plane } from "./plane.ts"
import { loseLease } from "./ticker.ts"

/** How many due entities are read at first; four times as many each time there are more. */
const DUE_FIRST = 1_024

/**
 * Takes over every wake that a dead process left running. Of the embedded store there is one owner at a time, so a lease found when it is
 * opened is a dead process's: it is recognised, not waited out. Of a store that replicas share it is one that names a replica whose session has ended.
 * One whose handler is not in the server's process may well be alive: it gets a lease's time from now to say so.
 *
 * @returns How many there were.
 */
export async function recover(plane: Plane): Promise<number> {
  plane.transactor.queued = await queuedEntities(plane)
  const taken = await Promise.all((await leasesOfOthers(plane)).map((record) => takeOver(plane, record)))
  return taken.filter(Boolean).length
}

/** Running wakes whose lease is nobody's that is alive. Leases are read first: whoever took one since is on record by then. */
export async function leasesOfOthers(plane: Plane): Promise<readonly EntityRecord[]> {
  const running = await dueOf(plane, "running")
  const { replicas } = plane.store
  if (replicas === undefined || running.length === 0) return running
  const live = new Set((await replicas.live()).map(({ id }) => id))
  return running.filter((record) => !live.has(controlOf(record).replica ?? ""))
}

async function queuedEntities(plane: Plane): Promise<number> {
  return plane.store.replicas ? await plane.store.replicas.queued() : (await dueOf(plane, "queued")).length
}

async function dueOf(plane: Plane, status: "queued" | "running"): Promise<readonly EntityRecord[]> {
  for (let limit = DUE_FIRST; ; limit *= 4) {
    const due = await plane.store.dueEntities(Number.MAX_SAFE_INTEGER, limit, { status })
    if (due.length < limit) return due
  }
}

/** Returns whether a wake was taken from its holder, as far as one knows. */
export async function takeOver(plane: Plane, record: EntityRecord): Promise<boolean> {
  try {
    if (controlOf(record).remote) return await extend(plane, record)
    await loseLease(plane, record, controlOf(record).wake.epoch, "the process that ran it is gone")
    return true
  } catch (error) {
    if (!RouseError.is(error, "FENCED", "CONFLICT")) throw error
    return false
  }
}

/** Returns false: nothing was interrupted as far as one knows. */
async function extend(plane: Plane, record: EntityRecord): Promise<boolean> {
  const { epoch } = controlOf(record).wake
  await plane.transactor.transact([record.url], (planning) => {
    const entity = planning.entity(record.url)
    const expiresAtMs = planning.draft.nowMs + plane.limits.remoteLeaseMs
    entity?.wake({ kind: "renew", epoch, expiresAtMs, progress: false })
    if (plane.peers.own !== undefined) entity?.setControl({ replica: plane.peers.own })
  })
  return false
}
