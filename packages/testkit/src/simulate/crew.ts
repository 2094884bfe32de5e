import { createToolWorker } from "@rouse/client/worker"
import type { WorkerCall, WorkerTool } from "@rouse/client/worker"
import type { Effect } from "@rouse/protocol"
import { TOOLS } from "../crash/core/work.ts"
import { type PlannedWorkerFault, WORKERS } from "./core/plan-workers.ts"
import type { Fleet } from "./fleet.ts"
import { currentLife, Life } from "./life.ts"
import type { Outside } from "./program.ts"
import type { World } from "./world.ts"

/** Apart from the numbers of servers' lives. */
const LIFE_FIRST = 1_000_000
/** The longest that a worker is at a call: past its lease, so that its heartbeats count. */
const WORK_MS_MAX = 3_000
const CAPACITY = 2
/** How soon a worker's closed connection is noticed. */
const NOTICED_MS_MAX = 400

interface Input {
  readonly ref: string
}

/**
 * Tool workers as users run them, whose every request may be late or lost, whose functions take their time, and who die and hang in the middle.
 * They are processes of their own: what befalls a server does not befall them.
 */
export class Crew {
  readonly #world: World
  readonly #fleet: Fleet
  readonly #outside: Outside
  readonly #lives: Life[] = []
  #started = 0
  #isOver = false

  constructor(world: World, fleet: Fleet, outside: Outside) {
    this.#world = world
    this.#fleet = fleet
    this.#outside = outside
  }

  start(faults: readonly PlannedWorkerFault[]): void {
    for (let worker = 0; worker < WORKERS; worker += 1) this.#launch(worker)
    for (const fault of faults) this.#world.after(fault.atMs, () => this.#happen(fault))
  }

  end(): void {
    this.#isOver = true
    for (const life of this.#lives) life.crash()
  }

  #happen({ kind, worker, ms }: PlannedWorkerFault): void {
    const life = this.#lives[worker]
    if (!life?.isAlive || this.#isOver) return
    if (kind === "freeze") return life.freeze(ms)
    life.crash()
    this.#world.after(ms, () => this.#launch(worker))
  }

  #launch(worker: number): void {
    if (this.#isOver) return
    const world = this.#world
    const life = new Life(LIFE_FIRST + (this.#started += 1), world, () => undefined)
    this.#lives[worker] = life
    const random = world.random.split()
    const worked = Object.entries(TOOLS).filter(([, tool]) => tool.worker)
    currentLife.run(life, () =>
      createToolWorker({
        server: "http://localhost",
        name: `worker-${worker}`,
        capacity: CAPACITY,
        tools: Object.fromEntries(worked.map(([name, { effect }]) => [name, this.#tool(life, name, effect)])),
        fetch: (input, init) => this.#fetch(life, String(input), init),
        clock: { nowMs: () => world.nowMs, sleep: (ms, signal) => sleep(life, ms, signal) },
        random: () => random.next(),
      }),
    )
  }

  #tool(life: Life, name: string, effect: Effect): WorkerTool {
    const { book, askedBy, raced } = this.#outside
    const pause = (): Promise<void> => sleep(life, this.#world.random.next() ** 3 * WORK_MS_MAX, undefined)
    return {
      execute: async ({ ref }: Input, { idempotencyKey: key, progress }: WorkerCall) => {
        const asked = askedBy.get(key)
        await pause()
        progress({ fraction: 0.5 })
        // Another worker has asked meanwhile: this one had been silent for too long.
        if (askedBy.get(key) !== asked) raced.add(key)
        book.record({ key, ref, tool: name, effect })
        await pause()
        return { ref }
      },
      reconcile: async ({ ref }: Input, { idempotencyKey: key }: WorkerCall) => {
        await pause()
        askedBy.set(key, { life: life.id })
        return book.find(key) === undefined ? undefined : { ref }
      },
    }
  }

  /** A request that is late, or lost, or whose answer is; and that the server sees end when the worker does. */
  async #fetch(life: Life, url: string, init: RequestInit | undefined): Promise<Response> {
    const { random, weather } = this.#world
    await life.gate()
    const member = this.#fleet.pick()
    if (member === undefined || random.chance(weather.lost / 2)) throw new TypeError("no connection")
    const gone = new AbortController()
    const end = (): void => gone.abort()
    init?.signal?.addEventListener("abort", end, { once: true })
    void life.over.then(() => this.#world.after(random.next() * NOTICED_MS_MAX, end))
    const request = new Request(url, {
      ...init,
      headers: { ...headersOf(init), host: "localhost" },
      signal: gone.signal,
    })
    const answer = currentLife
      .run(member.life, () => member.server.fetch(request))
      .then(async (response) => {
        const text = await response.text()
        return new Response(text, { status: response.status, headers: response.headers })
      })
    const cut = member.life.over.then((): never => {
      throw new TypeError("the connection was cut")
    })
    cut.catch(() => undefined)
    const response = await inLife(life, Promise.race([answer, cut, aborted(gone.signal)]))
    await life.gate()
    if (random.chance(weather.lost / 2)) throw new TypeError("the connection was cut")
    return response
  }
}

function headersOf(init: RequestInit | undefined): Record<string, string> {
  return Object.fromEntries(new Headers(init?.headers))
}

function aborted(signal: AbortSignal): Promise<never> {
  const told = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new TypeError("aborted")), { once: true })
  })
  told.catch(() => undefined)
  return told
}

/** What comes back to a life comes while it is there, late when it hangs, and never when it is over. */
function inLife<T>(life: Life, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    work.then(
      (value) => life.run(() => resolve(value)),
      (error: unknown) => life.run(() => reject(error)),
    )
  })
}

function sleep(life: Life, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error)
    const cancel = life.defer(ms, resolve)
    signal?.addEventListener(
      "abort",
      () => {
        cancel()
        reject(signal.reason as Error)
      },
      { once: true },
    )
  })
}
