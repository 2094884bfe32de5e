import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { DUE_MS_MAX, NEW_SUBSCRIPTION, SENDING_MS_MAX, stepSubscription } from "../src/core/subscription.ts"
import type { Phase, Settings, Step, SubscriptionEvent, SubscriptionState } from "../src/core/subscription.ts"

const NOW = 1_800_000_000_000
const LEASE = 30_000
const HELD = { generation: 7, wakeId: "w" }

type Kind = Phase["kind"]

const EVENTS = {
  "due, pending": { kind: "due", pending: true, wakeId: "new" },
  "due, nothing pending": { kind: "due", pending: false, wakeId: "new" },
  "claim, pending": { kind: "claim", worker: "me", pending: true, wakeId: "new" },
  "claim, nothing pending": { kind: "claim", worker: "me", pending: false, wakeId: "new" },
  ack: { kind: "ack", ...HELD, moved: true, done: false },
  "ack, done": { kind: "ack", ...HELD, moved: true, done: true },
  "ack, done, nothing moved": { kind: "ack", ...HELD, moved: false, done: true },
  "stale ack": { kind: "ack", generation: 6, wakeId: "w", moved: true, done: true },
  "ack of another wake": { kind: "ack", generation: 7, wakeId: "x", moved: true, done: true },
  release: { kind: "release", ...HELD },
  "sent, taken": { kind: "sent", generation: 7, outcome: "taken" },
  "sent, done": { kind: "sent", generation: 7, outcome: "done" },
  "sent, failed": { kind: "sent", generation: 7, outcome: "failed" },
  "sent of an older wake": { kind: "sent", generation: 6, outcome: "done" },
  untold: { kind: "untold", generation: 7 },
} as const satisfies Record<string, SubscriptionEvent>

type EventName = keyof typeof EVENTS

const PHASES: Record<Kind, Phase> = {
  idle: { kind: "idle" },
  resting: { kind: "resting" },
  sending: { kind: "sending", wakeId: "w" },
  waiting: { kind: "waiting", wakeId: "w" },
  offered: { kind: "offered", wakeId: "w" },
  untold: { kind: "untold", wakeId: "w" },
  leased: { kind: "leased", wakeId: "w", holder: "other" },
}

/** How the phases come to be due is in the state, not in the table: what is due, is due now; for a lease: it is over. */
function run(type: Settings["type"], phase: Kind, name: EventName, dueAtMs: number | null): string {
  const state: SubscriptionState = { ...NEW_SUBSCRIPTION, generation: 7, phase: PHASES[phase] }
  return written(stepSubscription(state, EVENTS[name], { type, leaseMs: LEASE }, dueAtMs, NOW, 0.5))
}

/** `phase generation +due effect`, or how it was refused. */
function written(step: Step): string {
  if (step.kind !== "next") return step.kind === "same" ? "-" : step.code
  const { phase, generation } = step.state
  const wake = "wakeId" in phase ? `(${phase.wakeId})` : ""
  const due = step.dueAtMs === null ? "" : ` +${step.dueAtMs - NOW}`
  const effect = step.effect === "none" ? "" : ` ${step.effect}`
  return `${phase.kind}${wake} ${generation}${due}${effect}${step.refusal === undefined ? "" : ` ${step.refusal}`}`
}

type Table = Record<EventName, Record<Kind, string>>

/** What is not due yet is not in the way of a claim or report; nothing of the other type's phases occurs, but they are total. */
const PULL: Table = {
  "due, pending": row(
    "offered(new) 8 tell",
    "offered(new) 8 tell",
    "sending(w) 7 +15000 send",
    "sending(w) 7 +15000 send",
    "offered(w) 7",
    "offered(w) 7 tell",
    "idle 7",
  ),
  "due, nothing pending": row("idle 7", "idle 7", "idle 7", "idle 7", "offered(w) 7", "offered(w) 7 tell", "idle 7"),
  "claim, pending": row(
    "leased(new) 8 +30000",
    "leased(new) 8 +30000",
    "leased(new) 8 +30000",
    "leased(new) 8 +30000",
    "leased(w) 7 +30000",
    "leased(w) 7 +30000",
    "leased(new) 8 +30000",
  ),
  "claim, nothing pending": row(
    "NO_PENDING_WORK",
    "NO_PENDING_WORK",
    "NO_PENDING_WORK",
    "NO_PENDING_WORK",
    "idle 7 NO_PENDING_WORK",
    "idle 7 NO_PENDING_WORK",
    "NO_PENDING_WORK",
  ),
  ack: row("FENCED", "FENCED", "leased(w) 7 +30000", "leased(w) 7 +30000", "FENCED", "FENCED", "FENCED"),
  "ack, done": row("FENCED", "FENCED", "idle 7", "idle 7", "FENCED", "FENCED", "FENCED"),
  "ack, done, nothing moved": row("FENCED", "FENCED", "idle 7", "idle 7", "FENCED", "FENCED", "FENCED"),
  "stale ack": row("FENCED", "FENCED", "FENCED", "FENCED", "FENCED", "FENCED", "FENCED"),
  "ack of another wake": row("FENCED", "FENCED", "FENCED", "FENCED", "FENCED", "FENCED", "FENCED"),
  release: row("FENCED", "FENCED", "idle 7", "idle 7", "FENCED", "FENCED", "FENCED"),
  "sent, taken": row("-", "-", "leased(w) 7 +30000", "leased(w) 7 +30000", "-", "-", "-"),
  "sent, done": row("-", "-", "idle 7", "idle 7", "-", "-", "idle 7"),
  "sent, failed": row("-", "-", "waiting(w) 7 +1000", "-", "-", "-", "-"),
  "sent of an older wake": row("-", "-", "-", "-", "-", "-", "-"),
  untold: row("-", "-", "-", "-", "untold(w) 7 +1000", "-", "-"),
}

/** Where a webhook differs: its wakes are sent, and one that moved nothing is followed by a rest. */
const WEBHOOK: Table = {
  ...PULL,
  "due, pending": {
    ...PULL["due, pending"],
    idle: "sending(new) 8 +15000 send",
    resting: "sending(new) 8 +15000 send",
    leased: "resting 7 +1000",
  },
  "due, nothing pending": { ...PULL["due, nothing pending"], leased: "resting 7 +1000" },
  "ack, done, nothing moved": {
    ...PULL["ack, done, nothing moved"],
    sending: "resting 7 +1000",
    waiting: "resting 7 +1000",
  },
  release: { ...PULL.release, sending: "resting 7 +1000", waiting: "resting 7 +1000" },
}

function row(
  idle: string,
  resting: string,
  sending: string,
  waiting: string,
  offered: string,
  untold: string,
  leased: string,
): Record<Kind, string> {
  return { idle, resting, sending, waiting, offered, untold, leased }
}

const NAMES = Object.keys(EVENTS) as EventName[]
const KINDS = Object.keys(PHASES) as Kind[]

describe("what an event does to a subscription whose time is over", () => {
  test.each(NAMES)("pull-wake: %s", (name) => {
    expect(Object.fromEntries(KINDS.map((kind) => [kind, run("pull-wake", kind, name, NOW)]))).toEqual(PULL[name])
  })

  test.each(NAMES)("webhook: %s", (name) => {
    expect(Object.fromEntries(KINDS.map((kind) => [kind, run("webhook", kind, name, NOW)]))).toEqual(WEBHOOK[name])
  })
})

describe("a lease that goes on", () => {
  test.each([
    ["due, pending", "-"],
    ["claim, pending", "ALREADY_CLAIMED"],
    ["claim, nothing pending", "ALREADY_CLAIMED"],
    ["ack", "leased(w) 7 +30000"],
    ["ack, done", "idle 7"],
    ["ack, done, nothing moved", "idle 7"],
    ["stale ack", "FENCED"],
    ["ack of another wake", "FENCED"],
    ["release", "idle 7"],
    ["sent, done", "idle 7"],
    ["sent, failed", "-"],
  ] as const)("%s", (name, outcome) => {
    expect(run("pull-wake", "leased", name, NOW + 1)).toBe(outcome)
  })
})

test("nothing is done before its time", () => {
  for (const kind of KINDS) {
    for (const at of [NOW + 1, null]) expect(run("webhook", kind, "due, pending", at)).toBe("-")
  }
})

test("attempts that fail are made ever later, up to a bound, and one that succeeds begins anew", () => {
  const settings = { type: "webhook", leaseMs: LEASE } as const
  let state: SubscriptionState = { ...NEW_SUBSCRIPTION, generation: 7, phase: PHASES.sending }
  const delays: number[] = []
  for (let n = 0; n < 8; n++) {
    const failed = stepSubscription(state, EVENTS["sent, failed"], settings, null, NOW, 0.5)
    if (failed.kind !== "next") throw new Error("a failed attempt changes nothing")
    delays.push((failed.dueAtMs ?? 0) - NOW)
    const again = stepSubscription(failed.state, EVENTS["due, pending"], settings, NOW, NOW, 0.5)
    if (again.kind !== "next") throw new Error("it was not sent again")
    state = again.state
  }
  expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
  const taken = stepSubscription(state, EVENTS["sent, taken"], settings, null, NOW, 0.5)
  expect(taken).toMatchObject({ kind: "next", state: { failures: 0, phase: { kind: "leased", wakeId: "w" } } })
})

test("whatever happens, a generation is never taken back and a due time never beyond its bound", () => {
  const events = fc.array(
    fc.tuple(fc.constantFrom(...NAMES), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40_000)),
  )
  const settings = fc.record<Settings>({
    type: fc.constantFrom("webhook", "pull-wake"),
    leaseMs: fc.integer({ min: 1_000, max: 600_000 }),
  })
  fc.assert(
    fc.property(settings, events, (given, script) => {
      let state: SubscriptionState = NEW_SUBSCRIPTION
      let dueAtMs: number | null = null
      let nowMs = NOW
      for (const [name, chance, later] of script) {
        nowMs += later
        if (state.phase.kind === "idle") dueAtMs = nowMs
        const event: SubscriptionEvent = {
          ...EVENTS[name],
          ...("generation" in EVENTS[name] && { generation: state.generation }),
        }
        const step = stepSubscription(state, event, given, dueAtMs, nowMs, chance)
        if (step.kind !== "next") continue
        expect(step.state.generation).toBeGreaterThanOrEqual(state.generation)
        expect(step.dueAtMs ?? 0).toBeLessThanOrEqual(nowMs + Math.max(DUE_MS_MAX, SENDING_MS_MAX))
        const rests = step.state.phase.kind === "idle" || step.state.phase.kind === "offered"
        expect(step.dueAtMs === null).toBe(rests)
        state = step.state
        dueAtMs = step.dueAtMs
      }
    }),
  )
})

test("a clock that was set back does not put off what was due", () => {
  const state: SubscriptionState = { ...NEW_SUBSCRIPTION, generation: 7, phase: PHASES.leased }
  const settings = { type: "pull-wake", leaseMs: LEASE } as const
  expect(stepSubscription(state, { kind: "rewound" }, settings, NOW + 1e9, NOW, 0)).toMatchObject({
    dueAtMs: NOW + LEASE,
  })
})
