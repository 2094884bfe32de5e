import { setTimeout as sleep } from "node:timers/promises"
import type { History, Life } from "./core/history.ts"
import type { SeededRandom } from "./core/random.ts"
import type { LedgerClient } from "./ledger-client.ts"
import { Load } from "./load.ts"
import type { Running } from "./process.ts"
import type { Target } from "./target.ts"

/** Kills that one agent lives through before a new one takes its place. */
const KILLS_A_GENERATION = 8
/** One kill in so many comes while the server still starts. */
const EARLY_ONE_IN = 8
/** The latest moment of such a kill after the spawn. */
const EARLY_MS_MAX = 400
/** One kill in so many comes after a restart that was asked for: what is given back must be taken up as what was lost. */
const STOP_ONE_IN = 10
/** How long the system may take to come to rest after the last kill. */
const QUIET_MS_MAX = 120_000
const QUIET_LOOK_MS = 100
/** Accepted messages that are sent once more at the end. */
const REPEATS = 25

export interface DriveOptions {
  readonly target: Target
  readonly ledger: LedgerClient
  readonly random: SeededRandom
  readonly kills: number
  /** Agents that are busy at the same time. */
  readonly agents: number
  /** The latest moment of a kill after the load goes on, milliseconds. */
  readonly killMsMax: number
  readonly onProgress: (kills: number) => void
}

/**
 * Loads the system, kills it again and again (now and then it is asked to end first), lets it come to rest, and returns all there
 * is to know of it.
 *
 * @throws when the system does not come up, refuses what it should take, or does not come to rest.
 */
export async function drive(options: DriveOptions): Promise<History> {
  const server = new Lives(options.target)
  const load = new Load({
    target: options.target,
    where: () => server.where(),
    random: options.random.split(),
    agents: options.agents,
  })
  try {
    await Promise.race([killAll(options, server, load), load.failed])
    await server.begin()
    await load.close()
    await load.repeat(REPEATS)
    const base = await server.where()
    await quiet(options.target, base)
    const [logs, effects] = await Promise.all([options.target.logs(base), options.ledger.report()])
    await server.end()
    return { sent: load.sent, effects, logs, lives: server.lives, ...(await options.target.atRest()) }
  } catch (error) {
    server.giveUp(error)
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${server.complaints}`, { cause: error })
  } finally {
    await server.close()
  }
}

async function killAll(
  { random, kills, killMsMax, ledger, onProgress }: DriveOptions,
  server: Lives,
  load: Load,
): Promise<void> {
  for (let kill = 1; kill <= kills; kill += 1) {
    if (kill % KILLS_A_GENERATION === 0) load.nextGeneration()
    if (random.below(STOP_ONE_IN) === 0) {
      await server.begin()
      await sleep(random.below(killMsMax + 1))
      await server.end()
    }
    if (random.below(EARLY_ONE_IN) === 0) {
      server.launch()
      await sleep(random.below(EARLY_MS_MAX))
    } else {
      await server.begin()
      await sleep(random.below(killMsMax + 1))
    }
    await server.kill()
    // What the dead process had sent is in the ledger's sockets: it is there before the next process asks.
    for (let round = 0; round < 2; round += 1) await ledger.find("settled")
    onProgress(kill)
  }
}

async function quiet(target: Target, base: string): Promise<void> {
  const until = Date.now() + QUIET_MS_MAX
  for (let looks = 0; ;) {
    const busy = await target.busy(base)
    looks = busy.length === 0 ? looks + 1 : 0
    // Twice: a message may be between two agents.
    if (looks === 2) return
    if (Date.now() > until) throw new Error(`still busy after ${QUIET_MS_MAX} ms: ${busy.slice(0, 20).join("; ")}`)
    await sleep(QUIET_LOOK_MS)
  }
}

/** The processes of the server, one after the other, and where the present one is. */
class Lives {
  readonly #target: Target
  readonly #lives: Life[] = []
  #running: Running | undefined
  #spawnedAtMs = 0
  #readyAtMs: number | undefined
  #resumed: number | undefined
  #url = new Deferred()
  #isServing = false
  #complaints = ""

  constructor(target: Target) {
    this.#target = target
  }

  get lives(): readonly Life[] {
    return this.#lives
  }

  /** What the last processes wrote to their standard error. */
  get complaints(): string {
    return this.#complaints + (this.#running?.complaints ?? "")
  }

  where(): Promise<string> {
    return this.#url.promise
  }

  launch(): void {
    this.#spawnedAtMs = Date.now()
    this.#readyAtMs = undefined
    this.#resumed = undefined
    this.#running = this.#target.launch()
  }

  /** Starts the server and waits until it serves. */
  async begin(): Promise<void> {
    this.launch()
    const announced = await this.#running?.ready
    if (announced === undefined) throw new Error("no server was launched")
    this.#readyAtMs = Date.now()
    this.#resumed = announced.resumed
    this.#isServing = true
    this.#url.resolve(announced.url)
  }

  async kill(): Promise<void> {
    const running = this.#running
    if (running === undefined) throw new Error("no server is running")
    if (!running.isAlive) throw new Error("the server ended by itself")
    this.#away()
    const killedAtMs = Date.now()
    await running.kill()
    this.#end(running, killedAtMs)
  }

  /** Asks the server to end, which must succeed. */
  async end(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.#away()
    const code = await running.stop()
    this.#end(running, undefined)
    if (code !== 0) throw new Error(`the server ended with code ${code} when it was asked to`)
  }

  giveUp(error: unknown): void {
    this.#url.reject(error)
  }

  async close(): Promise<void> {
    if (this.#running?.isAlive) await this.#running.kill()
  }

  /** Whoever asks from now on waits for the next server. Those who wait already go on waiting. */
  #away(): void {
    if (!this.#isServing) return
    this.#isServing = false
    this.#url = new Deferred()
  }

  #end(running: Running, killedAtMs: number | undefined): void {
    this.#complaints = running.complaints
    this.#running = undefined
    this.#lives.push({
      spawnedAtMs: this.#spawnedAtMs,
      ...(this.#readyAtMs === undefined ? {} : { readyAtMs: this.#readyAtMs }),
      ...(killedAtMs === undefined ? {} : { killedAtMs }),
      ...(this.#resumed === undefined ? {} : { resumed: this.#resumed }),
    })
  }
}

/** An address that is not known yet. */
class Deferred {
  readonly promise: Promise<string>
  resolve: (url: string) => void = () => undefined
  reject: (error: unknown) => void = () => undefined

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // Nobody may be asking when it is given up.
    this.promise.catch(() => undefined)
  }
}
