import { problemOf, RouseError } from "@rouse/protocol"
import type { Log, Token } from "@rouse/server"
import { admit, listenWith } from "@rouse/server/http"
import type { Store } from "@rouse/store"
import { createStreams } from "@rouse/streams"
import type { StreamAccess, Streams } from "@rouse/streams"
import { nodeWebhooks, toNodeHandler } from "@rouse/streams/node"
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import type { Io } from "../io.ts"
import { advisePort } from "./advise-port.ts"

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
  const listening = await listenWith(listenerOf(streams), { host, port }).catch(advisePort(port))
  const stopSweeping = sweep(store, log, io)
  return {
    url: listening.url,
    streamsUrl: listening.url + streams.basePath,
    async close() {
      stopSweeping()
      const ended = streams.close()
      await listening.close(GRACE_MS)
      await ended
      await store.close()
    },
  }
}

function streamsOf(store: Store, options: HostStreamsOptions, io: Io): Streams {
  const { tokens, longPollMs, allowLoopbackWebhooks = false, log } = options
  return createStreams({
    store,
    clock: {
      now: io.now,
      after: (delayMs, run) => {
        const timer = setTimeout(run, delayMs)
        return () => clearTimeout(timer)
      },
    },
    random: io.random,
    guard: (access) => guard(access, tokens),
    subscriptions: { ...nodeWebhooks(), allowLoopbackWebhooks },
    onError: (error) => log.error("a stream request failed", { error: String(error) }),
    ...(longPollMs === undefined ? {} : { longPollMs }),
  })
}

/** The same gate as the server's, so that a token means the same here. Deleting a stream is writing. */
function guard({ request, target, write }: StreamAccess, tokens: readonly Token[]): void {
  admit({ method: request.method, url: target.origin, headers: request.headers }, write ? "write" : "read", { tokens })
}

/** Streams under their base path, whether this is well, and nothing else. */
function listenerOf(streams: Streams): RequestListener {
  const handler = toNodeHandler(streams)
  return (incoming, outgoing) => handler(incoming, outgoing, () => elsewhere(streams, incoming, outgoing))
}

function elsewhere(streams: Streams, incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (incoming.url === "/healthz" || incoming.url === "/readyz") {
    outgoing.writeHead(200, { "content-type": "application/json" }).end(`{"ok":true}`)
    return
  }
  const problem = problemOf(new RouseError("NOT_FOUND", `streams are found under ${streams.basePath}/`))
  outgoing.writeHead(problem.status, { "content-type": "application/problem+json" }).end(JSON.stringify(problem))
}

/** Has the store drop what has expired and what deleted streams left, a little at a time. */
function sweep(store: Store, log: Log, io: Io): () => void {
  let timer: NodeJS.Timeout
  let open = true
  const round = async (): Promise<void> => {
    let dropped = 0
    try {
      dropped = await store.sweep(io.now())
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
