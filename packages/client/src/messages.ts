import type { Json, Receipt, SendBody, Settled } from "@rouse/protocol"
import { RouseError } from "@rouse/protocol"
import { entityPath, queryString } from "./core/address.ts"
import { durationMs } from "./core/duration.ts"
import type { Call, Transport } from "./transport.ts"
import type { AskOptions, DelayedSendOptions, SendOptions } from "./types.ts"

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
