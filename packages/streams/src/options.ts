import type { Store } from "@rouse/store"
import type { Clock } from "./clock.ts"
import type { CorsOptions } from "./core/cors.ts"
import type { StreamRequest, Target } from "./request.ts"
import type { SnapshotSource } from "./snapshot/snapshots.ts"
import type { SubscriptionOptions } from "./subscriptions/options.ts"

/** What `createStreams` is given. */
export interface StreamsOptions {
  readonly store: Store
  readonly clock: Clock
  /** A number from 0 to below 1. */
  readonly random: () => number
  /** What stream URLs begin with. Default `/v1/stream`. */
  readonly basePath?: string
  /** How long a long-poll waits for data, in milliseconds. Default 20,000. */
  readonly longPollMs?: number
  /** How long an event stream stays open, in seconds, give or take a tenth. Default 60. */
  readonly sseSeconds?: number
  /** About how much one read answers, in bytes; never less than one append. Default 2 MiB. */
  readonly readBytesMax?: number
  /** The longest body of a create or append, in bytes. Default 8 MiB. */
  readonly bodyBytesMax?: number
  /** How many long-polls and event streams may be open at once; the next gets 503. Default 20,000. */
  readonly readersMax?: number
  /** Other origins that may use the streams from a browser. Default: none. */
  readonly cors?: CorsOptions
  /** Whether a stream is written by the server alone: a create, append or delete over HTTP is answered 405. */
  readonly readOnly?: (path: string) => boolean
  /** Who keeps the live rows of some streams at hand. Those of the others are made of their messages. */
  readonly snapshotSource?: SnapshotSource
  /** Called before anything is done with a stream; refuses by throwing a `RouseError`. */
  readonly guard?: (access: StreamAccess) => void | Promise<void>
  /** Subscriptions under `__ds`, and the work for them. Default: there are none. */
  readonly subscriptions?: SubscriptionOptions
  /** Told of every failure that is answered with a 5xx or that ends a live read. */
  readonly onError?: (error: unknown) => void
}

/** What a request wants of a subscription. Reports on a wake are not asked about: the wake's token allows them. */
export interface SubscriptionAccess {
  readonly id: string
  readonly pattern: string | null
  readonly webhookUrl: string | null
}

/** What a request wants of a stream. */
export interface StreamAccess {
  readonly request: StreamRequest
  readonly target: Target
  /** Decoded and checked: the one spelling that the store sees. */
  readonly path: string
  readonly write: boolean
  /**
   * The subscription that the request is about, when it is: `path` is then one of the streams that it names, its wake stream (to
   * write), or, once for each request, its own `__ds/subscriptions/{id}`.
   */
  readonly subscription?: SubscriptionAccess
}

/** The bounds, with every default filled in. */
export interface Limits {
  readonly longPollMs: number
  readonly sseMs: number
  readonly readBytesMax: number
  readonly bodyBytesMax: number
  readonly readersMax: number
}

export function limitsOf(options: StreamsOptions): Limits {
  return {
    longPollMs: options.longPollMs ?? 20_000,
    sseMs: (options.sseSeconds ?? 60) * 1000,
    readBytesMax: options.readBytesMax ?? 2 * 1024 * 1024,
    bodyBytesMax: options.bodyBytesMax ?? 8 * 1024 * 1024,
    readersMax: options.readersMax ?? 20_000,
  }
}
