import type { Log, Token } from "@rouse/server"
import { admit, mergeOfEntity } from "@rouse/server/http"
import { keepOffloading } from "@rouse/store"
import type { Store } from "@rouse/store"
import { createCompactor, createRateLimit, createStreams } from "@rouse/streams"
import type { Clock, Compactor, RetentionRule, StreamAccess, Streams } from "@rouse/streams"
import { nodeWebhooks } from "@rouse/streams/node"
import type { Io } from "../io.ts"
import { advisePort } from "./advise-port.ts"
import { frontNamed, listenStreams } from "./listen-streams.ts"

/** The pause between two sweeps, and after one that found something: there may be more. */
const SWEEP_EVERY_MS = 60_000
const SWEEP_MORE_MS = 50
/** How long answers under way may take when the server ends. */
const GRACE_MS = 10_000

export interface HostStreamsOptions {
  /** It belongs to the server once that listens. */
  readonly store: Promise<Store>
  readonly host: string
  readonly port: number
  /** None: whoever is on this machine may do everything. */
  readonly tokens: readonly Token[]
  readonly longPollMs?: number
  /** Which history may be taken away. None without. */
  readonly retention?: readonly RetentionRule[]
  /** Requests a second that each token may make; without tokens, that all together may. No bound without. */
  readonly rateLimit?: number
  /** Other origins whose pages may use the streams. */
  readonly corsOrigin?: readonly string[]
  /** Where receivers of webhooks find this server. Default: where a subscription was made. */
  readonly publicUrl?: string
  /** Whether webhooks may go to this machine. */
  readonly allowLoopbackWebhooks?: boolean
  readonly log: Log
}

export interface HostedStreams {
  readonly url: string
  readonly streamsUrl: string
  /** Ends live reads in good order, and closes the store. */
  close(): Promise<void>
}

/**
 * Serves a store's streams and nothing else, on the real clock and randomness.
 *
 * @throws {RouseError} `STORE_LOCKED`, `STORE_UNAVAILABLE`, `STORE_DAMAGED`; `BAD_REQUEST` when the address cannot be listened on.
 */
export async function hostStreams(options: HostStreamsOptions, io: Io): Promise<HostedStreams> {
  const { log, host, port } = options
  const store = await options.store
  const streams = streamsOf(store, options, io)
  const front = frontNamed(io.env["ROUSE_STREAMS_FRONT"])
  const at = { host, port }
  const listening = await listenStreams(streams, clockOf(io), at, front, onErrorOf(log)).catch(advisePort(port))
  const stopOffloading = offloading(store, log, io)
  const stopSweeping = sweep(store, compactorOf(store, options, io), log, io)
  return {
    url: listening.url,
    streamsUrl: listening.url + streams.basePath,
    async close() {
      stopSweeping()
      stopOffloading()
      const ended = streams.close()
      await listening.close(GRACE_MS)
      await ended
      await store.close()
    },
  }
}

function streamsOf(store: Store, options: HostStreamsOptions, io: Io): Streams {
  const { longPollMs, publicUrl, corsOrigin, allowLoopbackWebhooks = false, log } = options
  return createStreams({
    store,
    clock: clockOf(io),
    random: io.random,
    guard: guardOf(options, io),
    subscriptions: { ...nodeWebhooks(), allowLoopbackWebhooks, ...(publicUrl === undefined ? {} : { publicUrl }) },
    onError: onErrorOf(log),
    ...(longPollMs === undefined ? {} : { longPollMs }),
    ...(corsOrigin === undefined ? {} : { cors: { origins: corsOrigin.includes("*") ? "*" : corsOrigin } }),
  })
}

function onErrorOf(log: Log): (error: unknown) => void {
  return (error) => log.error("a stream request failed", { error: String(error) })
}

function clockOf(io: Io): Clock {
  return {
    now: io.now,
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs)
      return () => clearTimeout(timer)
    },
  }
}

/** Logs of agents may lie in the same directory: they are compacted as the agents' server does it. */
function compactorOf(store: Store, { retention = [], log }: HostStreamsOptions, io: Io): Compactor {
  return createCompactor({
    store,
    clock: clockOf(io),
    rules: retention,
    mergeOf: mergeOfEntity,
    onError: (error) => log.warn("compacting a stream failed", { error: String(error) }),
  })
}

/** The same gate as the server's, so that a token means the same here. Deleting a stream is writing. */
function guardOf({ tokens, rateLimit }: HostStreamsOptions, io: Io): (access: StreamAccess) => void {
  const count = rateLimit === undefined ? undefined : createRateLimit({ clock: clockOf(io), perSecond: rateLimit })
  return ({ request, target, path, write, subscription }) => {
    const asked = { method: request.method, url: target.origin, headers: request.headers }
    const { id } = admit(asked, write ? "write" : "read", { tokens })
    // A request about a subscription is asked about once for each stream that it names.
    if (subscription === undefined || path.startsWith("__ds/")) count?.(id)
  }
}

/** Has the store drop what has expired, what deleted streams left, and history by policy, a little at a time. */
function sweep(store: Store, compactor: Compactor, log: Log, io: Io): () => void {
  let timer: NodeJS.Timeout
  let open = true
  const round = async (): Promise<void> => {
    let dropped = 0
    try {
      dropped = (await store.sweep(io.now())) + (await compactor.step())
    } catch (error) {
      if (open) log.warn("sweeping failed", { error: String(error) })
    }
    if (open) later(dropped > 0 ? SWEEP_MORE_MS : SWEEP_EVERY_MS)
  }
  const later = (ms: number): void => {
    timer = setTimeout(() => void round(), ms)
  }
  later(SWEEP_EVERY_MS)
  return () => {
    open = false
    clearTimeout(timer)
  }
}

function offloading({ offload }: Store, log: Log, io: Io): () => void {
  if (offload === undefined) return () => undefined
  const onError = (error: unknown): void => log.warn("offloading to the bucket failed", { error: String(error) })
  return keepOffloading({ offload, clock: io.now, defer: (ms, run) => clockOf(io).after(ms, run), onError })
}
