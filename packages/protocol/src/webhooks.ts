import type { MessageMode } from "./collections.ts"
import type { Json } from "./json.ts"
import type { Where } from "./observe.ts"

/** Whose signatures a source's requests carry. `standard`: Standard Webhooks. */
export type WebhookKind = "github" | "stripe" | "slack" | "standard" | "hmac"

/** A source of webhooks (DESIGN §6): who may call `POST /v1/webhooks/{source}`, and where what they say goes. */
export interface WebhookSourceBody {
  readonly kind: WebhookKind
  /** The names of the secrets that it may be signed with, as the host of the server resolves them: while one is replaced by another, both. */
  readonly secrets: readonly string[]
  /** How a `hmac` source signs. */
  readonly hmac?: HmacScheme
  /** How old, or how far ahead, a signed time may be. 300 when absent. */
  readonly toleranceSeconds?: number
  /** Of a `WebhookDelivery`: what does not match is answered and forgotten. */
  readonly where?: Where
  /** The agents that are told. */
  readonly to?: readonly WebhookRoute[]
  /** Whether it is appended to the stream `webhooks/{source}`. True when absent. */
  readonly stream?: boolean
}

/** How a request is signed: an HMAC of `{timestamp}.{body}` when there is a header with the time, else of the body. */
export interface HmacScheme {
  /** The header that carries the signature. */
  readonly header: string
  readonly algorithm?: "sha1" | "sha256" | "sha512"
  readonly encoding?: "hex" | "base64" | "base64url"
  /** What stands before the signature, as `sha256=`. */
  readonly prefix?: string
  /** The header with the time of sending, in seconds since the Unix epoch. Without one, nothing tells a replay but the delivery's id. */
  readonly timestampHeader?: string
  /** What is signed, with `{timestamp}` and `{body}` in it. */
  readonly signed?: string
  /** The header with the delivery's id. Without one, it is known by the digest of what was signed. */
  readonly idHeader?: string
  /** The header that says what happened. */
  readonly eventHeader?: string
}

/**
 * An agent that is told. Templates hold `{path}`s of the delivery: `{body.issue.number}`. Of an id, characters that may not be in one are written as
 * `~` and their code.
 */
export interface WebhookRoute {
  readonly type: string
  readonly id: string
  /** Spawned with these when it is not there; `spawn: false` leaves it. Values that are text are templates. */
  readonly args?: Readonly<Record<string, Json>>
  readonly spawn?: boolean
  readonly where?: Where
  /** The message's text. Without it the message is the delivery. */
  readonly message?: string
  /** `queue` when absent. */
  readonly mode?: MessageMode
}

export interface WebhookSource extends WebhookSourceBody {
  readonly name: string
  /** Where the server has it from. */
  readonly from: "file" | "api"
}

/** What arrived: the message to an agent, and the row on the stream. */
export interface WebhookDelivery {
  readonly source: string
  /** The sender's id of it, or the digest of what was signed. */
  readonly delivery: string
  /** What happened, in the sender's word; empty when it does not say. */
  readonly event: string
  readonly at: string
  readonly body: Json
}

/** `POST /v1/webhooks/{source}` */
export interface WebhookReceipt {
  readonly delivery: string
  /** `filtered`: it did not match. `duplicate`: it had been accepted before. */
  readonly status: "accepted" | "filtered" | "duplicate"
  /** The agents that it was given to. */
  readonly delivered?: readonly string[]
  /** Routes that it was not given to, and why. */
  readonly passed?: readonly { readonly route: number; readonly reason: string }[]
}

/** The stream of a source. */
export function webhookStream(source: string): string {
  return `webhooks/${source}`
}
