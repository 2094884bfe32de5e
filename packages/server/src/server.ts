import { randomBytes } from "node:crypto"
import { type EntityDefinition, redactionOf } from "@rouse/agents/runtime"
import { envSecrets } from "@rouse/agents"
import { type ApprovalRule, RouseError, type WebhookSourceBody } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import { createCompactor, createStreams, Keyring } from "@rouse/streams"
import type { Clock, RetentionRule, SubscriptionOptions } from "@rouse/streams"
import { Circuits } from "./dispatch/circuits.ts"
import { ClaimTokens } from "./dispatch/claim-token.ts"
import { Deliveries, type WebhookOptions } from "./dispatch/deliveries.ts"
import { PullDesk } from "./dispatch/pull-desk.ts"
import { Registry } from "./dispatch/registry.ts"
import type { RemoteHandlers } from "./dispatch/remote-handlers.ts"
import type { HandlerHost } from "./dispatch/runner.ts"
import type { Contents } from "./attachments/contents.ts"
import { AttachmentDesk } from "./attachments/desk.ts"
import { storeContents } from "./attachments/store-contents.ts"
import { tellAskers } from "./asks.ts"
import { TreeRates } from "./breakers.ts"
import { ATTACHMENTS } from "./core/attachment-path.ts"
import { newId } from "./core/id.ts"
import { Dispatcher } from "./dispatcher.ts"
import { entitySnapshot, mergeOfEntity } from "./entity-snapshot.ts"
import { freezeTree } from "./freeze-tree.ts"
import { createApp } from "./http/app.ts"
import { IdleExpiry, type IdleRule } from "./idle-expiry.ts"
import { type Listening, listen } from "./http/listen.ts"
import { SETTINGS, streamAccess } from "./http/stream-access.ts"
import type { StreamAccessOptions } from "./http/stream-access.ts"
import { streamsFront } from "./http/streams-front.ts"
import type { Token } from "./http/tokens.ts"
import { DEFAULT_LIMITS, type Limits } from "./limits.ts"
import type { Log } from "./log.ts"
import type { DueLoop } from "./due-loop.ts"
import { ObserveLoop } from "./observe-loop.ts"
import { Peers } from "./peers.ts"
import type { Defer, Plane } from "./plane.ts"
import { RowFeeds } from "./pg-source/feeds.ts"
import type { RowSource } from "./pg-source/row-source.ts"
import { recover } from "./recovery.ts"
import { Settlements } from "./settlements.ts"
import { newClaimLoop } from "./shared/claim-loop.ts"
import { spaceSnapshot } from "./shared/reads.ts"
import { startSweeper } from "./sweeper.ts"
import { newTicker } from "./ticker.ts"
import { Transactor } from "./transactor.ts"
import { Types } from "./types.ts"
import { EventSubscriptions } from "./events/event-subscriptions.ts"
import { WebhookSources } from "./webhooks/sources.ts"
import { WorkDesk } from "./work/desk.ts"

/** Everything the server touches is passed in. */
export interface ServerOptions extends StreamAccessOptions {
  readonly store: Store
  readonly entities: Iterable<EntityDefinition>
  /** Milliseconds since the Unix epoch. */
  readonly clock: () => number
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Calls `fn` after `ms`; returns the cancellation. */
  readonly defer: Defer
  readonly log: Log
  /** What handlers are given: the environment that model keys are read from, and so on. */
  readonly host: HandlerHost
  /** Who may come in. Without tokens only this machine may. */
  readonly tokens?: readonly Token[]
  /** Absolute path of the built page. */
  readonly page?: string
  readonly version?: string
  readonly limits?: Partial<Limits>
  /** How wakes are sent to handlers behind webhooks. Without it there are none; workers can ask for wakes all the same. */
  readonly webhooks?: WebhookOptions
  /** Which history may be taken away, by the beginning of the streams' paths: `entities/chat/` is that of the type `chat`. None without. */
  readonly retention?: readonly RetentionRule[]
  /** Which agents are purged when they did nothing for some time. None without. */
  readonly deleteIdle?: readonly IdleRule[]
  /** Rules that ask for approvals of tool calls, of whatever type. The first that matches a call counts. */
  readonly policy?: readonly ApprovalRule[]
  /** Where bytes of attachments are kept, given where they are otherwise: the store. */
  readonly attachments?: (store: Contents) => Contents
  /** Sources of webhooks by name, beside those that are set over the API. */
  readonly webhookSources?: Readonly<Record<string, WebhookSourceBody>>
  /** Databases whose changed rows go to the streams `pg/{name}/{table}`. They stay open: they were passed in. */
  readonly rowSources?: readonly RowSource[]
  /** Milliseconds a long poll of a stream waits. */
  readonly longPollMs?: number
  /** The network that subscriptions of streams reach their webhooks by; `nodeWebhooks()` is Node's. There are no subscriptions without. */
  readonly subscriptions?: SubscriptionOptions
}

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

function attachmentDesk({ store, clock, random, limits, attachments }: ServerOptions): AttachmentDesk {
  const { attachmentBytesMax, uploadsMax } = { ...DEFAULT_LIMITS, ...limits }
  const kept = storeContents({ store, clock, newKey: () => newId(clock(), random) })
  return new AttachmentDesk(attachments?.(kept) ?? kept, attachmentBytesMax, uploadsMax)
}

interface Loops {
  readonly ticker: DueLoop
  readonly claimLoop: DueLoop
}

function planeOf(options: ServerOptions): Plane & Loops {
  const { store, clock, random, defer, log } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const ticker: DueLoop = newTicker(() => plane)
  const dispatcher: Dispatcher = new Dispatcher(
    () => plane,
    options.host,
    () => ticker.poke(),
  )
  const claimLoop = newClaimLoop(() => plane)
  const plane: Plane & Loops = {
    store,
    clock,
    random,
    defer,
    log,
    transactor: new Transactor(store, clock),
    settlements: new Settlements(),
    types: new Types(options.entities),
    limits,
    dispatcher,
    peers: new Peers(() => plane),
    remote: remoteOf(options, ticker, limits),
    dueAt: (ms) => ticker.dueAt(ms),
    claimDueAt: (ms) => claimLoop.dueAt(ms),
    abort: (url, reason) => dispatcher.abort(url, reason),
    tellAskers: (planning) => tellAskers(plane, planning),
    treeRates: new TreeRates(),
    work: new WorkDesk(() => plane, clock()),
    redaction: redactionOf(options.host),
    policy: options.policy ?? [],
    attachments: attachmentDesk(options),
    freezeTree: (root, cause) => {
      log.warn("a breaker froze a tree", { root, cause })
      freezeTree(plane, root, cause).catch((error: unknown) =>
        log.error("a tree could not be frozen whole", { root, error: String(error) }),
      )
    },
    ticker,
    claimLoop,
  }
  plane.types.follow(() => plane.remote.registry.catalog)
  return plane
}

/** What an answer may have beside its commit. */
const ANSWER_BYTES_MORE = 1_048_576

function remoteOf(options: ServerOptions, ticker: DueLoop, limits: Limits): RemoteHandlers {
  const { store, clock, random, defer, webhooks } = options
  const now: Clock = { now: clock, after: defer }
  const poke = (): void => ticker.poke()
  return {
    registry: new Registry(store, clock, poke),
    claims: new ClaimTokens(store, clock, webhooks?.randomBytes ?? randomBytes),
    circuits: new Circuits(clock, random, (ms) => ticker.dueAt(ms)),
    pulls: new PullDesk(clock, defer, poke),
    deliveries:
      webhooks &&
      new Deliveries(webhooks, new Keyring(store, now, webhooks), limits.commitBytesMax + ANSWER_BYTES_MORE),
  }
}
