import { backoffMs } from "./backoff.ts"

/**
 * The life of a subscription's wakes.
 *
 *     idle ──▶ sending ◀──▶ waiting            (webhook)
 *      ▲          │            │
 *      │          ▼            │
 *      ├─────── leased ◀───────┘
 *      │          ▲
 *     idle ──▶ offered ◀──▶ untold             (pull-wake)
 *
 * 1. At most one wake at a time. Its generation is new, and only its holder's token is of that generation: who comes later with
 *    an older one is fenced.
 * 2. Every phase but `idle` and `offered` ends by itself at `dueAtMs`; a stopped process is found by the time, not by its absence.
 * 3. A wake ends when its holder says so or its time is over. What is pending then makes another.
 */
export interface SubscriptionState {
  readonly phase: Phase
  readonly generation: number
  /** Attempts to deliver that failed in a row. */
  readonly failures: number
  /** Wakes in a row that moved no cursor. */
  readonly fruitless: number
  /** Whether this wake moved one. */
  readonly moved: boolean
}

export type Phase =
  | { readonly kind: "idle" }
  /** No wake, and none before the due time: the last ones moved nothing. */
  | { readonly kind: "resting" }
  | { readonly kind: "sending"; readonly wakeId: string }
  | { readonly kind: "waiting"; readonly wakeId: string }
  | { readonly kind: "offered"; readonly wakeId: string }
  /** Offered, but the wake stream would not take the event. */
  | { readonly kind: "untold"; readonly wakeId: string }
  | { readonly kind: "leased"; readonly wakeId: string; readonly holder: string | null }

export type SubscriptionEvent =
  /** The due time is over. `wakeId` is for a wake that begins now. */
  | { readonly kind: "due"; readonly pending: boolean; readonly wakeId: string }
  | { readonly kind: "claim"; readonly worker: string; readonly pending: boolean; readonly wakeId: string }
  | {
      readonly kind: "ack"
      readonly generation: number
      readonly wakeId: string
      readonly moved: boolean
      readonly done: boolean
    }
  | { readonly kind: "release"; readonly generation: number; readonly wakeId: string }
  /** What came of an attempt: the receiver took it, was done with it at once, or did not take it. */
  | { readonly kind: "sent"; readonly generation: number; readonly outcome: "taken" | "done" | "failed" }
  /** The wake stream would not take the event. */
  | { readonly kind: "untold"; readonly generation: number }
  /** The clock was set back: the due time is further away than it can be. */
  | { readonly kind: "rewound" }

export interface Settings {
  readonly type: "webhook" | "pull-wake"
  readonly leaseMs: number
}

export type Step =
  | {
      readonly kind: "next"
      readonly state: SubscriptionState
      readonly dueAtMs: number | null
      /** To be done once the state is stored; a `tell` together with it. */
      readonly effect: "send" | "tell" | "none"
      /** The state changes, and who asked is refused nevertheless. */
      readonly refusal?: "NO_PENDING_WORK"
    }
  /** Nothing changes. */
  | { readonly kind: "same" }
  | { readonly kind: "refused"; readonly code: "FENCED" | "ALREADY_CLAIMED" | "NO_PENDING_WORK" }

/** How long an attempt may take before it counts as lost. Longer than a receiver is given to answer. */
export const SENDING_MS_MAX = 15_000
/** The furthest that anything can be due. */
export const DUE_MS_MAX = 600_000

export const NEW_SUBSCRIPTION: SubscriptionState = {
  phase: { kind: "idle" },
  generation: 0,
  failures: 0,
  fruitless: 0,
  moved: false,
}

type Next = Extract<Step, { readonly kind: "next" }>

const SAME: Step = { kind: "same" }

/**
 * Decides what an event does to a subscription.
 *
 * Pure: the caller stores `state` and `dueAtMs` before it performs `effect`.
 *
 * @param dueAtMs As stored. An idle one that is due has pending streams.
 * @param chance From 0 to 1.
 */
export function stepSubscription(
  state: SubscriptionState,
  event: SubscriptionEvent,
  settings: Settings,
  dueAtMs: number | null,
  nowMs: number,
  chance: number,
): Step {
  const now: Now = { settings, dueAtMs, nowMs, chance }
  switch (event.kind) {
    case "due":
      return due(state, event, now)
    case "claim":
      return claim(state, event, now)
    case "ack":
    case "release":
      return heldBy(state, event, now) ? acknowledged(state, event, now) : { kind: "refused", code: "FENCED" }
    case "sent":
      return event.generation === state.generation ? sent(state, event.outcome, now) : SAME
    case "untold":
      return untold(state, event.generation, now)
    case "rewound":
      return dueAtMs === null ? SAME : next(state, Math.min(dueAtMs, nowMs + settings.leaseMs))
  }
}

interface Now {
  readonly settings: Settings
  readonly dueAtMs: number | null
  readonly nowMs: number
  readonly chance: number
}

type Event<K extends SubscriptionEvent["kind"]> = Extract<SubscriptionEvent, { readonly kind: K }>

function due(state: SubscriptionState, event: Event<"due">, now: Now): Step {
  if (now.dueAtMs === null || now.dueAtMs > now.nowMs) return SAME
  switch (state.phase.kind) {
    case "idle":
    case "resting":
      return event.pending ? begin(state, event.wakeId, now) : next({ ...state, phase: { kind: "idle" } }, null)
    case "sending":
    case "waiting":
      return event.pending ? send(state, state.phase.wakeId, now) : next({ ...state, phase: { kind: "idle" } }, null)
    case "untold":
      return next({ ...state, phase: { ...state.phase, kind: "offered" } }, null, "tell")
    case "offered":
      return next(state, null)
    case "leased":
      return over(state, now)
  }
}

function begin(state: SubscriptionState, wakeId: string, now: Now): Step {
  const begun = { ...state, generation: state.generation + 1, moved: false }
  if (now.settings.type === "webhook") return send(begun, wakeId, now)
  return next({ ...begun, phase: { kind: "offered", wakeId } }, null, "tell")
}

function send(state: SubscriptionState, wakeId: string, now: Now): Step {
  return next({ ...state, phase: { kind: "sending", wakeId } }, now.nowMs + SENDING_MS_MAX, "send")
}

function claim(state: SubscriptionState, event: Event<"claim">, now: Now): Step {
  const { phase, generation } = state
  if (phase.kind === "leased" && !isOver(now)) return { kind: "refused", code: "ALREADY_CLAIMED" }
  const goesOn = phase.kind === "offered" || phase.kind === "untold"
  if (!event.pending && !goesOn) return { kind: "refused", code: "NO_PENDING_WORK" }
  // What was offered is gone, and the next append must be told again.
  if (!event.pending) return { ...next({ ...state, phase: { kind: "idle" } }, null), refusal: "NO_PENDING_WORK" }
  const leased: SubscriptionState = {
    ...state,
    generation: goesOn ? generation : generation + 1,
    moved: false,
    failures: 0,
    phase: { kind: "leased", wakeId: goesOn ? phase.wakeId : event.wakeId, holder: event.worker },
  }
  return next(leased, now.nowMs + now.settings.leaseMs)
}

/** Whether this wake is the one under way, and its time is not over. */
function heldBy(state: SubscriptionState, event: Event<"ack"> | Event<"release">, now: Now): boolean {
  const { phase, generation } = state
  if (generation !== event.generation || !("wakeId" in phase) || phase.wakeId !== event.wakeId) return false
  if (phase.kind === "leased") return !isOver(now)
  return phase.kind === "sending" || phase.kind === "waiting"
}

function acknowledged(state: SubscriptionState, event: Event<"ack"> | Event<"release">, now: Now): Step {
  const moved = state.moved || (event.kind === "ack" && event.moved)
  const after = { ...state, moved, failures: 0 }
  if (event.kind === "release" || event.done) return over(after, now)
  return leased(after, now)
}

function leased(state: SubscriptionState, now: Now): Step {
  const { phase } = state
  if (!("wakeId" in phase)) return SAME
  const holder = phase.kind === "leased" ? phase.holder : null
  return next({ ...state, phase: { kind: "leased", wakeId: phase.wakeId, holder } }, now.nowMs + now.settings.leaseMs)
}

function sent(state: SubscriptionState, outcome: Event<"sent">["outcome"], now: Now): Step {
  const { phase } = state
  if (phase.kind !== "sending" && phase.kind !== "waiting" && phase.kind !== "leased") return SAME
  if (outcome === "done") return over({ ...state, failures: 0, moved: true }, now)
  if (phase.kind === "leased") return SAME
  if (outcome === "taken") return leased({ ...state, failures: 0 }, now)
  if (phase.kind === "waiting") return SAME
  const failures = state.failures + 1
  return next({ ...state, failures, phase: { ...phase, kind: "waiting" } }, now.nowMs + backoffMs(failures, now.chance))
}

function untold(state: SubscriptionState, generation: number, now: Now): Step {
  if (state.phase.kind !== "offered" || state.generation !== generation) return SAME
  const failures = state.failures + 1
  const phase = { ...state.phase, kind: "untold" } as const
  return next({ ...state, failures, phase }, now.nowMs + backoffMs(failures, now.chance))
}

/** The wake is over. A receiver that moves nothing, wake after wake, is woken ever less often. */
function over(state: SubscriptionState, now: Now): Step {
  if (now.settings.type === "pull-wake" || state.moved) {
    return next({ ...state, fruitless: 0, phase: { kind: "idle" } }, null)
  }
  const fruitless = state.fruitless + 1
  return next({ ...state, fruitless, phase: { kind: "resting" } }, now.nowMs + backoffMs(fruitless, now.chance))
}

function isOver(now: Now): boolean {
  return now.dueAtMs !== null && now.dueAtMs <= now.nowMs
}

function next(state: SubscriptionState, dueAtMs: number | null, effect: Next["effect"] = "none"): Next {
  return { kind: "next", state, dueAtMs, effect }
}
