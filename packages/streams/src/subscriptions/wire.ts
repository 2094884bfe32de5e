import type { SubscribedStream } from "@rouse/store"
import type { SubscriptionContext } from "./context.ts"
import type { Known } from "./known.ts"

/** Streams that a wake lists. Those that are pending come first; the others wait for the next wake. */
export const WAKE_STREAMS_MAX = 1_000
/** Streams that a description lists. */
export const LISTED_STREAMS_MAX = 1_000

export type WireObject = Readonly<Record<string, unknown>>

/** What a holder is told of a stream. */
export function wireStream(stream: SubscribedStream): WireObject {
  return { ...wireLink(stream), tail_offset: stream.next, has_pending: stream.pending }
}

/** What a wake tells its holder. */
export async function wakeStreams(context: SubscriptionContext, known: Known): Promise<readonly SubscribedStream[]> {
  return context.store.subscribedStreams(known.record.id, WAKE_STREAMS_MAX)
}

/** A subscription as it is described to those who ask. */
export async function describeSubscription(context: SubscriptionContext, known: Known): Promise<WireObject> {
  const { record, config, state, createdAtMs } = known
  const streams = await context.store.subscribedStreams(record.id, LISTED_STREAMS_MAX)
  return {
    id: record.id,
    subscription_id: record.id,
    type: config.type,
    ...(config.pattern === null ? {} : { pattern: config.pattern }),
    streams: streams.map(wireLink),
    stream_count: record.links,
    ...(config.webhookUrl === null ? {} : { webhook: await describeWebhook(context, known, config.webhookUrl) }),
    ...(config.wakeStream === null ? {} : { wake_stream: config.wakeStream }),
    lease_ttl_ms: config.leaseMs,
    created_at: new Date(createdAtMs).toISOString(),
    status: state.failures > 0 ? "failed" : "active",
    ...(config.description === null ? {} : { description: config.description }),
  }
}

/** Where an action of a subscription is found. */
export function actionUrl(context: SubscriptionContext, known: Known, action: string): string {
  return controlUrl(context, known, `subscriptions/${encodeURIComponent(known.record.id)}/${action}`)
}

async function describeWebhook(context: SubscriptionContext, known: Known, url: string): Promise<WireObject> {
  const kid = await context.keyring.signingKeyId()
  return { url, signing: { alg: "ed25519", kid, jwks_url: controlUrl(context, known, "jwks.json") } }
}

function controlUrl(context: SubscriptionContext, known: Known, path: string): string {
  return `${context.options.publicUrl?.replace(/\/$/, "") ?? known.origin}${context.basePath}/__ds/${path}`
}

function wireLink(stream: SubscribedStream): WireObject {
  return { path: stream.path, link_type: stream.explicit ? "explicit" : "glob", acked_offset: stream.acked }
}
