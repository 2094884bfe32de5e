import { openMemoryStore } from "@rouse/store"
import type { Store } from "@rouse/store"
import { createStreams } from "@rouse/streams"
import type { Streams, StreamsOptions, SubscriptionOptions, WebhookRequest, WebhookResponse } from "@rouse/streams"
import { ManualClock } from "./manual-clock.ts"

export const BASE = "https://streams.example.com/v1/stream"
export const HOOK = "https://receiver.example.com/hook"
const TURNS_MAX = 2_000

/** What a webhook says. */
export interface Notice {
  readonly subscription_id: string
  readonly wake_id: string
  readonly generation: number
  readonly callback_url: string
  readonly callback_token: string
  readonly streams: readonly { path: string; tail_offset: string; acked_offset: string; has_pending: boolean }[]
}

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown> & { readonly error?: { readonly code: string; readonly message: string } }
}

/** Streams with subscriptions, a clock that is moved by hand, and a receiver that is a function. */
export class World {
  readonly clock: ManualClock
  readonly store: Store
  readonly streams: Streams
  readonly sent: WebhookRequest[] = []
  readonly errors: unknown[] = []
  receive: (request: WebhookRequest) => Promise<WebhookResponse> = () => Promise.resolve(says(200, {}))
  addresses: readonly string[] = ["8.8.8.8"]

  constructor(
    clock: ManualClock,
    store: Store,
    subscriptions: Partial<SubscriptionOptions>,
    options: Partial<StreamsOptions>,
  ) {
    this.clock = clock
    this.store = store
    this.streams = createStreams({
      store,
      clock,
      random: () => 0.5,
      onError: (error) => this.errors.push(error),
      subscriptions: {
        fetch: (request) => {
          this.sent.push(request)
          return this.receive(request)
        },
        resolve: () => Promise.resolve(this.addresses),
        randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
        ...subscriptions,
      },
      ...options,
    })
  }

  static async open(
    subscriptions: Partial<SubscriptionOptions> = {},
    options: Partial<StreamsOptions> = {},
    clock: ManualClock = new ManualClock(),
    store?: Store,
  ): Promise<World> {
    const own = store ?? (await openMemoryStore({ clock: () => clock.now() }))
    return new World(clock, own, subscriptions, options)
  }

  async close(): Promise<void> {
    await this.streams.close()
    await this.store.close()
  }

  async ask(method: string, path: string, body?: unknown, token?: string): Promise<Answer> {
    const headers = {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
    const text = typeof body === "string" ? body : JSON.stringify(body)
    const url = path.startsWith("https:") ? path : `${BASE}/${path}`
    const response = await this.streams.fetch(
      new Request(url, { method, headers, ...(body === undefined ? {} : { body: text }) }),
    )
    const answered = await response.text()
    return { status: response.status, body: answered === "" ? {} : (JSON.parse(answered) as Answer["body"]) }
  }

  subscribe(id: string, changes: Record<string, unknown> = {}): Promise<Answer> {
    return this.ask("PUT", `__ds/subscriptions/${id}`, {
      type: "webhook",
      pattern: "events/*",
      webhook: { url: HOOK },
      ...changes,
    })
  }

  async append(path: string): Promise<void> {
    await this.ask("PUT", path)
    await this.ask("POST", path, { n: 1 })
  }

  async events(path: string): Promise<readonly Record<string, unknown>[]> {
    const { body } = await this.ask("GET", path)
    return body as unknown as readonly Record<string, unknown>[]
  }

  notice(index: number): Notice {
    return JSON.parse(this.sent.at(index)?.body ?? "null") as Notice
  }

  /** Lets everything run that needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 30; turn++) {
      this.clock.advance(0)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async after(ms: number): Promise<void> {
    this.clock.advance(ms)
    await this.settle()
  }

  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      if (await condition()) return
      this.clock.advance(0)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    throw new Error("it never came to be")
  }
}

export function says(status: number, body: unknown): WebhookResponse {
  return { status, body: typeof body === "string" ? Buffer.from(body) : Buffer.from(JSON.stringify(body)) }
}
