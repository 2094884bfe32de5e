import { backoffMs, type Effect, type EntityUrl, type WorkTerms } from "@rouse/protocol"
import type { WorkRecord } from "@rouse/store"

/**
 * A tool call that is with workers, as the store has it beside the log.
 *
 * ```
 *            claim                    result, fail
 *  open ───────────────▶ claimed ───────────────────▶ gone: the call is settled
 *   ▲ ▲                    │ │
 *   │ └──release unbegun───┘ │ lost, failed and may be tried again
 *   └──────(after a pause)───┘
 * ```
 *
 * 1. Every claim has a token of its own. Who shows another is fenced.
 * 2. One timer an item, due when something must be done about it: see `dueOf`.
 */
export interface WorkPayload extends Omit<WorkTerms, "queue"> {
  readonly call: string
  readonly effect: Effect
  /** The newest claim; null while it waits. */
  readonly claim: string | null
  readonly claimedAtMs: number
  readonly leaseUntilMs: number
  /** While it is not open and not claimed. */
  readonly opensAtMs: number
  readonly expiresAtMs: number | null
  /** Workers lost in a row. */
  readonly losses: number
  /** Tries that failed. */
  readonly fails: number
  /** The next try must find out first what earlier ones did. */
  readonly reconcile: boolean
}

/** How long a worker may be silent, unless the tool says otherwise. */
const LEASE_MS = 30_000
/** Workers that may be lost over one call before it is given up. */
const LOSSES_MAX = 5
const DELAY_MS = 1_000
const DELAY_MS_MAX = 300_000
/** How much later each further call of one agent in a queue stands, so that an agent with many does not keep others waiting. */
const TURN_MS = 1_000

export function workId(url: EntityUrl, call: string): string {
  return `${url} ${call}`
}

export function payloadOf(record: WorkRecord): WorkPayload {
  return record.payload as unknown as WorkPayload
}

/** The place of a call in its queue. @param ahead Calls of the same agent that are in the queue already. */
export function positionOf(nowMs: number, ahead: number): number {
  return nowMs + ahead * TURN_MS
}

/** How long a worker may be silent. */
export function leaseMs({ heartbeatMs }: WorkPayload): number {
  return heartbeatMs ?? LEASE_MS
}

/** Until when a claim made at `claimedAtMs` holds without another word, said now. Never beyond the time of one try. */
export function leaseUntil(payload: WorkPayload, claimedAtMs: number, nowMs: number): number {
  const lease = nowMs + leaseMs(payload)
  return payload.timeoutMs === undefined ? lease : Math.min(lease, claimedAtMs + payload.timeoutMs)
}

/** Whether a claim's time is over, and not only its worker silent. */
export function isTimedOut({ timeoutMs, claimedAtMs }: WorkPayload, nowMs: number): boolean {
  return timeoutMs !== undefined && nowMs >= claimedAtMs + timeoutMs
}

/** When something must be done about it; undefined when a worker's word is all it waits for. */
export function dueOf(payload: WorkPayload, open: boolean): number | undefined {
  if (payload.claim !== null) return payload.leaseUntilMs
  return open ? (payload.expiresAtMs ?? undefined) : payload.opensAtMs
}

/** What becomes of a call whose claim ended without a result. */
export type AfterClaim =
  | { readonly kind: "again"; readonly payload: WorkPayload; readonly delayMs: number; readonly error: string }
  | { readonly kind: "unknown" }
  | { readonly kind: "failed"; readonly error: string }

/** The worker is gone, or gave back a call that it had begun: by effect class (P2). */
export function afterLoss(payload: WorkPayload, error: string): AfterClaim {
  const losses = payload.losses + 1
  const { effect } = payload
  if (effect === "once") return { kind: "unknown" }
  const reconcile = effect === "reconcilable"
  if (losses < LOSSES_MAX) return { kind: "again", payload: { ...payload, losses, reconcile }, delayMs: 0, error }
  return reconcile ? { kind: "unknown" } : { kind: "failed", error: `${error}, ${losses} times` }
}

/** A try took longer than it may: it may still have had its effect. */
export function afterTimeout(payload: WorkPayload, random: number): AfterClaim {
  const error = `the tool took longer than ${payload.timeoutMs} ms`
  if (payload.effect === "once") return { kind: "unknown" }
  const again = afterFailure(payload, error, true, random)
  return again.kind === "failed" && payload.effect === "reconcilable" ? { kind: "unknown" } : again
}

/** The worker says that it failed. @param random Uniform in [0, 1): for jitter. */
export function afterFailure(payload: WorkPayload, error: string, retryable: boolean, random: number): AfterClaim {
  const fails = payload.fails + 1
  if (!retryable || payload.effect === "once" || fails >= (payload.attempts ?? 1)) return { kind: "failed", error }
  const reconcile = payload.effect === "reconcilable"
  return {
    kind: "again",
    payload: { ...payload, fails, losses: 0, reconcile },
    delayMs: backoffMs(fails, payload.delayMs ?? DELAY_MS, DELAY_MS_MAX, random),
    error,
  }
}
