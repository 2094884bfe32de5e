import type { ErrorRow, WakeInfo } from "@rouse/protocol"
import { backoffMs } from "@rouse/protocol"
import { chargeWall } from "./budgets.ts"
import { type Closing, closeRun, closeRunRow, parentToTell, settlePending } from "./closing.ts"
import { isoTime } from "./core/control.ts"
import type { EntityDraft } from "./core/draft.ts"
import type { WakeEvent } from "./core/wake-event.ts"
import { endedWakeRow } from "./core/wake-row.ts"
import type { HeldLease } from "./handler-commit.ts"
import type { Plane } from "./plane.ts"
import { transactAndRouse } from "./rouse.ts"
import type { Planning } from "./transactor.ts"

/** The wait before the second attempt of a wake that failed, and the longest one. */
const RETRY_MS_FIRST = 500
const RETRY_MS_MOST = 60_000

/** A wake that ended without its handler's word for it: it threw, hung, lost its lease, or gave the wake back. */
export type WakeFailure =
  | {
      readonly kind: "failed"
      readonly message: string
      readonly stack?: string
      readonly code?: ErrorRow["code"]
      readonly attemptsMax: number
    }
  | { readonly kind: "lost"; readonly message: string }
  /** Its handler's endpoint was not there. It costs the wake nothing but the time until it is tried again. */
  | { readonly kind: "unreachable"; readonly message: string; readonly dueAtMs: number }
  | { readonly kind: "released" }

/**
 * Takes a wake away from its handler: it is tried again later, or dead-lettered when its attempts are spent.
 *
 * @throws {RouseError} `FENCED` when the lease was no longer held: somebody else has dealt with it.
 */
export async function endWake(plane: Plane, lease: HeldLease, failure: WakeFailure): Promise<void> {
  const urls = [lease.url, ...(await parentToTell(plane, lease.url))]
  const { value } = await transactAndRouse(plane, urls, async (planning) => {
    const self = planning.entity(lease.url)
    if (!self) return null
    await planEnd(plane, planning, self, lease, failure)
    return self.record.dueAtMs
  })
  if (value !== null) plane.dueAt(value)
}

async function planEnd(
  plane: Plane,
  planning: Planning,
  self: EntityDraft,
  lease: HeldLease,
  failure: WakeFailure,
): Promise<void> {
  const { nowMs } = planning.draft
  chargeWall(self, lease.atMs, nowMs)
  self.wake(eventOf(plane, self, lease.wake, failure, nowMs))
  const { phase } = self.control.wake
  const isDead = phase.kind === "dead"
  const message = failure.kind === "released" ? undefined : failure.message
  if (failure.kind !== "released") {
    self.setControl({ reason: failure.message })
    if (failure.kind !== "unreachable")
      self.insert("error", `${lease.wake.id}.${lease.wake.attempt}`, errorRow(lease.wake, failure, nowMs))
  }
  self.update("wake", lease.wake.id, endedWakeRow(lease, isDead ? "dead" : OUTCOME[failure.kind], message, nowMs))
  if (!isDead) return
  const closing: Closing = {
    outcome: "failed",
    messages: "dead",
    reply: null,
    ...(message === undefined ? {} : { reason: message }),
  }
  await closeRunRow(plane, self, closing, nowMs)
  await closeRun(plane, planning, self, closing)
  await settlePending(plane, self, closing)
}

function eventOf(plane: Plane, self: EntityDraft, wake: WakeInfo, failure: WakeFailure, nowMs: number): WakeEvent {
  const { epoch } = wake
  if (failure.kind === "released") return { kind: "release", epoch, nowMs }
  if (failure.kind === "unreachable") return { kind: "release", epoch, nowMs: failure.dueAtMs }
  const { phase } = self.control.wake
  if (failure.kind === "lost") {
    const losses = phase.kind === "running" ? phase.wake.losses : 0
    const dueAtMs = losses === 0 ? nowMs : nowMs + backoffMs(losses, RETRY_MS_FIRST, RETRY_MS_MOST, plane.random())
    return { kind: "lose", epoch, reason: failure.message, lossesMax: plane.limits.lossesMax, dueAtMs }
  }
  const failures = phase.kind === "running" ? phase.wake.failures : 0
  const dueAtMs = nowMs + backoffMs(failures + 1, RETRY_MS_FIRST, RETRY_MS_MOST, plane.random())
  return { kind: "fail", epoch, reason: failure.message, attemptsMax: failure.attemptsMax, dueAtMs }
}

const OUTCOME = { failed: "retry", lost: "lost", released: "released", unreachable: "released" } as const

function errorRow(wake: WakeInfo, failure: Extract<WakeFailure, { kind: "failed" | "lost" }>, nowMs: number): ErrorRow {
  const stack = failure.kind === "failed" && failure.stack !== undefined ? { stack: failure.stack } : {}
  const code = (failure.kind === "failed" ? failure.code : undefined) ?? "HANDLER_FAILED"
  return { code, message: failure.message, at: isoTime(nowMs), wake: wake.id, attempt: wake.attempt, ...stack }
}
