import { RouseError } from "@rouse/protocol"
import { frameJson } from "@rouse/store"
import type { DueCursor, Op, SubscriptionRecord } from "@rouse/store"
import { DUE_MS_MAX } from "../core/subscription.ts"
import type { Step } from "../core/subscription.ts"
import type { SubscriptionContext } from "./context.ts"
import { deliver } from "./deliver.ts"
import { apply, find, knownOf, retrying } from "./known.ts"
import type { Known } from "./known.ts"
import { Receivers } from "./receivers.ts"
import { newWakeId } from "./wake-id.ts"

/** Subscriptions that are looked at together. */
const BATCH = 128
/** Webhooks under way at once. What is due beyond that waits for one to end. */
export const DELIVERIES_MAX = 64
/** The longest sleep: a due time written by another process, or hidden by a clock that was set back, is seen within it. */
const SLEEP_MS_MAX = 30_000
/** The pause after the store refused, or while all deliveries are taken. */
const RETRY_MS = 1_000
/** While some wait for a slow receiver, only what falls due later is looked at; this often it is all of it. */
const RESCAN_MS = 5_000

/**
 * Looks at the subscriptions that are due. Holds one timer, whatever their number; everything else it knows is in the store.
 *
 * 1. One round at a time; a poke during a round makes another follow it.
 * 2. An attempt to deliver is stored before it is made, with the time at which it counts as lost.
 * 3. Who waits for a receiver stays due in the store, and is passed over: what is due after it is seen nevertheless.
 */
export class WorkLoop {
  readonly #context: SubscriptionContext
  readonly #stop = new AbortController()
  readonly #deliveries = new Set<Promise<void>>()
  /** Deliveries under way or about to be. */
  #taken = 0
  readonly #receivers = new Receivers()
  /** Up to here all that is due is held for its receiver. */
  #after: DueCursor | undefined
  #rescanAtMs = Number.POSITIVE_INFINITY
  /** Who is held and who is due take turns in being first, so that neither takes every place for ever. */
  #heldFirst = false
  /** Whether the last look left something that is due: for want of room, or because it failed. */
  #left = false
  #cancel: () => void = () => undefined
  #wakeAtMs = Number.POSITIVE_INFINITY
  #round: Promise<void> | undefined
  #again = false

  constructor(context: SubscriptionContext) {
    this.#context = context
  }

  /** Something falls due at this time. */
  dueAt(ms: number): void {
    if (this.#stop.signal.aborted || ms >= this.#wakeAtMs) return
    this.#cancel()
    this.#wakeAtMs = ms
    const delayMs = Math.min(Math.max(0, ms - this.#context.clock.now()), SLEEP_MS_MAX)
    this.#cancel = this.#context.clock.after(delayMs, () => {
      this.#wakeAtMs = Number.POSITIVE_INFINITY
      this.poke()
    })
  }

  /** Looks now. */
  poke(): void {
    if (this.#stop.signal.aborted) return
    if (this.#round) this.#again = true
    else this.#round = this.#run()
  }

  /** Looks no more, ends what is under way, and waits for it. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#cancel()
    await this.#round
    await Promise.all(this.#deliveries)
  }

  async #run(): Promise<void> {
    const { clock, store } = this.#context
    try {
      do {
        this.#again = false
        await this.#look()
      } while (this.#again && !this.#stop.signal.aborted)
      const next = await store.nextSubscriptionDueAtMs()
      const nowMs = clock.now()
      const isBusy = this.#left || this.#receivers.held > 0
      this.dueAt(next === undefined ? nowMs + SLEEP_MS_MAX : isBusy ? Math.max(next, nowMs + RETRY_MS) : next)
    } catch (error) {
      this.#report(error)
      this.dueAt(clock.now() + RETRY_MS)
    } finally {
      this.#round = undefined
    }
    if (this.#again) this.poke()
  }

  async #look(): Promise<void> {
    const { clock, store } = this.#context
    this.#left = false
    const distant = await store.distantSubscriptions(clock.now() + DUE_MS_MAX, BATCH)
    await Promise.all(distant.map((record) => this.#attend(record, "rewound")))
    if (clock.now() >= this.#rescanAtMs) this.#rescan()
    this.#heldFirst = !this.#heldFirst
    if (this.#heldFirst) await this.#lookAtHeld()
    await this.#lookAtDue()
    if (!this.#heldFirst) await this.#lookAtHeld()
  }

  async #lookAtDue(): Promise<void> {
    const { clock, store } = this.#context
    const due = await store.dueSubscriptions(clock.now(), BATCH, this.#after)
    await Promise.all(due.map((record) => this.#attend(record, "due")))
    if (this.#left) return
    if (due.length === BATCH) this.#again = true
    if (this.#receivers.held === 0) return this.#rescan()
    const last = due.at(-1)
    if (last === undefined) return
    this.#after = { dueAtMs: last.dueAtMs ?? 0, serial: last.serial }
    this.#rescanAtMs = Math.min(this.#rescanAtMs, clock.now() + RESCAN_MS)
  }

  async #lookAtHeld(): Promise<void> {
    const { clock, store } = this.#context
    const ids = this.#receivers.next(DELIVERIES_MAX - this.#taken)
    const records = await Promise.all(ids.map((id) => store.subscription(id)))
    const due = records.filter((record) => record !== undefined)
    const nowMs = clock.now()
    await Promise.all(
      due.filter(({ dueAtMs }) => dueAtMs !== null && dueAtMs <= nowMs).map((record) => this.#attend(record, "due")),
    )
  }

  /** The next look begins with the earliest that is due. */
  #rescan(): void {
    this.#after = undefined
    this.#rescanAtMs = Number.POSITIVE_INFINITY
    this.#receivers.forget()
  }

  async #attend(record: SubscriptionRecord, kind: "due" | "rewound"): Promise<void> {
    const known = knownOf(record)
    const receiver = receiverOf(known)
    if (receiver !== undefined && !this.#take(receiver, record.id)) return
    try {
      const sending = await this.#step(known, kind)
      if (sending !== undefined && receiver !== undefined) return this.#deliver(sending, receiver)
    } catch (error) {
      // Somebody else was quicker; what there is still to do is seen in the next look.
      if (!RouseError.is(error, "CONFLICT", "UNKNOWN_SUBSCRIPTION")) {
        this.#left = true
        this.#report(error)
      }
    }
    if (receiver !== undefined) this.#give(receiver)
  }

  #take(receiver: string, id: string): boolean {
    if (this.#taken >= DELIVERIES_MAX) this.#left = true
    else if (this.#receivers.take(receiver, id)) {
      this.#taken += 1
      return true
    }
    return false
  }

  #give(receiver: string): void {
    this.#taken -= 1
    this.#receivers.give(receiver)
  }

  /** Returns what is to be delivered now. */
  async #step(known: Known, kind: "due" | "rewound"): Promise<Known | undefined> {
    const { store, options } = this.#context
    const [first] = known.config.type === "pull-wake" ? await store.subscribedStreams(known.record.id, 1) : []
    const wakeId = newWakeId(options.randomBytes)
    const event = kind === "rewound" ? ({ kind } as const) : { kind, pending: known.record.pending > 0, wakeId }
    try {
      const applied = await apply(this.#context, known, event, (step, nowMs) =>
        wakeEvent(known, step, first?.path ?? "", nowMs),
      )
      return applied.step.kind === "next" && applied.step.effect === "send" ? applied.known : undefined
    } catch (error) {
      if (!RouseError.is(error, "UNKNOWN_STREAM", "STREAM_CLOSED", "CONTENT_TYPE_MISMATCH")) throw error
      await this.#untold(known, event)
      return undefined
    }
  }

  /** The wake stream would not take the event: the wake is offered without it, and told later. */
  async #untold(known: Known, event: Parameters<typeof apply>[2]): Promise<void> {
    const { known: offered } = await apply(this.#context, known, event)
    await retrying(async () => {
      const newest = await find(this.#context, known.record.id)
      await apply(this.#context, newest, { kind: "untold", generation: offered.state.generation })
    })
  }

  #deliver(known: Known, receiver: string): void {
    const delivery = deliver(this.#context, known, this.#stop.signal)
      .catch((error: unknown) => {
        if (!RouseError.is(error, "UNKNOWN_SUBSCRIPTION")) this.#report(error)
      })
      .finally(() => {
        this.#deliveries.delete(delivery)
        this.#give(receiver)
        if (this.#taken === DELIVERIES_MAX - 1 || this.#receivers.held > 0) this.poke()
      })
    this.#deliveries.add(delivery)
  }

  #report(error: unknown): void {
    if (!this.#stop.signal.aborted) this.#context.onError(error)
  }
}

/** Whom a subscription's webhooks go to; undefined when it has none. */
function receiverOf({ config }: Known): string | undefined {
  return config.webhookUrl === null ? undefined : new URL(config.webhookUrl).origin
}

/** The event that tells of a wake, in the commit that makes it. It is news to no subscription, or they would wake each other for ever. */
function wakeEvent(known: Known, step: Step, stream: string, nowMs: number): Op[] {
  const { wakeStream } = known.config
  if (step.kind !== "next" || step.effect !== "tell" || wakeStream === null) return []
  const { generation } = step.state
  const event = { type: "wake", subscription_id: known.record.id, stream, generation, ts: nowMs }
  const data = frameJson([event])
  return [{ op: "append", path: wakeStream, contentType: "application/json", data, silent: true, nowMs }]
}
