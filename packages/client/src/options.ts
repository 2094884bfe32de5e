import type { RouseError } from "@rouse/protocol"
import type { Clock } from "./clock.ts"

/** Where a server is, and who asks. */
export interface ClientOptions {
  /** The server's base, for example `http://127.0.0.1:4437`. A page served by it can give `location.origin`. */
  readonly url: string
  /** Sent as a bearer token. A function is asked before each request, so that it may refresh the token. */
  readonly token?: string | (() => string | Promise<string>)
  /** Used instead of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /**
   * Whether `fetch` hands out an answer's body as it comes. Found out when absent. Without it logs are read by long-polling, and lists by
   * asking again: React Native's `fetch` is like that.
   */
  readonly streaming?: boolean
  /** How often one request is sent at most when it fails for a passing reason; 6 when absent, 1 never tries again. */
  readonly attempts?: number
  readonly clock?: Clock
  /** Chooses the jitter of retries: at least 0, below 1. */
  readonly random?: () => number
  /** Makes idempotency keys: a new unguessable one at every call. */
  readonly newKey?: () => string
}

export interface CallOptions {
  /** Ends the call, and any retry of it, with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export interface WriteOptions extends CallOptions {
  /** Repeating a call with the same key does it once. A random key when absent. */
  readonly idempotencyKey?: string | undefined
}

export interface WatchOptions extends CallOptions {
  /** Told each time the connection is lost, before it is taken up again. The next batch says that it was, if need be without events. */
  readonly onInterrupted?: ((error: RouseError) => void) | undefined
}

/** A length of time: milliseconds, or `500ms`, `30s`, `2m`. */
export type Duration = number | string
