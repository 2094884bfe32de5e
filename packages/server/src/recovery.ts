import { RouseError } from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import { controlOf } from "./core/control.ts"
import type { Plane } from "./plane.ts"
import { loseLease } from "./ticker.ts"

/** How many due entities are read at first; four times as many each time there are more. */
const DUE_FIRST = 1_024

/**
 * Takes over every wake that a dead process left running. The embedded store has one owner at a time, so a lease found when it is
 * opened is a dead process's: it is recognised, not waited out. One whose handler is not in the server's process may well be alive: it gets a
 * lease's time from now to say so.
 *
 * @returns How many there were.
 */
export async function recover(plane: Plane): Promise<number> {
  const running = await runningEntities(plane)
  const taken = await Promise.all(running.map((record) => takeOver(plane, record)))
  return taken.filter(Boolean).length
}

async function runningEntities(plane: Plane): Promise<readonly EntityRecord[]> {
  for (let limit = DUE_FIRST; ; limit *= 4) {
    const due = await plane.store.dueEntities(Number.MAX_SAFE_INTEGER, limit)
    if (due.length < limit) {
      plane.transactor.queued = due.filter((record) => record.status === "queued").length
      return due.filter((record) => record.status === "running")
    }
  }
}

async function takeOver(plane: Plane, record: EntityRecord): Promise<boolean> {
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
    const expiresAtMs = planning.draft.nowMs + plane.limits.remoteLeaseMs
    planning.entity(record.url)?.wake({ kind: "renew", epoch, expiresAtMs, progress: false })
  })
  return false
}
