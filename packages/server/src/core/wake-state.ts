import { RouseError } from "@rouse/protocol"
import type { WakeEvent } from "./wake-event.ts"

/**
 * The wake state of one entity: who may act for it, and when it must be looked at again.
 *
 * ```
 * idle ──accept──▶ queued ──lease──▶ running ──finish──▶ idle | suspended   (or queued, if more is pending)
 *                    ▲                 │ └──────pause────▶ paused at its finish
 *                    ├──fail, lose, slice
 *                    └──attempts spent──▶ dead ──accept, retry──▶ queued
 * any ──pause──▶ paused ──resume──▶ queued | suspended | idle        any ──stop──▶ stopped
 * ```
 *
 * Invariants:
 * 1. `epoch` grows with every lease and with every lease that is taken away, and never otherwise.
 * 2. Only `running` holds a lease; its commits carry its epoch.
 * 3. With `pending > 0` an entity is queued, running, paused or stopped: nothing pending is ever left idle. Only what a handler has seen, and left for
 *    when its run is over, may wait while that is suspended.
 * 4. A retried wake keeps its id; its attempt only grows.
 * 5. `stopped` is left by nothing.
 */
export interface WakeState {
  readonly epoch: number
  /** Messages accepted and not yet taken or settled. */
  readonly pending: number
  /** Whether a run is open: suspended, or to be continued by the next attempt. */
  readonly runOpen: boolean
  readonly phase: Phase
}

export type Phase =
  | { readonly kind: "idle" }
  | { readonly kind: "queued"; readonly wake: Attempt; readonly dueAtMs: number }
  | { readonly kind: "running"; readonly wake: Attempt; readonly expiresAtMs: number; readonly pausing: boolean }
  /** `wake` is that of a fork which was under way when it was forked: what rouses it goes on with it. */
  | { readonly kind: "suspended"; readonly wake?: Attempt }
  /** `wake` is kept when one was queued. */
  | { readonly kind: "paused"; readonly wake?: Attempt }
  | { readonly kind: "dead"; readonly reason: string }
  | { readonly kind: "stopped"; readonly reason: string }

/** A wake and what became of its attempts so far. */
export interface Attempt {
  readonly id: string
  /** From 1. */
  readonly attempt: number
  /** Attempts that threw or hung. */
  readonly failures: number
  /** Leases lost in a row without a commit in between. */
  readonly losses: number
}

/** The wake state of an entity that was just made. */
export const NEW_WAKE_STATE: WakeState = { epoch: 0, pending: 0, runOpen: false, phase: { kind: "idle" } }

/**
 * Decides what one event does to an entity's wake state. Pure; a no-op returns the same object.
 *
 * @throws {RouseError} `FENCED` when the event's epoch is not the lease's, `STOPPED` when a stopped entity is sent something,
 *   `CONFLICT` when the event does not apply in this phase.
 * @see docs/architecture.md, "The life of a wake"
 */
export function stepWake(state: WakeState, event: WakeEvent): WakeState {
  switch (event.kind) {
    case "accept":
      return accept(state, event)
    case "lease":
      return lease(state, event)
    case "hold":
      return hold(state, event)
    case "renew":
      return renew(state, event)
    case "take":
      return take(state, event)
    case "finish":
      return finish(state, event)
    case "fail":
      return fail(state, event)
    case "lose":
      return lose(state, event)
    case "release":
      return release(state, event)
    case "closeRun":
      return closeRun(state, event)
    case "pause":
      return pause(state)
    case "resume":
      return resume(state, event)
    case "retry":
      return retry(state, event)
    case "discard":
      return discard(state, event)
    case "slice":
      return slice(state, event)
    case "stop":
      return stop(state, event)
  }
}

/** When the control plane must look at the entity again: a queued wake's time, a lease's end. */
export function dueAtMs(state: WakeState): number | null {
  if (state.phase.kind === "queued") return state.phase.dueAtMs
  if (state.phase.kind === "running") return state.phase.expiresAtMs
  return null
}

type Of<K extends WakeEvent["kind"]> = Extract<WakeEvent, { kind: K }>
type Running = Extract<Phase, { kind: "running" }>

function accept(state: WakeState, event: Of<"accept">): WakeState {
  const pending = state.pending + event.count
  const { phase } = state
  switch (phase.kind) {
    case "idle":
    case "dead":
      return { ...state, pending, phase: queued(firstAttempt(event.wakeId), event.nowMs) }
    case "suspended":
      return { ...state, pending, phase: queued(phase.wake ?? firstAttempt(event.wakeId), event.nowMs) }
    case "queued":
    case "running":
    case "paused":
      return { ...state, pending }
    case "stopped":
      throw new RouseError("STOPPED", `the entity is stopped: ${phase.reason}`)
  }
}

function lease(state: WakeState, event: Of<"lease">): WakeState {
  const { phase } = state
  if (phase.kind !== "queued" || phase.dueAtMs > event.nowMs) throw notNow("leased", phase)
  const { wake } = phase
  return {
    ...state,
    epoch: state.epoch + 1,
    phase: { kind: "running", wake, expiresAtMs: event.expiresAtMs, pausing: false },
  }
}

function hold(state: WakeState, event: Of<"hold">): WakeState {
  const { phase } = state
  if (phase.kind !== "queued" || phase.dueAtMs >= event.dueAtMs) return state
  return { ...state, phase: { ...phase, dueAtMs: event.dueAtMs } }
}

function renew(state: WakeState, event: Of<"renew">): WakeState {
  const phase = held(state, event.epoch)
  const wake = event.progress && phase.wake.losses > 0 ? { ...phase.wake, losses: 0 } : phase.wake
  return { ...state, phase: { ...phase, wake, expiresAtMs: event.expiresAtMs } }
}

function take(state: WakeState, event: Of<"take">): WakeState {
  held(state, event.epoch)
  if (event.count > state.pending) throw new RouseError("INTERNAL", "more messages were taken than were pending")
  return { ...state, pending: state.pending - event.count, runOpen: true }
}

function finish(state: WakeState, event: Of<"finish">): WakeState {
  const { pausing } = held(state, event.epoch)
  const after = { ...state, runOpen: event.end.kind === "suspended" }
  if (pausing) return { ...after, phase: { kind: "paused" } }
  if (event.end.kind === "failed" && state.pending === 0)
    return { ...after, phase: { kind: "dead", reason: event.end.reason } }
  if (event.end.kind === "suspended" && state.pending <= event.end.left)
    return { ...after, phase: { kind: "suspended" } }
  return { ...after, phase: rest(after, event) }
}

function fail(state: WakeState, event: Of<"fail">): WakeState {
  const { wake } = held(state, event.epoch)
  const failures = wake.failures + 1
  if (failures >= event.attemptsMax) return dead(state, event.reason)
  return again(state, { ...wake, attempt: wake.attempt + 1, failures }, event.dueAtMs)
}

function lose(state: WakeState, event: Of<"lose">): WakeState {
  const { wake } = held(state, event.epoch)
  const losses = wake.losses + 1
  if (losses >= event.lossesMax) return dead(state, event.reason)
  return again(state, { ...wake, attempt: wake.attempt + 1, losses }, event.dueAtMs)
}

function release(state: WakeState, event: Of<"release">): WakeState {
  const { wake } = held(state, event.epoch)
  return again(state, { ...wake, attempt: wake.attempt + 1 }, event.nowMs)
}

/** Back to the queue, and the lease is taken away. A pause that was asked for meanwhile takes effect. */
function again(state: WakeState, wake: Attempt, due: number): WakeState {
  const pausing = state.phase.kind === "running" && state.phase.pausing
  return { ...state, epoch: state.epoch + 1, phase: pausing ? { kind: "paused", wake } : queued(wake, due) }
}

function dead(state: WakeState, reason: string): WakeState {
  return { epoch: state.epoch + 1, pending: 0, runOpen: false, phase: { kind: "dead", reason } }
}

/** What a wake remembers is of the run that it began: what waits is for a new one. */
function closeRun(state: WakeState, event: Of<"closeRun">): WakeState {
  const { phase } = state
  if (!state.runOpen) return state
  if (phase.kind === "running") throw notNow("closed from outside", phase)
  const closed = { ...state, runOpen: false }
  const isRetried = (phase.kind === "queued" || phase.kind === "paused") && (phase.wake?.attempt ?? 1) > 1
  if (phase.kind === "paused") return isRetried ? { ...closed, phase: { kind: "paused" } } : closed
  const begins = isRetried || phase.kind === "suspended" || (phase.kind === "queued" && state.pending === 0)
  return begins ? { ...closed, phase: rest(closed, event) } : closed
}

function pause(state: WakeState): WakeState {
  const { phase } = state
  switch (phase.kind) {
    case "idle":
      return { ...state, phase: { kind: "paused" } }
    case "suspended":
      return { ...state, phase: phase.wake ? { kind: "paused", wake: phase.wake } : { kind: "paused" } }
    case "queued":
      return { ...state, phase: { kind: "paused", wake: phase.wake } }
    case "running":
      return phase.pausing ? state : { ...state, phase: { ...phase, pausing: true } }
    case "paused":
      return state
    case "dead":
    case "stopped":
      throw notNow("paused", phase)
  }
}

function resume(state: WakeState, event: Of<"resume">): WakeState {
  const { phase } = state
  if (phase.kind === "running" && phase.pausing) return { ...state, phase: { ...phase, pausing: false } }
  if (phase.kind === "stopped") throw notNow("resumed", phase)
  if (phase.kind !== "paused") return state
  if (phase.wake) return { ...state, phase: queued(phase.wake, event.nowMs) }
  return { ...state, phase: rest(state, event) }
}

function retry(state: WakeState, event: Of<"retry">): WakeState {
  const { phase } = state
  if (phase.kind === "stopped") throw notNow("retried", phase)
  return event.count === 0 ? state : accept(state, { ...event, kind: "accept" })
}

/** An entity that has nothing dead any more is at rest. */
function discard(state: WakeState, event: Of<"discard">): WakeState {
  return state.phase.kind === "dead" && event.left === 0 ? { ...state, phase: { kind: "idle" } } : state
}

/** An attempt that came this far was no failure: what earlier ones lost is forgiven. */
function slice(state: WakeState, event: Of<"slice">): WakeState {
  const { wake } = held(state, event.epoch)
  return again({ ...state, runOpen: true }, { ...wake, attempt: wake.attempt + 1, failures: 0, losses: 0 }, event.nowMs)
}

function stop(state: WakeState, event: Of<"stop">): WakeState {
  if (state.phase.kind === "stopped") return state
  return { epoch: state.epoch + 1, pending: 0, runOpen: false, phase: { kind: "stopped", reason: event.reason } }
}

/** Where an entity rests when no wake is under way: queued again if anything is pending. */
function rest(state: WakeState, event: { readonly wakeId: string; readonly nowMs: number }): Phase {
  if (state.pending > 0) return queued(firstAttempt(event.wakeId), event.nowMs)
  return { kind: state.runOpen ? "suspended" : "idle" }
}

function queued(wake: Attempt, due: number): Phase {
  return { kind: "queued", wake, dueAtMs: due }
}

function firstAttempt(id: string): Attempt {
  return { id, attempt: 1, failures: 0, losses: 0 }
}

function held(state: WakeState, epoch: number): Running {
  if (state.phase.kind !== "running" || state.epoch !== epoch) {
    throw new RouseError(
      "FENCED",
      `epoch ${epoch} is not the lease's: the entity is ${state.phase.kind} at epoch ${state.epoch}`,
    )
  }
  return state.phase
}

function notNow(what: string, phase: Phase): RouseError {
  return new RouseError("CONFLICT", `an entity that is ${phase.kind} cannot be ${what}`)
}
