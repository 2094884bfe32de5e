import { RouseError } from "@rouse/protocol"
import type { Op, SubscribedStream } from "@rouse/store"
import { checkWebhookUrl } from "../core/webhook-url.ts"
import type { SubscriptionContext } from "./context.ts"
import { newSubscription } from "./known.ts"
import type { Composed, SubscriptionOptions, WebhookResponse } from "./options.ts"

const LEASE_MS = 30_000

/**
 * The operation that makes a subscription whose webhooks the host composes. It is woken, tried again and kept like any other. What is there
 * of its id must be deleted in the same commit.
 *
 * @param name What `compose` is told.
 * @throws {RouseError} `WEBHOOK_URL_REJECTED`.
 */
export function webhookSubscription(
  { id, pattern, url, name }: Readonly<Record<"id" | "pattern" | "url" | "name", string>>,
  options: Pick<SubscriptionOptions, "allowLoopbackWebhooks">,
  nowMs: number,
): Op {
  checkWebhookUrl(url, options.allowLoopbackWebhooks === true)
  const config = {
    pattern,
    streams: [],
    webhookUrl: url,
    wakeStream: null,
    leaseMs: LEASE_MS,
    description: null,
  } as const
  return newSubscription(id, { type: "webhook", ...config, composed: name }, "", nowMs)
}

/** Has the host compose a request and sends it. A receiver that answers 2xx has handled it: nothing more is awaited of it. */
export async function compose(
  { options, clock }: SubscriptionContext,
  name: string,
  streams: readonly SubscribedStream[],
  send: (request: NonNullable<Composed["request"]>) => Promise<WebhookResponse>,
): Promise<{ readonly outcome: "done" | "failed"; readonly acks: Composed["acks"] }> {
  if (options.compose === undefined) throw new RouseError("UNKNOWN_SUBSCRIPTION", `nobody here composes ${name}`)
  const { request, acks } = await options.compose(name, streams, clock.now())
  const { status } = request === undefined ? { status: 200 } : await send(request)
  return { outcome: status >= 200 && status <= 299 ? "done" : "failed", acks }
}
