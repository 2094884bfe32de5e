import { RouseError } from "@rouse/protocol"
import type { CommitResult, Op, SubscriptionRecord } from "@rouse/store"
import { NEW_SUBSCRIPTION, stepSubscription } from "../core/subscription.ts"
import type { Step, SubscriptionEvent, SubscriptionState } from "../core/subscription.ts"
import type { SubscriptionConfig } from "../core/subscription-request.ts"
import type { SubscriptionContext } from "./context.ts"

/** A stored subscription, taken apart. */
export interface Known {
  readonly record: SubscriptionRecord
  readonly config: SubscriptionConfig
  /** Where it was made: `https://streams.example.com`. */
  readonly origin: string
  readonly createdAtMs: number
  readonly state: SubscriptionState
}

/** Tries of a change while others change the same subscription. */
const TRIES_MAX = 16

export function knownOf(record: SubscriptionRecord): Known {
  const { config, origin, createdAtMs } = JSON.parse(record.config) as Omit<Known, "record" | "state">
  return { record, config, origin, createdAtMs, state: JSON.parse(record.state) as SubscriptionState }
}

/** @throws {RouseError} `UNKNOWN_SUBSCRIPTION`. */
export async function find(context: SubscriptionContext, id: string): Promise<Known> {
  const record = await context.store.subscription(id)
  if (record !== undefined) return knownOf(record)
  throw new RouseError("UNKNOWN_SUBSCRIPTION", `there is no subscription ${id}`, { details: { id } })
}

/** The operation that makes a subscription. */
export function newSubscription(id: string, config: SubscriptionConfig, origin: string, nowMs: number): Op {
  const record = {
    id,
    pattern: config.pattern,
    wakeStream: config.wakeStream,
    idle: true,
    dueAtMs: null,
    config: JSON.stringify({ config, origin, createdAtMs: nowMs }),
    state: JSON.stringify(NEW_SUBSCRIPTION),
  }
  return { op: "subscription", change: { kind: "put", record, nowMs } }
}

export interface Applied {
  readonly step: Step
  readonly known: Known
  /** Undefined when nothing changed. */
  readonly result: CommitResult | undefined
}

/**
 * Does to a subscription what an event does, and `also` in the same commit, before it.
 *
 * @throws {RouseError} `CONFLICT` when another did something to it first; what the event is refused with.
 */
export async function apply(
  context: SubscriptionContext,
  known: Known,
  event: SubscriptionEvent,
  also: (step: Step, nowMs: number) => readonly Op[] = () => [],
): Promise<Applied> {
  const { record, config, state } = known
  const nowMs = context.clock.now()
  const settings = { type: config.type, leaseMs: config.leaseMs }
  const step = stepSubscription(state, event, settings, record.dueAtMs, nowMs, context.random())
  if (step.kind === "refused") throw refusal(known, step.code)
  if (step.kind === "same") return { step, known, result: undefined }
  const change = {
    kind: "put",
    record: {
      id: record.id,
      pattern: record.pattern,
      wakeStream: record.wakeStream,
      idle: step.state.phase.kind === "idle",
      dueAtMs: step.dueAtMs,
      config: record.config,
      state: JSON.stringify(step.state),
    },
    nowMs,
  } as const
  const result = await context.store.commit({
    guards: [{ kind: "subscription", id: record.id, version: record.version }],
    ops: [...also(step, nowMs), { op: "subscription", change }],
  })
  if (step.refusal !== undefined) throw refusal(known, step.refusal)
  return { step, known: { ...known, state: step.state }, result }
}

/** Tries again while others are quicker. */
export async function retrying<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!RouseError.is(error, "CONFLICT") || tries >= TRIES_MAX) throw error
    }
  }
}

function refusal({ record, state }: Known, code: "FENCED" | "ALREADY_CLAIMED" | "NO_PENDING_WORK"): RouseError {
  const { phase, generation } = state
  switch (code) {
    case "FENCED":
      return new RouseError(code, "generation: this wake is over, or its lease is", { details: { generation } })
    case "NO_PENDING_WORK":
      return new RouseError(code, `no stream of ${record.id} has anything new`)
    case "ALREADY_CLAIMED": {
      const holder = phase.kind === "leased" ? phase.holder : null
      return new RouseError(code, `${String(holder)} has the claim`, {
        details: { current_holder: holder, generation },
      })
    }
  }
}
