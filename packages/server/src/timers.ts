import { type Json, RouseError } from "@rouse/protocol"
import type { Timer } from "@rouse/store"
import { fireAsk } from "./ask-expiry.ts"
import type { TimedAsk } from "./ask-timer.ts"
import { deliver, type TimedSend } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { transactAndRouse } from "./rouse.ts"
import { fireSchedule, type TimedSchedule } from "./schedules.ts"
import { fireTree } from "./tree-descent.ts"
import type { TimedTree } from "./tree-signals.ts"
import type { TimedApproval } from "./approval/ask.ts"
import { fireApproval } from "./approval/expiry.ts"
import { fireWork, type TimedWork } from "./work/expiry.ts"

/** How long a message waits that found its inbox full. */
const FULL_RETRY_MS = 1_000

/** What a timer of this package holds. A delayed send has no kind. */
type Payload =
  | (TimedSend & { readonly kind?: undefined })
  | TimedSchedule
  | TimedTree
  | TimedApproval
  | TimedWork
  | TimedAsk

/** Does what timers that fell due are for. Signals on their way down a tree go in order, so that a later one has the last word. */
export async function fireTimers(plane: Plane, timers: readonly Timer[]): Promise<void> {
  const inOrder = timers.filter(isTree).sort((a, b) => (a.id < b.id ? -1 : 1))
  const rest = timers.filter((timer) => !isTree(timer))
  await Promise.all([Promise.all(rest.map((timer) => fire(plane, timer))), oneByOne(plane, inOrder)])
}

async function oneByOne(plane: Plane, timers: readonly Timer[]): Promise<void> {
  for (const timer of timers) await fire(plane, timer)
}

function isTree(timer: Timer): boolean {
  return (timer.payload as unknown as Payload).kind === "tree"
}

/** One timer that cannot be fired now keeps no other from firing. */
async function fire(plane: Plane, timer: Timer): Promise<void> {
  const payload = timer.payload as unknown as Payload
  try {
    if (payload.kind === "schedule") await fireSchedule(plane, timer, payload)
    else if (payload.kind === "tree") await fireTree(plane, timer, payload)
    else if (payload.kind === "approval") await fireApproval(plane, timer, payload)
    else if (payload.kind === "ask") await fireAsk(plane, timer, payload)
    else if (payload.kind === "work") await fireWork(plane, timer, payload)
    else await fireSend(plane, timer, payload)
  } catch (error) {
    // Another replica fired it first.
    if (RouseError.is(error, "CONFLICT")) return
    if (RouseError.is(error, "STORE_UNAVAILABLE", "SHUTTING_DOWN")) throw error
    plane.log.error("a timer could not be fired", { timer: timer.id, error: String(error) })
    await postpone(plane, timer)
  }
}

/** Delivers a delayed message, once: the timer is deleted in the same commit. */
async function fireSend(plane: Plane, timer: Timer, payload: TimedSend): Promise<void> {
  const { to, from, content, attachments, mode, owner } = payload
  await transactAndRouse(plane, [...new Set([to, owner])], (planning) => {
    planning.draft.also({ op: "deleteTimer", id: timer.id }, { kind: "timer", id: timer.id })
    planning.entity(owner)?.delete("schedule", timer.id)
    const target = planning.entity(to)
    const message = { kind: "message", from, content, mode, ...(attachments ? { attachments } : {}) } as const
    if (!target) plane.log.warn("a delayed message had nobody to go to", { to, timer: timer.id })
    // It was accepted, so it comes to an end that can be seen (P1).
    else if (target.record.status === "stopped") target.refuse(message, `${to} was stopped before it arrived`)
    else deliver(plane, target, message)
  })
}

/** Looks at a timer again later: a message that found its inbox full must still arrive. */
async function postpone(plane: Plane, timer: Timer): Promise<void> {
  const dueAtMs = plane.clock() + FULL_RETRY_MS
  const guards = [{ kind: "timer", id: timer.id }] as const
  const moved = { ...timer, dueAtMs, payload: timer.payload satisfies Json }
  await plane.store.commit({ guards, ops: [{ op: "putTimer", timer: moved }] }).catch((error: unknown) => {
    if (!RouseError.is(error, "CONFLICT")) throw error
  })
  plane.dueAt(dueAtMs)
}
