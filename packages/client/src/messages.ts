import type { ChangeEvent, EntityUrl, Json, MessageMode, Offset, Receipt, SendBody, Settled } from "@rouse/protocol"
import { RouseError } from "@rouse/protocol"
import { entityPath, queryString } from "./core/address.ts"
import type { FilesOption } from "./attachments.ts"
import { durationMs } from "./core/duration.ts"
import type { Call, Transport } from "./transport.ts"
import type { Duration, WriteOptions } from "./options.ts"

export interface SendOptions extends WriteOptions {
  /** How it joins a run under way; the server's choice for people is `steer`. */
  readonly mode?: MessageMode | undefined
  /** Ids of the entity's attachments that come with it. */
  readonly attachments?: readonly string[] | undefined
}

export interface DelayedSendOptions extends SendOptions, FilesOption {
  /** Deliver this long from now. Not together with `at`. */
  readonly after?: Duration | undefined
  /** Deliver at this time: a `Date`, or ISO 8601. */
  readonly at?: Date | string | undefined
}

export interface AskOptions extends SendOptions, FilesOption {
  /** How long to wait in total; 10 minutes when absent. */
  readonly timeout?: Duration | undefined
}

/** What a streamed send tells: first `accepted`, then each change of the log from the message on, last `settled`. */
export type StreamEvent =
  | { readonly kind: "accepted"; readonly receipt: Receipt }
  | { readonly kind: "change"; readonly event: ChangeEvent; readonly offset?: Offset }
  | { readonly kind: "settled"; readonly settled: Settled }

/** What goes into an inbox. */
export interface Messages {
  /**
   * Puts a message in the entity's inbox. When it returns, the message is on disk and will be settled.
   *
   * @example
   * await client.send("/assistant/one", "Remind me", { after: "2m" })
   */
  send(url: EntityUrl, content: Json, options?: DelayedSendOptions): Promise<Receipt>

  /**
   * Sends a message and waits until it is settled. A lost connection is taken up again without sending twice.
   *
   * @returns What came of it; test `status`: `processed`, `cancelled` or `dead`.
   * @throws {RouseError} `TIMED_OUT` when `timeout` is over. The message stays accepted.
   * @example
   * const { reply } = await client.ask("/assistant/one", "What is the capital of France?", { timeout: "1m" })
   */
  ask(url: EntityUrl, content: Json, options?: AskOptions): Promise<Settled>

  /**
   * Sends a message and tells everything that is written to the entity's log until it is settled. A lost connection is taken up again
   * from the log, with nothing lost or told twice.
   *
   * @example
   * let timeline = emptyTimeline()
   * for await (const item of client.stream("/assistant/one", "Hello")) {
   *   if (item.kind === "change") timeline = applyChange(timeline, item.event)
   * }
   */
  stream(url: EntityUrl, content: Json, options?: SendOptions): AsyncIterableIterator<StreamEvent>
}

/** How long one request of `ask` waits, so that no proxy on the way finds it idle. */
const WAIT_MS_MAX = 25_000
const ASK_TIMEOUT_MS = 600_000

export async function send(
  transport: Transport,
  url: string,
  content: Json,
  options: DelayedSendOptions,
): Promise<Receipt> {
  const { after, at } = options
  const body: SendBody = {
    ...sendBody(content, options),
    ...(after !== undefined && { afterMs: durationMs(after, "after") }),
    ...(at !== undefined && { at: typeof at === "string" ? at : at.toISOString() }),
  }
  return transport.json({ ...messageCall(transport, url, options), body })
}

/** Asks with one idempotency key again and again, until the message is settled or the time is over. */
export async function ask(transport: Transport, url: string, content: Json, options: AskOptions): Promise<Settled> {
  const timeoutMs = options.timeout === undefined ? ASK_TIMEOUT_MS : durationMs(options.timeout, "timeout")
  const call = { ...messageCall(transport, url, options), body: sendBody(content, options) }
  const endsAtMs = transport.clock.nowMs() + timeoutMs
  for (;;) {
    const leftMs = endsAtMs - transport.clock.nowMs()
    const settled = await waitFor(transport, call, Math.min(Math.max(leftMs, 0), WAIT_MS_MAX))
    if (isSettled(settled)) return settled
    if (transport.clock.nowMs() >= endsAtMs) {
      throw new RouseError("TIMED_OUT", `${url} did not settle the message within ${timeoutMs} ms`, {
        details: { message: settled.message, offset: settled.offset },
      })
    }
  }
}

/** What has come of the message that this call sent, or sends, within `waitMs`. */
export function waitFor(transport: Transport, call: Call, waitMs: number): Promise<Settled> {
  return transport.json<Settled>({
    ...call,
    path: call.path + queryString({ wait: `${Math.max(1, Math.round(waitMs))}ms` }),
  })
}

export function isSettled({ status }: Settled): boolean {
  return status !== "accepted" && status !== "taken"
}

export function messageCall(transport: Transport, url: string, options: SendOptions): Call & { readonly key: string } {
  const key = options.idempotencyKey ?? transport.newKey()
  return { method: "POST", path: entityPath(url, "messages"), key, signal: options.signal }
}

export function sendBody(content: Json, { mode, attachments }: SendOptions): SendBody {
  return { content, ...(mode !== undefined && { mode }), ...(attachments?.length && { attachments }) }
}
