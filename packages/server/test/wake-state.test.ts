import { RouseError } from "@rouse/protocol"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { WakeEvent } from "../src/core/wake-event.ts"
import { type Attempt, NEW_WAKE_STATE, stepWake, type WakeState } from "../src/core/wake-state.ts"

const NOW = 1_000
const WAKE: Attempt = { id: "w1", attempt: 1, failures: 0, losses: 0 }

type Kind = WakeState["phase"]["kind"]
const base: WakeState = { epoch: 7, pending: 0, runOpen: false, phase: { kind: "idle" } }

const STATES: Record<Kind, WakeState> = {
  idle: base,
  queued: { ...base, pending: 1, phase: { kind: "queued", wake: WAKE, dueAtMs: NOW } },
  running: { ...base, pending: 1, phase: { kind: "running", wake: WAKE, expiresAtMs: NOW + 60, pausing: false } },
  suspended: { ...base, runOpen: true, phase: { kind: "suspended" } },
  paused: { ...base, phase: { kind: "paused" } },
  dead: { ...base, phase: { kind: "dead", reason: "broken" } },
  stopped: { ...base, phase: { kind: "stopped", reason: "enough" } },
}

const EVENTS: { [K in WakeEvent["kind"]]: Extract<WakeEvent, { kind: K }> } = {
  accept: { kind: "accept", count: 1, wakeId: "w2", nowMs: NOW },
  lease: { kind: "lease", nowMs: NOW, expiresAtMs: NOW + 60 },
  hold: { kind: "hold", dueAtMs: NOW + 20 },
  renew: { kind: "renew", epoch: 7, expiresAtMs: NOW + 90, progress: true },
  take: { kind: "take", epoch: 7, count: 1 },
  finish: { kind: "finish", epoch: 7, end: { kind: "over" }, wakeId: "w2", nowMs: NOW },
  fail: { kind: "fail", epoch: 7, reason: "threw", attemptsMax: 5, dueAtMs: NOW + 10 },
  lose: { kind: "lose", epoch: 7, reason: "gone", lossesMax: 5, dueAtMs: NOW },
  release: { kind: "release", epoch: 7, nowMs: NOW },
  closeRun: { kind: "closeRun", wakeId: "w2", nowMs: NOW },
  pause: { kind: "pause" },
  resume: { kind: "resume", wakeId: "w2", nowMs: NOW },
  retry: { kind: "retry", count: 1, wakeId: "w2", nowMs: NOW },
  discard: { kind: "discard", left: 0 },
  slice: { kind: "slice", epoch: 7, nowMs: NOW },
  stop: { kind: "stop", reason: "enough" },
}

/** What each event makes of each phase: the next phase, `same` for a no-op, or the error's code. Total: a missing cell does not compile. */
type Outcome = Kind | "same" | "FENCED" | "CONFLICT" | "STOPPED"
const TABLE: Record<Kind, Record<WakeEvent["kind"], Outcome>> = {
  idle: {
    accept: "queued",
    lease: "CONFLICT",
    hold: "same",
    renew: "FENCED",
    take: "FENCED",
    finish: "FENCED",
    fail: "FENCED",
    lose: "FENCED",
    release: "FENCED",
    closeRun: "same",
    pause: "paused",
    resume: "same",
    retry: "queued",
    discard: "same",
    slice: "FENCED",
    stop: "stopped",
  },
  queued: {
    accept: "queued",
    lease: "running",
    hold: "queued",
    renew: "FENCED",
    take: "FENCED",
    finish: "FENCED",
    fail: "FENCED",
    lose: "FENCED",
    release: "FENCED",
    closeRun: "same",
    pause: "paused",
    resume: "same",
    retry: "queued",
    discard: "same",
    slice: "FENCED",
    stop: "stopped",
  },
  running: {
    accept: "running",
    lease: "CONFLICT",
    hold: "same",
    renew: "running",
    take: "running",
    finish: "queued",
    fail: "queued",
    lose: "queued",
    release: "queued",
    closeRun: "same",
    pause: "running",
    resume: "same",
    retry: "running",
    discard: "same",
    slice: "queued",
    stop: "stopped",
  },
  suspended: {
    accept: "queued",
    lease: "CONFLICT",
    hold: "same",
    renew: "FENCED",
    take: "FENCED",
    finish: "FENCED",
    fail: "FENCED",
    lose: "FENCED",
    release: "FENCED",
    closeRun: "idle",
    pause: "paused",
    resume: "same",
    retry: "queued",
    discard: "same",
    slice: "FENCED",
    stop: "stopped",
  },
  paused: {
    accept: "paused",
    lease: "CONFLICT",
    hold: "same",
    renew: "FENCED",
    take: "FENCED",
    finish: "FENCED",
    fail: "FENCED",
    lose: "FENCED",
    release: "FENCED",
    closeRun: "same",
    pause: "same",
    resume: "idle",
    retry: "paused",
    discard: "same",
    slice: "FENCED",
    stop: "stopped",
  },
  dead: {
    accept: "queued",
    lease: "CONFLICT",
    hold: "same",
    renew: "FENCED",
    take: "FENCED",
    finish: "FENCED",
    fail: "FENCED",
    lose: "FENCED",
    release: "FENCED",
    closeRun: "same",
    pause: "CONFLICT",
    resume: "same",
    retry: "queued",
    discard: "idle",
    slice: "FENCED",
    stop: "stopped",
  },
  stopped: {
    accept: "STOPPED",
    lease: "CONFLICT",
    hold: "same",
    renew: "FENCED",
    take: "FENCED",
    finish: "FENCED",
    fail: "FENCED",
    lose: "FENCED",
    release: "FENCED",
    closeRun: "same",
    pause: "CONFLICT",
    resume: "CONFLICT",
    retry: "CONFLICT",
    discard: "same",
    slice: "FENCED",
    stop: "same",
  },
}

describe("every event in every phase", () => {
  for (const [kind, row] of Object.entries(TABLE) as [Kind, Record<WakeEvent["kind"], Outcome>][]) {
    for (const [event, outcome] of Object.entries(row) as [WakeEvent["kind"], Outcome][]) {
      test(`${kind} on ${event}: ${outcome}`, () => {
        expect(outcomeOf(STATES[kind], EVENTS[event])).toBe(outcome)
      })
    }
  }
})

function outcomeOf(state: WakeState, event: WakeEvent): Outcome {
  try {
    const next = stepWake(state, event)
    return next === state ? "same" : next.phase.kind
  } catch (error) {
    if (RouseError.is(error, "FENCED", "CONFLICT", "STOPPED")) return error.code as Outcome
    throw error
  }
}

describe("the details", () => {
  test("a lease raises the epoch, and so does taking one away", () => {
    expect(stepWake(STATES.queued, EVENTS.lease).epoch).toBe(8)
    expect(stepWake(STATES.running, EVENTS.fail).epoch).toBe(8)
    expect(stepWake(STATES.running, EVENTS.lose).epoch).toBe(8)
    expect(stepWake(STATES.running, EVENTS.finish).epoch).toBe(7)
  })

  test("a wake that is not due is not leased", () => {
    expect(outcomeOf(STATES.queued, { ...EVENTS.lease, nowMs: NOW - 1 })).toBe("CONFLICT")
  })

  test("a retried wake keeps its id and its attempt grows", () => {
    const { phase } = stepWake(STATES.running, EVENTS.fail)
    expect(phase).toEqual({ kind: "queued", wake: { id: "w1", attempt: 2, failures: 1, losses: 0 }, dueAtMs: NOW + 10 })
  })

  test("the last attempt that fails is the end", () => {
    expect(stepWake(STATES.running, { ...EVENTS.fail, attemptsMax: 1 })).toMatchObject({
      pending: 0,
      phase: { kind: "dead", reason: "threw" },
    })
    expect(stepWake(STATES.running, { ...EVENTS.lose, lossesMax: 1 })).toMatchObject({
      pending: 0,
      phase: { kind: "dead" },
    })
  })

  test("a slice goes on at once, as the next attempt of the wake, with its run open and its failures forgiven", () => {
    const failing = {
      kind: "running",
      wake: { ...WAKE, failures: 3, losses: 2 },
      expiresAtMs: NOW,
      pausing: false,
    } as const
    const sliced = stepWake({ ...STATES.running, phase: failing }, EVENTS.slice)
    expect(sliced).toMatchObject({ epoch: 8, runOpen: true })
    expect(sliced.phase).toEqual({
      kind: "queued",
      wake: { id: "w1", attempt: 2, failures: 0, losses: 0 },
      dueAtMs: NOW,
    })
    expect(stepWake(stepWake(STATES.running, EVENTS.pause), EVENTS.slice).phase.kind).toBe("paused")
  })

  test("what is dead keeps its entity dead until all of it is discarded", () => {
    expect(outcomeOf(STATES.dead, { kind: "discard", left: 1 })).toBe("same")
  })

  test("progress forgives lost leases", () => {
    const lost = {
      ...STATES.running,
      phase: { kind: "running", wake: { ...WAKE, losses: 3 }, expiresAtMs: NOW, pausing: false },
    } as const
    expect(stepWake(lost, EVENTS.renew)).toMatchObject({ phase: { wake: { losses: 0 } } })
    expect(stepWake(lost, { ...EVENTS.renew, progress: false })).toMatchObject({ phase: { wake: { losses: 3 } } })
  })

  test("a failed run with nothing pending is left where a person sees it", () => {
    const taken = stepWake(STATES.running, EVENTS.take)
    const end = { kind: "failed", reason: "refused" } as const
    expect(stepWake(taken, { ...EVENTS.finish, end }).phase).toEqual({ kind: "dead", reason: "refused" })
  })

  test("what a handler left for when its run is over rouses nobody before; anything more does, and so does the run's end", () => {
    const suspend = (left: number) => stepWake(STATES.running, { ...EVENTS.finish, end: { kind: "suspended", left } })
    expect(suspend(1)).toMatchObject({ pending: 1, runOpen: true, phase: { kind: "suspended" } })
    expect(suspend(0).phase.kind).toBe("queued")
    expect(stepWake(suspend(1), EVENTS.accept)).toMatchObject({ pending: 2, phase: { kind: "queued" } })
    expect(stepWake(suspend(1), EVENTS.closeRun)).toMatchObject({ runOpen: false, phase: { kind: "queued" } })
    const resumed = stepWake(stepWake(suspend(1), EVENTS.pause), EVENTS.resume)
    expect(resumed.phase.kind).toBe("queued")
  })

  test("a pause asked for during a wake holds at its end", () => {
    const pausing = stepWake(STATES.running, EVENTS.pause)
    expect(stepWake(pausing, EVENTS.finish).phase).toEqual({ kind: "paused" })
    const resumed = stepWake(stepWake(pausing, EVENTS.finish), EVENTS.resume)
    expect(resumed.phase.kind).toBe("queued")
  })
})

test("whatever happens, nothing pending is left idle, epochs only grow and stopped is the end", () => {
  const event = fc.constantFrom(...Object.values(EVENTS))
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(2)), { maxLength: 60 }), (events) => {
      let state = NEW_WAKE_STATE
      for (const [candidate, stale] of events) {
        const next = tryStep(state, "epoch" in candidate ? { ...candidate, epoch: state.epoch - stale } : candidate)
        expect(next.epoch).toBeGreaterThanOrEqual(state.epoch)
        expect(next.pending).toBeGreaterThanOrEqual(0)
        if (state.phase.kind === "stopped") expect(next).toBe(state)
        if (next.pending > 0) expect(["queued", "running", "paused"]).toContain(next.phase.kind)
        if (next.phase.kind === "idle") expect(next.runOpen).toBe(false)
        state = next
      }
    }),
  )
})

function tryStep(state: WakeState, event: WakeEvent): WakeState {
  try {
    return stepWake(state, event)
  } catch (error) {
    if (RouseError.is(error, "FENCED", "CONFLICT", "STOPPED", "INTERNAL")) return state
    throw error
  }
}

test.each(["queued", "paused"] as const)(
  "what waits when the run of a retried %s wake is closed is for a new wake",
  (kind) => {
    const wake = { id: "w1", attempt: 2, failures: 0, losses: 1 }
    const phase = kind === "queued" ? ({ kind, wake, dueAtMs: NOW } as const) : ({ kind, wake } as const)
    const state: WakeState = { epoch: 7, pending: 1, runOpen: true, phase }
    const closed = stepWake(state, { kind: "closeRun", wakeId: "w2", nowMs: NOW })
    const next = kind === "queued" ? closed : stepWake(closed, { kind: "resume", wakeId: "w2", nowMs: NOW })
    expect(next).toMatchObject({ runOpen: false, phase: { kind: "queued", wake: { id: "w2", attempt: 1 } } })
  },
)
