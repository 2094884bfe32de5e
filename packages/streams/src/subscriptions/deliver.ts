import { RouseError } from "@rouse/protocol"
import type { Op, SubscribedStream } from "@rouse/store"
import { checkWebhookUrl } from "../core/webhook-url.ts"
import { addressOf } from "./address.ts"
import { compose } from "./composed.ts"
import type { SubscriptionContext } from "./context.ts"
import { apply, find, retrying } from "./known.ts"
import type { Known } from "./known.ts"
import type { Composed, WebhookResponse } from "./options.ts"
import { actionUrl, wakeStreams, wireStream } from "./wire.ts"

/** How long a receiver is given, from the name's resolution to the end of its answer. */
export const ANSWER_MS_MAX = 10_000
/** How much of an answer is read. A longer one counts as taken, and says nothing. */
export const ANSWER_BYTES_MAX = 65_536

type Outcome = "taken" | "done" | "failed"

const decoder = new TextDecoder("utf-8", { fatal: true })

/**
 * Sends the wake under way to its receiver, and stores what came of it. A failure to send is an outcome, not an error.
 *
 * @param signal Ends the attempt without an outcome: it is made again when its time is over.
 */
export async function deliver(context: SubscriptionContext, known: Known, signal: AbortSignal): Promise<void> {
  const streams = await wakeStreams(context, known)
  const { outcome, acks } = await attempt(context, known, streams, signal)
  if (signal.aborted) return
  const { serial } = known.record
  const { generation } = known.state
  await retrying(async () => {
    const newest = await find(context, known.record.id)
    if (newest.record.serial !== serial) return
    await apply(context, newest, { kind: "sent", generation, outcome }, (step, nowMs) =>
      outcome === "done" && step.kind === "next" ? ackOps(known.record.id, acks, nowMs) : [],
    )
  })
}

/** A receiver that is done at once has handled what it was told of. */
function acksOf(streams: readonly SubscribedStream[]): Composed["acks"] {
  return streams.filter((stream) => stream.pending).map(({ path, next }) => ({ path, offset: next }))
}

function ackOps(id: string, acks: Composed["acks"], nowMs: number): Op[] {
  return acks.map((ack) => ({ op: "subscription", change: { kind: "ack", id, ...ack, lenient: true, nowMs } }))
}

interface Attempt {
  readonly outcome: Outcome
  /** What the receiver has handled when it is done. */
  readonly acks: Composed["acks"]
}

async function attempt(
  context: SubscriptionContext,
  known: Known,
  streams: readonly SubscribedStream[],
  stop: AbortSignal,
): Promise<Attempt> {
  const limit = new AbortController()
  const end = (): void => limit.abort(new RouseError("TIMED_OUT", "the receiver took too long"))
  if (stop.aborted) end()
  else stop.addEventListener("abort", end, { once: true })
  const cancel = context.clock.after(ANSWER_MS_MAX, end)
  try {
    const { config } = known
    const work =
      config.composed === undefined
        ? notify(context, known, streams, limit.signal)
        : compose(context, config.composed, streams, (content) => post(context, known, content, limit.signal))
    return await Promise.race([work, aborted(limit.signal, work)])
  } catch (error) {
    if (!stop.aborted) context.onError(failure(known, error))
    return { outcome: "failed", acks: [] }
  } finally {
    cancel()
    stop.removeEventListener("abort", end)
  }
}

/** Tells the receiver which streams have something new, in the protocol's words. */
async function notify(
  context: SubscriptionContext,
  known: Known,
  streams: readonly SubscribedStream[],
  signal: AbortSignal,
): Promise<Attempt> {
  const { state, record } = known
  const body = JSON.stringify({
    subscription_id: record.id,
    wake_id: "wakeId" in state.phase ? state.phase.wakeId : "",
    generation: state.generation,
    streams: streams.map(wireStream),
    callback_url: actionUrl(context, known, "callback"),
    callback_token: await context.tokens.make(record.serial, state.generation),
  })
  const headers = { "webhook-signature": await context.keyring.sign(body) }
  return { outcome: outcomeOf(await post(context, known, { headers, body }, signal)), acks: acksOf(streams) }
}

async function post(
  context: SubscriptionContext,
  { config }: Known,
  { headers, body }: NonNullable<Composed["request"]>,
  signal: AbortSignal,
): Promise<WebhookResponse> {
  const allowLoopback = context.options.allowLoopbackWebhooks === true
  const url = checkWebhookUrl(config.webhookUrl ?? "", allowLoopback)
  const address = await addressOf(url, allowLoopback, context.options.resolve)
  signal.throwIfAborted()
  const all = { "content-type": "application/json", ...headers }
  return context.options.fetch({ url, address, headers: all, body, responseBytesMax: ANSWER_BYTES_MAX, signal })
}

function outcomeOf({ status, body }: WebhookResponse): Outcome {
  if (status < 200 || status > 299) return "failed"
  return body !== undefined && saysDone(body) ? "done" : "taken"
}

function saysDone(body: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(decoder.decode(body))
    return typeof value === "object" && value !== null && "done" in value && value.done === true
  } catch {
    // Whatever it is, it does not say so.
    return false
  }
}

/** Rejects when the signal does. What is given up must not fail unseen. */
function aborted(signal: AbortSignal, work: Promise<unknown>): Promise<never> {
  work.catch(() => undefined)
  return new Promise((_, reject) => {
    const refuse = (): void => reject(signal.reason as Error)
    if (signal.aborted) refuse()
    else signal.addEventListener("abort", refuse, { once: true })
  })
}

/** Without the target's address, whose query may hold a secret. */
function failure(known: Known, cause: unknown): RouseError {
  return new RouseError("TIMED_OUT", `a webhook of the subscription ${known.record.id} could not be delivered`, {
    cause,
  })
}
