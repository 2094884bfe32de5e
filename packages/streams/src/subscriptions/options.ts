import type { Offset } from "@rouse/protocol"
import type { SubscribedStream } from "@rouse/store"

/** What subscriptions need of the world. `nodeWebhooks()` has all but the settings. */
export interface SubscriptionOptions {
  /** Sends one webhook. Must connect to `address` and nowhere else, and follow no redirect. */
  readonly fetch: WebhookFetch
  /** All addresses of a host name, as a resolver gives them. */
  readonly resolve: (host: string) => Promise<readonly string[]>
  /** Bytes that nobody can foresee: of them are keys and tokens made. */
  readonly randomBytes: (count: number) => Uint8Array
  /** Whether webhooks may go to this machine, also without TLS. For development and tests. Default false. */
  readonly allowLoopbackWebhooks?: boolean
  /** Where others find this server, as `https://streams.example.com`. Default: where the subscription was made. */
  readonly publicUrl?: string
  /** Makes the requests of subscriptions that a host put into the store itself, to be told in its own words: see `webhookSubscription`. */
  readonly compose?: Compose
  /** How long a key signs before the next is made, in milliseconds. Default 30 days. */
  readonly keyRotationMs?: number
}

export type WebhookFetch = (request: WebhookRequest) => Promise<WebhookResponse>

/**
 * @param name What the subscription calls what it wants.
 * @param streams Those that are pending first.
 * @param nowMs When it is sent, milliseconds since the Unix epoch.
 */
export type Compose = (name: string, streams: readonly SubscribedStream[], nowMs: number) => Promise<Composed>

export interface Composed {
  /** Undefined: there is nothing to tell, and the cursors move all the same. */
  readonly request: { readonly headers: Readonly<Record<string, string>>; readonly body: string } | undefined
  /** Up to where the streams are handled once the receiver answered 2xx. */
  readonly acks: readonly { readonly path: string; readonly offset: Offset }[]
}

export interface WebhookRequest {
  readonly url: URL
  /** The address that was checked: the connection goes there, whatever the name leads to by now. */
  readonly address: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** How much of the answer is read. */
  readonly responseBytesMax: number
  /** Ends the request, also while the answer is read. */
  readonly signal: AbortSignal
}

export interface WebhookResponse {
  readonly status: number
  /** Undefined when it is longer than allowed. */
  readonly body: Uint8Array | undefined
}
