import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type EntityDefinition, modelResolver } from "@rouse/agents/runtime"
import type { ApprovalRule, Json, Problem, Row, Settled, WebhookSourceBody } from "@rouse/protocol"
import { openStore, type Store } from "@rouse/store"
import { nodeWebhooks } from "@rouse/streams/node"
import {
  createServer,
  type Limits,
  type Log,
  type Server,
  type ServerOptions,
  silentLog,
  type Token,
  type WebhookOptions,
} from "../src/index.ts"
import { openTestStore, storesBeside } from "./support/test-store.ts"
import { conforming } from "./support/conformance.ts"

export interface HarnessOptions {
  readonly entities: Iterable<EntityDefinition>
  readonly store?: Store
  readonly tokens?: readonly Token[]
  readonly limits?: Partial<Limits>
  readonly policy?: readonly ApprovalRule[]
  readonly page?: string
  readonly log?: Log
  /** Milliseconds since the Unix epoch. The real one when absent. */
  readonly clock?: () => number
  /** How wakes are sent to handlers elsewhere. */
  readonly endpoints?: WebhookOptions
  /** Stands in for every model that is named. */
  readonly model?: string
  readonly attachments?: NonNullable<ServerOptions["attachments"]>
  readonly webhookSources?: Readonly<Record<string, WebhookSourceBody>>
  readonly rowSources?: NonNullable<ServerOptions["rowSources"]>
  /** What secrets are found in. */
  readonly env?: Readonly<Record<string, string>>
  /** The longest that a timer lasts, whatever it is set to, in milliseconds: for a clock that a test moves. */
  readonly timerMsMax?: number
  /** Webhooks go to this machine. */
  readonly webhooks?: boolean
  /** Why there is one server, however many replicas are asked for. */
  readonly alone?: string
}

export interface Answer<T = Json> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

interface Replica {
  readonly server: Server
  readonly store: Store
}

/** A whole server without a socket: requests go straight to its fetch handler, or to that of any of its replicas. */
export class Harness {
  /** The first of them. Its `fetch` asks any. */
  readonly server: Server
  readonly store: Store
  readonly #others: readonly Replica[]

  private constructor({ server, store }: Replica, others: readonly Replica[]) {
    const fetches = [server, ...others.map((other) => other.server)]
    const any = (request: Request): Promise<Response> =>
      (fetches[Math.floor(Math.random() * fetches.length)] ?? server).fetch(request)
    this.server = Object.create(server, { fetch: { value: conforming(any) } }) as Server
    this.store = store
    this.#others = others
  }

  static async open(options: HarnessOptions): Promise<Harness> {
    const clock = options.clock ?? Date.now
    const store = options.store ?? (await openTestStore({ clock }))
    const others = options.alone === undefined ? await storesBeside(store) : []
    const servers = [store, ...others].map((one) => ({ store: one, server: serverOn(one, options) }))
    for (const { server } of servers) await server.start()
    const [first, ...rest] = servers as [Replica, ...Replica[]]
    return new Harness(first, rest)
  }

  /** Ends the servers, and leaves the store to another. */
  async stop(): Promise<void> {
    await Promise.all(
      [this.server, ...this.#others.map(({ server }) => server)].map((one) => one.close({ graceMs: 500 })),
    )
    await Promise.all(this.#others.map(({ store }) => store.close()))
  }

  async close(): Promise<void> {
    await this.stop()
    await this.store.close()
  }

  async call<T = Json>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body)
    const init = { method, headers: { host: "localhost", ...headers }, ...(text === undefined ? {} : { body: text }) }
    const response = await this.server.fetch(new Request(`http://localhost${path}`, init))
    const raw = await response.text()
    return { status: response.status, headers: response.headers, body: (raw === "" ? null : JSON.parse(raw)) as T }
  }

  /** Sends and waits for what comes of it. */
  async ask(url: string, content: Json, query = "wait=20s"): Promise<Settled> {
    const { body } = await this.call<Settled>("POST", `/v1/entities${url}/messages?${query}`, { content })
    return body
  }

  async spawn(url: string, body: unknown = {}): Promise<Answer> {
    return this.call("PUT", `/v1/entities${url}`, body)
  }

  async rows<T>(url: string, collection: string): Promise<readonly Row<T>[]> {
    const { body } = await this.call<{ rows: Row<T>[] }>("GET", `/v1/entities${url}/state/${collection}`)
    return body.rows
  }

  async log(
    url: string,
  ): Promise<readonly { type: string; key: string; value: Json; headers: { operation: string } }[]> {
    const { body } = await this.call<never>("GET", `/v1/stream/entities${url}`)
    return body
  }

  /** Waits until `check` holds; what it waits for is never timed, only bounded. */
  async until(check: () => Promise<boolean>, what: string): Promise<void> {
    for (let i = 0; i < 2_000; i++) {
      if (await check()) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error(`never happened: ${what}`)
  }
}

function serverOn(store: Store, options: HarnessOptions): Server {
  const clock = options.clock ?? Date.now
  return createServer({
    store,
    entities: options.entities,
    clock,
    random: Math.random,
    defer: (ms, fn) => defer(Math.min(ms, options.timerMsMax ?? ms), fn),
    log: options.log ?? silentLog,
    host: {
      clock,
      random: Math.random,
      log: silentLog,
      ...(options.env ? { env: options.env } : {}),
      models: modelResolver({ env: {}, ...(options.model ? { fallbackModel: options.model } : {}) }),
    },
    ...(options.attachments ? { attachments: options.attachments } : {}),
    ...(options.webhookSources ? { webhookSources: options.webhookSources } : {}),
    ...(options.rowSources ? { rowSources: options.rowSources } : {}),
    ...(options.tokens ? { tokens: options.tokens } : {}),
    ...(options.limits ? { limits: options.limits } : {}),
    ...(options.policy ? { policy: options.policy } : {}),
    ...(options.page ? { page: options.page } : {}),
    ...(options.webhooks ? { subscriptions: { ...nodeWebhooks(), allowLoopbackWebhooks: true } } : {}),
    ...(options.endpoints ? { webhooks: options.endpoints } : {}),
  })
}

export type Refusal = Answer<Problem>

/** Real timers. */
export function defer(ms: number, fn: () => void): () => void {
  const timer = setTimeout(fn, ms)
  return () => clearTimeout(timer)
}

/** A store on disk in a directory of its own, and what removes it. */
export async function temporaryStore(): Promise<{
  readonly store: Store
  readonly directory: string
  remove(): Promise<void>
}> {
  const directory = await mkdtemp(join(tmpdir(), "rouse-server-"))
  const store = await openStore({ directory, clock: Date.now })
  return { store, directory, remove: () => rm(directory, { recursive: true, force: true }) }
}
