import type { EventSubscription, EventSubscriptionBody, WebhookSource, WebhookSourceBody } from "@rouse/protocol"
import type { Call, Transport } from "./transport.ts"
import type { CallOptions, WriteOptions } from "./options.ts"

/** Sources of inbound webhooks. Setting and removing them needs a token of scope `admin`. */
export interface Webhooks {
  webhookSources(options?: CallOptions): Promise<readonly WebhookSource[]>
  /** Sets a source: who may call `POST /v1/webhooks/{name}`, and where what they say goes. */
  setWebhookSource(name: string, source: WebhookSourceBody, options?: WriteOptions): Promise<WebhookSource>
  removeWebhookSource(name: string, options?: WriteOptions): Promise<void>
  /** Who is told of what happens to entities, by signed webhooks. Needs a token of scope `admin`, as do the two below. */
  eventSubscriptions(options?: CallOptions): Promise<readonly EventSubscription[]>
  setEventSubscription(name: string, body: EventSubscriptionBody, options?: WriteOptions): Promise<EventSubscription>
  removeEventSubscription(name: string, options?: WriteOptions): Promise<void>
}

const PATH = "/v1/webhook-sources"
const EVENTS = "/v1/event-subscriptions"

export function webhooks({ json }: Transport, write: (call: Call, options?: WriteOptions) => Call): Webhooks {
  const pathOf = (name: string): string => `${PATH}/${encodeURIComponent(name)}`
  return {
    webhookSources: async (o) => (await json<{ sources: WebhookSource[] }>({ path: PATH, signal: o?.signal })).sources,
    setWebhookSource: async (name, source, o) =>
      json<WebhookSource>(write({ method: "PUT", path: pathOf(name), body: source }, o)),
    eventSubscriptions: async (o) =>
      (await json<{ subscriptions: EventSubscription[] }>({ path: EVENTS, signal: o?.signal })).subscriptions,
    setEventSubscription: async (name, body, o) =>
      json<EventSubscription>(write({ method: "PUT", path: `${EVENTS}/${encodeURIComponent(name)}`, body }, o)),
    removeEventSubscription: async (name, o) =>
      json<void>(write({ method: "DELETE", path: `${EVENTS}/${encodeURIComponent(name)}` }, o)),
    removeWebhookSource: async (name, o) => json<void>(write({ method: "DELETE", path: pathOf(name) }, o)),
  }
}
