import { RouseError } from "@rouse/protocol"
import type { ClaimsReply, TypeBody, WakeDelivery } from "@rouse/protocol"
import { sleep } from "../abort.ts"
import { typeManifest } from "../definition.ts"
import { processEnv } from "../env.ts"
import type { EntityDefinition } from "../entity.ts"
import { runAttempt } from "./attempt.ts"
import { reportEnd } from "./handler.ts"
import { modelsIn } from "../env-models.ts"
import { entitiesOf, Hosts, serverOf } from "./options.ts"
import type { RemoteOptions } from "./options.ts"
import { RemoteBackend } from "./remote-backend.ts"
import { isPassing, ServerCalls } from "./server-calls.ts"

const CAPACITY = 16
const WAIT_MS = 20_000
const PAUSE_MS_FIRST = 250
const PAUSE_MS_MAX = 10_000
const GRACE_MS = 10_000

export interface WorkerOptions extends RemoteOptions {
  /** A token of the server's: scope `admin` to register the types, `write` without. `ROUSE_TOKEN` of the environment when absent. */
  readonly token?: string
  /** Wakes at the same time. 16 when absent. */
  readonly capacity?: number
  /** Names this worker, for people. */
  readonly name?: string
  /** Whether it registers its types when it starts. True when absent. */
  readonly register?: boolean
}

export interface Worker {
  /** Wakes under way. */
  readonly active: number
  /** Resolves when the worker has stopped; rejects when the server will not have it. */
  readonly done: Promise<void>
  /** Takes no more wakes, lets those under way come to an end for `graceMs`, gives the rest back, and resolves. */
  stop(options?: { readonly graceMs?: number }): Promise<void>
}

/**
 * Runs handlers behind a firewall: it asks the server for wakes, and calls nowhere else. Begins at once.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong.
 * @see docs/handlers.md
 */
export function createWorker(options: WorkerOptions): Worker {
  const worker = new PullWorker(options)
  const done = worker.run()
  done.catch(() => undefined)
  return {
    get active() {
      return worker.active
    },
    done,
    stop: async ({ graceMs = GRACE_MS } = {}) => {
      await worker.stop(graceMs)
      await done.catch(() => undefined)
    },
  }
}

class PullWorker {
  readonly #options: WorkerOptions
  readonly #hosts: Hosts
  readonly #entities: ReadonlyMap<string, EntityDefinition>
  readonly #calls: ServerCalls
  readonly #token: string | undefined
  readonly #capacity: number
  readonly #running = new Map<Promise<void>, RemoteBackend>()
  readonly #perType = new Map<string, number>()
  readonly #stopping = new AbortController()

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#hosts = new Hosts(options, modelsIn)
    this.#entities = entitiesOf(options, "createWorker")
    this.#calls = new ServerCalls(serverOf(options, "createWorker"), options.fetch ?? globalThis.fetch)
    this.#token = options.token ?? (options.env ?? processEnv())["ROUSE_TOKEN"]
    this.#capacity = options.capacity ?? CAPACITY
    if (!Number.isInteger(this.#capacity) || this.#capacity < 1)
      throw new RouseError("INVALID_ARGS", "createWorker: capacity must be a positive whole number")
  }

  get active(): number {
    return this.#running.size
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping
    if (this.#options.register !== false) await this.#again(() => this.#register())
    while (!signal.aborted) {
      if (this.#types().length === 0) await Promise.race(this.#running.keys())
      else await this.#again(() => this.#claim())
    }
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort(new RouseError("SHUTTING_DOWN", "the worker stops"))
    const all = Promise.all(this.#running.keys())
    const grace = new AbortController()
    const late = sleep(graceMs, grace.signal).then(() => {
      for (const backend of this.#running.values()) backend.abort(new RouseError("SHUTTING_DOWN", "the worker stops"))
    })
    await Promise.race([all, late.catch(() => undefined)])
    grace.abort(new RouseError("SHUTTING_DOWN", "done"))
    await Promise.all(this.#running.keys())
  }

  async #register(): Promise<void> {
    const { version } = this.#options
    for (const definition of this.#entities.values()) {
      const { name, ...manifest } = typeManifest(definition)
      const body: TypeBody = { ...manifest, dispatch: { kind: "pull" }, version: version ?? "1" }
      await this.#calls.put(`/v1/types/${name}`, this.#token, body, this.#stopping.signal)
    }
  }

  /** Types that there is room for. */
  #types(): { readonly name: string; readonly version: string }[] {
    if (this.#running.size >= this.#capacity) return []
    const { version = "1" } = this.#options
    const free = [...this.#entities.values()].filter(({ name, concurrency }) => this.#free(name, concurrency) > 0)
    return free.map(({ name }) => ({ name, version }))
  }

  #free(name: string, concurrency = Number.POSITIVE_INFINITY): number {
    return concurrency - (this.#perType.get(name) ?? 0)
  }

  async #claim(): Promise<void> {
    const types = this.#types()
    const bounded = types.map(({ name }) => this.#free(name, this.#entities.get(name)?.concurrency))
    // A type with a bound of its own is asked for one at a time as far as it is: more could arrive than it may run.
    const capacity = Math.min(this.#capacity - this.#running.size, ...bounded)
    const worker = this.#options.name ?? "worker"
    const body = { worker, types, capacity, waitMs: WAIT_MS }
    const { claims } = await this.#calls.post<ClaimsReply>("/v1/claims", this.#token, body, this.#stopping.signal)
    for (const delivery of claims) this.#start(delivery)
  }

  #start(delivery: WakeDelivery): void {
    const { type } = delivery.request.entity
    const backend = new RemoteBackend(delivery, this.#calls, Date.now, false)
    if (this.#stopping.signal.aborted) backend.abort(new RouseError("SHUTTING_DOWN", "the worker stops"))
    this.#perType.set(type, (this.#perType.get(type) ?? 0) + 1)
    const work = this.#attempt(delivery, backend).finally(() => {
      this.#running.delete(work)
      this.#perType.set(type, (this.#perType.get(type) ?? 1) - 1)
    })
    this.#running.set(work, backend)
  }

  async #attempt(delivery: WakeDelivery, backend: RemoteBackend): Promise<void> {
    const definition = this.#entities.get(delivery.request.entity.type)
    try {
      const answer = definition
        ? await runAttempt(definition, delivery, backend, this.#hosts.of(), null)
        : ({ kind: "released" } as const)
      await reportEnd(this.#calls, delivery.claim, answer)
    } catch (error) {
      this.#options.log?.warn("a wake's end could not be told", { error: String(error) })
    }
  }

  /** Does `call` until it succeeds, as long as what stands against it may pass. */
  async #again(call: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping
    for (let pauseMs = PAUSE_MS_FIRST; !signal.aborted; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
      try {
        return await call()
      } catch (error) {
        if (signal.aborted) return
        if (!isPassing(error)) throw error
        this.#options.log?.warn("the server does not answer", { error: String(error) })
        await sleep(pauseMs * (0.5 + Math.random() / 2), signal).catch(() => undefined)
      }
    }
  }
}
