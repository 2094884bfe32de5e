import {
  type ChangeEvent,
  type Offset,
  RouseError,
  START,
  type WebhookSource,
  type WebhookSourceBody,
} from "@rouse/protocol"
import { frameJson, parseJson, type Store } from "@rouse/store"

/** The log that sources are kept on: names of secrets, never their values. */
const SOURCES_STREAM = "rouse/webhook-sources"
const COLLECTION = "webhook_source"
const READ_BYTES = 1_048_576
const SOURCES_MAX = 1_000

/**
 * The sources of webhooks: those of the server's configuration, and those set over the API, which are a log in the store and its projection here.
 *
 * Invariants:
 * 1. What `set` and `remove` returned for is on disk, and every process that shares the store sees it.
 * 2. What the configuration names can be changed there alone.
 */
export class WebhookSources {
  readonly #store: Store
  readonly #clock: () => number
  readonly #fixed: ReadonlyMap<string, WebhookSource>
  readonly #kept = new Map<string, WebhookSource>()
  #next: Offset = START
  #reading: Promise<void> = Promise.resolve()
  #unwatch: () => void = () => undefined

  constructor(store: Store, clock: () => number, fixed: Readonly<Record<string, WebhookSourceBody>> = {}) {
    this.#store = store
    this.#clock = clock
    this.#fixed = new Map(Object.entries(fixed).map(([name, body]) => [name, { ...body, name, from: "file" }]))
  }

  /** Reads the log, and follows it from now on. @param onError Told when following failed. */
  async open(onError: (error: unknown) => void): Promise<void> {
    this.#unwatch = this.#store.watchStream(SOURCES_STREAM, () => void this.#read().catch(onError))
    await this.#read()
  }

  close(): void {
    this.#unwatch()
  }

  list(): readonly WebhookSource[] {
    const all = new Map([...this.#kept, ...this.#fixed])
    return [...all.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  get(name: string): WebhookSource | undefined {
    return this.#fixed.get(name) ?? this.#kept.get(name)
  }

  /** @throws {RouseError} `UNKNOWN_WEBHOOK_SOURCE` */
  need(name: string): WebhookSource {
    const source = this.get(name)
    if (source) return source
    throw new RouseError("UNKNOWN_WEBHOOK_SOURCE", `there is no webhook source "${name}"`)
  }

  /** @throws {RouseError} `ALREADY_EXISTS` for one of the configuration; `OVERLOADED` when there are too many. */
  async set(name: string, body: WebhookSourceBody): Promise<WebhookSource> {
    this.#checkFree(name)
    if (!this.#kept.has(name) && this.#kept.size >= SOURCES_MAX)
      throw new RouseError("OVERLOADED", `at most ${SOURCES_MAX} webhook sources can be kept; remove one first`)
    const source: WebhookSource = { ...body, name, from: "api" }
    const operation = this.#kept.has(name) ? "update" : "insert"
    await this.#write({ type: COLLECTION, key: name, value: source as never, headers: { operation } })
    return source
  }

  /** @throws {RouseError} `UNKNOWN_WEBHOOK_SOURCE`; `ALREADY_EXISTS` for one of the configuration. */
  async remove(name: string): Promise<void> {
    this.need(name)
    this.#checkFree(name)
    await this.#write({ type: COLLECTION, key: name, headers: { operation: "delete" } })
  }

  #checkFree(name: string): void {
    if (this.#fixed.has(name))
      throw new RouseError(
        "ALREADY_EXISTS",
        `the webhook source ${name} is set in the server's configuration; change it there`,
      )
  }

  async #write(event: ChangeEvent): Promise<void> {
    const nowMs = this.#clock()
    const path = SOURCES_STREAM
    const create = { op: "createStream", path, contentType: "application/json", nowMs } as const
    await this.#store.commit({ ops: [create, { op: "append", path, data: frameJson([event]), nowMs }] })
    await this.#read()
  }

  /** One after the other, so that a change is applied once. */
  #read(): Promise<void> {
    this.#reading = this.#reading.catch(() => undefined).then(() => this.#readOn())
    return this.#reading
  }

  async #readOn(): Promise<void> {
    if (!(await this.#store.stream(SOURCES_STREAM))) return
    for (;;) {
      const { chunks, next, upToDate } = await this.#store.read(SOURCES_STREAM, this.#next, READ_BYTES)
      for (const event of chunks.flatMap((chunk) => parseJson([chunk])) as unknown as readonly ChangeEvent[]) {
        if (event.headers.operation === "delete") this.#kept.delete(event.key)
        else this.#kept.set(event.key, event.value as unknown as WebhookSource)
      }
      this.#next = next
      if (upToDate) return
    }
  }
}
