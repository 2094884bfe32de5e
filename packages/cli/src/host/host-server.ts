import { modelResolver, redactedLog } from "@rouse/agents/runtime"
import type { EntityDefinition, Host } from "@rouse/agents/runtime"
import { createServer } from "@rouse/server"
import type { ApprovalRule } from "@rouse/protocol"
import type { IdleRule, Log, Server, ServerOptions, Token } from "@rouse/server"
import type { Store } from "@rouse/store"
import type { RetentionRule } from "@rouse/streams"
import { nodeWebhooks } from "@rouse/streams/node"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Io } from "../io.ts"
import { version } from "../version.ts"
import { advisePort } from "./advise-port.ts"
import { openPgSources } from "./pg-sources.ts"
import { readWebhooks } from "./read-webhooks.ts"
import { outboundFetch } from "./outbound-fetch.ts"
import { secretsFrom } from "./secrets.ts"

export interface HostOptions {
  readonly entities: Iterable<EntityDefinition>
  /** It belongs to the server once that listens. */
  readonly store: Promise<Store>
  readonly host: string
  readonly port: number
  readonly tokens?: readonly Token[]
  /** Rules that ask for approvals. */
  readonly policy?: readonly ApprovalRule[]
  /**
   * What answers in place of a model when no provider has a key; without it such a run fails and says which key to set.
   */
  readonly fallbackModel?: string
  /** Requests to streams a second that each token may make; without tokens, that all together may. No bound without. */
  readonly rateLimit?: number
  /** Other origins whose pages may use the streams. */
  readonly corsOrigin?: readonly string[]
  /** Where receivers of webhooks find this server. Default: where a subscription was made. */
  readonly publicUrl?: string
  /** File with sources of inbound webhooks; ROUSE_WEBHOOKS_FILE when absent. */
  readonly webhooks?: string
  /** Databases whose tables rouse agents, as `name=url`; ROUSE_PG_SOURCES, with spaces between, when absent. */
  readonly pgSource?: readonly string[]
  /** Whether webhooks of subscriptions may go to this machine. */
  readonly allowLoopbackWebhooks?: boolean
  /** Whether handlers may be on this machine, also without TLS. As `allowLoopbackWebhooks` when absent. */
  readonly allowLoopbackHandlers?: boolean
  /** Which history may be taken away. None without. */
  readonly retention?: readonly RetentionRule[]
  /** Which agents are purged when they do nothing. None without. */
  readonly deleteIdle?: readonly IdleRule[]
  readonly log: Log
  /** Whether tools may call this machine and its network without saying so. */
  readonly isPrivateAllowed?: boolean
}

/** A server that listens. */
export interface Hosted {
  readonly url: string
  /** Wakes of a process that died, which go on in this one. */
  readonly resumed: number
  /** Whether the page is built, and served at the root. */
  readonly hasPage: boolean
  readonly server: Server
  /** Gives wakes under way back to the queue, and closes the store. */
  close(): Promise<void>
}

/**
 * Serves a store, with the page where it is built, on the real clock and randomness.
 *
 * @throws {RouseError} `STORE_LOCKED`, `STORE_UNAVAILABLE`, `STORE_DAMAGED`; `BAD_REQUEST` when the address cannot be
 *   listened on;
 *   `FORBIDDEN` for an address that others can reach without tokens.
 */
export async function hostServer(options: HostOptions, io: Io): Promise<Hosted> {
  const { entities, tokens, policy, fallbackModel, retention, publicUrl, allowLoopbackWebhooks = false } = options
  const models = modelResolver({ env: io.env, ...(fallbackModel === undefined ? {} : { fallbackModel }) })
  const page = await builtPage()
  const webhookSources = await readWebhooks(options.webhooks, io)
  const store = await options.store
  const rowSources = await openPgSources(options.pgSource, io)
  const host: Host = {
    clock: io.now,
    random: io.random,
    log: options.log,
    env: io.env,
    models,
    secrets: secretsFrom(io.env),
    fetch: outboundFetch(),
    isPrivateAllowed: options.isPrivateAllowed ?? false,
  }
  // What the server says of its agents holds none of their secrets either.
  const log = redactedLog(host)
  const attachments = await bucketOf(store, io)
  const server = createServer({
    store,
    ...(attachments === undefined ? {} : { attachments }),
    entities,
    clock: io.now,
    random: io.random,
    defer: (ms, fn) => {
      const timer = setTimeout(fn, ms)
      return () => clearTimeout(timer)
    },
    log,
    host,
    webhookSources,
    rowSources,
    version: version(),
    subscriptions: {
      ...nodeWebhooks(),
      allowLoopbackWebhooks,
      ...(publicUrl === undefined ? {} : { publicUrl }),
    },
    webhooks: {
      ...nodeWebhooks({ keepAlive: true }),
      allowLoopback: options.allowLoopbackHandlers ?? allowLoopbackWebhooks,
    },
    ...(options.rateLimit === undefined ? {} : { rateLimit: options.rateLimit }),
    ...(options.corsOrigin === undefined ? {} : { corsOrigins: options.corsOrigin }),
    ...(retention === undefined ? {} : { retention }),
    ...(options.deleteIdle === undefined ? {} : { deleteIdle: options.deleteIdle }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(policy === undefined ? {} : { policy }),
    ...(page === undefined ? {} : { page }),
  })
  const close = async (): Promise<void> => {
    await server.close()
    await Promise.all(rowSources.map((source) => source.close()))
    await store.close()
  }
  try {
    const { url } = await server.listen(options).catch(advisePort(options.port))
    const resumed = await server.start()
    return { url, resumed, hasPage: page !== undefined, server, close }
  } catch (error) {
    await server.close()
    await Promise.all(rowSources.map((source) => source.close()))
    throw error
  }
}

/** Where attachments go instead of the store: `ROUSE_ATTACHMENTS`. */
async function bucketOf(store: Store, { env, now, random }: Io): Promise<ServerOptions["attachments"]> {
  const address = env["ROUSE_ATTACHMENTS"]
  if (address === undefined || address === "") return undefined
  const { attachmentsBucket } = await import("@rouse/server/bucket")
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
  return attachmentsBucket({ address, env, store, clock: now, random, fetch, sleep })
}

/** The page's files, where they have been built. */
async function builtPage(): Promise<string | undefined> {
  const { pageDirectory } = await import("@rouse/ui")
  return existsSync(join(pageDirectory, "index.html")) ? pageDirectory : undefined
}
