import type { Budget } from "./budget.ts"
import type { EntityUrl } from "./entity.ts"
import type { ErrorCode } from "./errors.ts"
import type { JsonObject } from "./json.ts"
import type { HandlerCommit, WakeRequest } from "./wake.ts"

/**
 * What passes between the server and handlers outside of it (DESIGN §4.2). The same `WakeRequest` and `HandlerCommit` as in process,
 * with a claim: the right to commit under the wake's lease.
 */

/** How a type's wakes reach its handler. */
export type Dispatch =
  /** The server's own process runs it. */
  | { readonly kind: "local" }
  /** The server posts each wake to this address. */
  | { readonly kind: "webhook"; readonly url: string }
  /** Workers ask for wakes. */
  | { readonly kind: "pull" }

export type RemoteDispatch = Exclude<Dispatch, { readonly kind: "local" }>

/** What the control plane must know of a type, apart from how a wake of it is run. */
export interface TypeManifest {
  readonly name: string
  readonly description?: string
  /** JSON Schema of `args`. Without it: any object. */
  readonly args?: JsonObject
  /** JSON Schema of what people and apps send. Without it: anything. */
  readonly message?: JsonObject
  /** The author's collections. */
  readonly collections?: readonly string[]
  /** Milliseconds that a wake may go without a commit. */
  readonly timeoutMs?: number
  readonly attempts?: number
  readonly concurrency?: number
  readonly budget?: Budget
}

/** What a handler says of itself when it is asked. */
export interface HandlerManifest {
  readonly version?: string
  readonly types: readonly TypeManifest[]
}

/** `PUT /v1/types/{name}`: one version of a type and where its handler is. */
export interface TypeBody extends Omit<TypeManifest, "name"> {
  readonly dispatch: RemoteDispatch
  /** The next number when absent. */
  readonly version?: string
}

/** `POST /v1/types`: registers every type that the handler at `url` has. */
export interface DeployBody {
  readonly url: string
  readonly version?: string
}

/** Which version begins new runs. */
export type Routing =
  /** The one registered last. */
  | { readonly kind: "latest" }
  | { readonly kind: "pin"; readonly version: string }
  /** `percent` of the entities, always the same ones, take `version`; the others `base`. */
  | { readonly kind: "canary"; readonly version: string; readonly percent: number; readonly base: string }

/** How an endpoint answers, as this server sees it. */
export interface EndpointHealth {
  /** `open`: it failed so often that it is left alone until `retryAt`; `probing`: one wake tries it. `idle`: no worker asks for wakes. */
  readonly state: "ok" | "open" | "probing" | "idle"
  /** In a row. */
  readonly failures: number
  /** Why the last one failed. */
  readonly reason?: string
  readonly retryAt?: string
}

/** One version of a type, as `GET /v1/types` shows it. */
export interface TypeVersion {
  readonly version: string
  readonly dispatch: Dispatch
  readonly registeredAt: string
  /** The version that is served at its address now. Runs that it began go on there. */
  readonly supersededBy?: string
  readonly health: EndpointHealth
}

/** The body of a webhook, and one of the claims that a worker is given. */
export interface WakeDelivery {
  readonly kind: "wake"
  /** Names this delivery: a second one of the same name is a replay. */
  readonly delivery: string
  readonly request: WakeRequest
  /** Goes with every commit of this wake as its bearer token. */
  readonly claim: string
  /** How long the lease lasts without a commit or a renewal. */
  readonly leaseMs: number
  /** The run is to end, and why. */
  readonly interrupting?: string
}

/** The body of a webhook that asks what the handler has. */
export interface ManifestRequest {
  readonly kind: "manifest"
  readonly delivery: string
}

/** How a handler failed: recorded on the entity's log. */
export interface HandlerFailure {
  readonly message: string
  readonly code?: ErrorCode
  readonly stack?: string
}

/** What a webhook is answered. */
export type WakeAnswer =
  /** The commit that ends the wake. All that were to be durable before it have been sent on their own. */
  | { readonly kind: "finished"; readonly commit: HandlerCommit }
  | { readonly kind: "failed"; readonly error: HandlerFailure }
  /** Given back, through no fault of the handler. */
  | { readonly kind: "released" }
  /** It goes on: the handler renews the lease and commits on its own. */
  | { readonly kind: "continues" }

/** `POST /v1/claims` */
export interface ClaimsBody {
  /** Names the worker, for people. */
  readonly worker: string
  readonly types: readonly { readonly name: string; readonly version?: string }[]
  /** Wakes it has room for. */
  readonly capacity: number
  /** How long to wait for the first. 20,000 when absent. */
  readonly waitMs?: number
}

export interface ClaimsReply {
  readonly claims: readonly WakeDelivery[]
}

/** `POST /v1/claims/renew`. Answered at once when there is something to tell, else after `waitMs`. */
export interface RenewBody {
  readonly waitMs?: number
}

export interface RenewReply {
  readonly leaseMs: number
  /** The run is to end, and why. */
  readonly interrupting?: string
}

/** `POST /v1/claims/end`: the attempt is over without a finish. */
export type ClaimEnd = Exclude<WakeAnswer, { readonly kind: "finished" | "continues" }>

/** What a claim is of. */
export interface ClaimInfo {
  readonly url: EntityUrl
  readonly epoch: number
}

/** Carries the signature of a webhook: `t=<seconds>,kid=<key>,ed25519=<base64url>`, over `<seconds>.<body>`. */
export const SIGNATURE_HEADER = "webhook-signature"

/** Where a server publishes the keys that it signs with, as a JSON Web Key Set. */
export const KEYS_PATH = "/.well-known/jwks.json"
