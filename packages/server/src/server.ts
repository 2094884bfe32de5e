import { type EntityDefinition } from "@rouse/agents/runtime"
import { envSecrets } from "@rouse/agents"
import { RouseError } from "@rouse/protocol"
import { createCompactor, createStreams } from "@rouse/streams"
import type { RetentionRule } from "@rouse/streams"
import { ATTACHMENTS } from "./core/attachment-path.ts"
import { entitySnapshot, mergeOfEntity } from "./entity-snapshot.ts"
import { createApp } from "./http/app.ts"
import { IdleExpiry } from "./idle-expiry.ts"
import { type Listening, listen } from "./http/listen.ts"
import { SETTINGS, streamAccess } from "./http/stream-access.ts"
import { streamsFront } from "./http/streams-front.ts"
import { ObserveLoop } from "./observe-loop.ts"
import { RowFeeds } from "./pg-source/feeds.ts"
import { recover } from "./recovery.ts"
import { spaceSnapshot } from "./shared/reads.ts"
import { startSweeper } from "./sweeper.ts"
import { EventSubscriptions } from "./events/event-subscriptions.ts"
import { WebhookSources } from "./webhooks/sources.ts"
import { planeOf } from "./new-plane.ts"
import type { ServerOptions } from "./server-options.ts"

export interface Server {
  /** The whole HTTP face. */
  fetch(request: Request): Promise<Response>
  /**
   * Takes over what a dead process left running, and begins to dispatch. Once.
   *
   * @returns How many interrupted wakes go on.
   */
  start(): Promise<number>
  /**
   * Serves over HTTP. Without tokens only on a loopback address.
   *
   * @throws {RouseError} `BAD_REQUEST` when the address cannot be listened on; `FORBIDDEN` for another address without tokens.
   */
  listen(address: { readonly host: string; readonly port: number }): Promise<Listening>
  /** Wakes that start from now on run these definitions. */
  replaceEntities(entities: Iterable<EntityDefinition>): void
  /** Wakes under way in this process. */
  readonly activeWakes: number
  /** Ends live answers, gives wakes under way back to the queue, and stops. The store stays open: it was passed in. */
  close(options?: { readonly graceMs?: number }): Promise<void>
}

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "localhost"])
/** Streams that the server alone writes. */
const OWN = ["entities/", "shared/", "sets/", "pg/", "webhooks/", SETTINGS, ATTACHMENTS]
const GRACE_MS = 10_000

/** The control plane and its HTTP API over a store. Nothing is dispatched before `start`; subscriptions of streams are at work at once. */
export function createServer(options: ServerOptions): Server {
  const stop = new AbortController()
  const plane = planeOf(options)
  const { ticker } = plane
  const observing = new ObserveLoop(() => plane)
  const feeds = new RowFeeds(() => plane, options.rowSources ?? [])
  const tokens = options.tokens ?? []
  const gate = { tokens, preflights: options.corsOrigins !== undefined }
  let state: "new" | "ready" | "closed" = "new"
  const streams = createStreams({
    store: options.store,
    clock: { now: options.clock, after: options.defer },
    random: options.random,
    basePath: "/v1/stream",
    snapshotSource: async (path) => (await spaceSnapshot(options.store, path)) ?? entitySnapshot(options.store, path),
    ...streamAccess(options, gate, { now: options.clock, after: options.defer }),
    readOnly: (path) => OWN.some((prefix) => path.startsWith(prefix)),
    onError: (error) => options.log.error("a stream request failed", { error: String(error) }),
    ...(options.longPollMs === undefined ? {} : { longPollMs: options.longPollMs }),
    ...(options.subscriptions === undefined
      ? {}
      : { subscriptions: { ...options.subscriptions, compose: (...asked) => events.compose(...asked) } }),
  })
  const compactor = createCompactor({
    store: options.store,
    clock: { now: options.clock, after: options.defer },
    rules: retentionOf(options),
    mergeOf: mergeOfEntity,
    onError: (error) => options.log.warn("compacting a stream failed", { error: String(error) }),
  })
  const secrets = options.host.secrets ?? envSecrets(options.host.env)
  const events = new EventSubscriptions({
    store: options.store,
    clock: options.clock,
    secrets,
    network: options.subscriptions,
  })
  const sources = new WebhookSources(options.store, options.clock, options.webhookSources)
  const fetch = createApp({
    plane,
    streams,
    gate,
    webhooks: { sources, secrets },
    events,
    version: options.version ?? "0.0.0",
    publicUrl: options.subscriptions?.publicUrl,
    page: options.page,
    stop: stop.signal,
    isReady: () => state === "ready",
  })
  const listening: Listening[] = []
  let stopSweeper = (): void => undefined
  return {
    fetch,
    async start() {
      await plane.remote.registry.open((error) =>
        options.log.error("the registered types could not be read", { error: String(error) }),
      )
      const unread = (error: unknown): void =>
        options.log.error("webhooks' settings could not be read", { error: String(error) })
      await Promise.all([sources.open(unread), events.open(unread)])
      await plane.peers.join(() => ticker.poke())
      const count = await recover(plane)
      state = "ready"
      stopSweeper = startSweeper(plane, compactor, new IdleExpiry(plane, options.deleteIdle ?? []))
      ticker.poke()
      observing.start()
      feeds.start()
      plane.claimLoop.poke()
      return count
    },
    async listen(address) {
      if (tokens.length === 0 && !LOOPBACK.has(address.host)) {
        throw new RouseError(
          "FORBIDDEN",
          `a server without tokens listens only on this machine, not on ${address.host}; give it tokens`,
        )
      }
      const opened = await listen(fetch, address, (app) => streamsFront(streams, gate, app))
      listening.push(opened)
      return opened
    },
    replaceEntities(entities) {
      plane.types.replace(entities)
      ticker.poke()
      observing.poke()
    },
    get activeWakes() {
      return plane.dispatcher.active
    },
    async close({ graceMs = GRACE_MS } = {}) {
      if (state === "closed") return
      state = "closed"
      stopSweeper()
      sources.close()
      events.close()
      const drained = plane.peers.drain()
      stop.abort(new RouseError("SHUTTING_DOWN", "the server is shutting down"))
      plane.remote.pulls.close()
      plane.remote.registry.close()
      const streamsClosed = streams.close()
      const sockets = Promise.all(listening.map((one) => one.close(graceMs)))
      await ticker.close()
      await feeds.close()
      await observing.close()
      await plane.claimLoop.close()
      await streamsClosed
      await drained
      await plane.dispatcher.close(graceMs)
      await plane.peers.leave()
      await sockets
    },
  }
}

/** No rule takes the beginning of an attachment. */
function retentionOf({ retention = [] }: ServerOptions): readonly RetentionRule[] {
  const rules = retention.filter(({ prefix }) => !prefix.startsWith(ATTACHMENTS))
  return rules.length === 0 ? [] : [...rules, { prefix: ATTACHMENTS, keepMs: Number.MAX_SAFE_INTEGER }]
}
