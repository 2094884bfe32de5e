import type { Principal } from "@rouse/protocol"
import type { Timer } from "@rouse/store"
import { afterLoss, afterTimeout, dueOf, isTimedOut, leaseMs, payloadOf } from "../core/work-item.ts"
import type { Plane } from "../plane.ts"
import { transactAndRouse } from "../rouse.ts"
import { endClaim, putItem, settleCall, workTimer } from "./settle.ts"

/** What the timer of a call with workers holds. */
export interface TimedWork {
  readonly kind: "work"
  readonly id: string
}

const SYSTEM: Principal = { kind: "system", id: "rouse" }

/** Looks at a call with workers whose time has come: its worker is silent, its pause is over, or nobody took it. */
export async function fireWork(plane: Plane, timer: Timer, { id }: TimedWork): Promise<void> {
  const { url } = timer
  const { value: dueAtMs } = await transactAndRouse(plane, [url], async (planning) => {
    const { draft } = planning
    draft.guard({ kind: "timer", id: timer.id })
    const record = await plane.store.work(id)
    const entity = planning.entity(url)
    if (!record || !entity) {
      draft.also({ op: "deleteTimer", id: timer.id })
      return undefined
    }
    draft.guard({ kind: "work", id, version: record.version })
    const payload = payloadOf(record)
    const dueMs = dueOf(payload, record.open)
    if (dueMs === undefined) {
      draft.also({ op: "deleteTimer", id: timer.id })
      return undefined
    }
    // Nobody could say that they live while no server ran: they get the time that they would have had.
    const atMs = payload.claim === null ? dueMs : Math.max(dueMs, plane.work.startedAtMs + leaseMs(payload))
    if (atMs > draft.nowMs) {
      draft.also({ op: "putTimer", timer: workTimer(id, url, atMs) })
      return atMs
    }
    if (payload.claim !== null) {
      const after = isTimedOut(payload, draft.nowMs)
        ? afterTimeout(payload, plane.random())
        : afterLoss(payload, "its worker was lost")
      await endClaim(plane, draft, entity, record, after, SYSTEM)
    } else if (record.open) {
      const error = "no worker took it in time"
      await settleCall(plane, draft, entity, record, { status: "failed", error }, SYSTEM)
    } else putItem(draft, record, payload, true)
    return undefined
  })
  if (dueAtMs !== undefined) plane.dueAt(dueAtMs)
  else plane.work.notify()
}
