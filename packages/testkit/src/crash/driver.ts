import { setTimeout as sleep } from "node:timers/promises"
import type { History } from "./core/history.ts"
import type { SeededRandom } from "./core/random.ts"
import type { LedgerClient } from "./ledger-client.ts"
import { Lives } from "./lives.ts"
import { Load } from "./load.ts"
import type { Target } from "./target.ts"

/** Kills that one agent lives through before a new one takes its place. */
const KILLS_A_GENERATION = 8
/** One kill in so many comes while the server still starts. */
const EARLY_ONE_IN = 8
/** The latest moment of such a kill after the spawn. */
const EARLY_MS_MAX = 400
/** One kill in so many comes after a restart that was asked for: what is given back must be taken up as what was lost. */
const STOP_ONE_IN = 10
/** Entities that one lane of the load keeps busy: an agent, and where it sends to. */
const BUSY_A_LANE = 2
/** How long a life may last in which the system catches up with what earlier agents left. */
const BREATH_MS_MAX = 20_000
const QUIET_LOOK_MS = 100
/** Accepted messages that are sent once more at the end. */
export const REPEATS = 25

export interface DriveOptions {
  readonly target: Target
  readonly ledger: LedgerClient
  readonly random: SeededRandom
  readonly kills: number
  /** Agents that are busy at the same time. */
  readonly agents: number
  /** The latest moment of a kill after the load goes on, milliseconds. */
  readonly killMsMax: number
  /** How long the system may take to come to rest after the last kill, milliseconds. */
  readonly quietMsMax: number
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
  load.start()
  try {
    await Promise.race([killAll(options, server, load), load.failed])
    await server.begin()
    await load.close()
    await load.repeat(REPEATS)
    const base = await server.where()
    await quiet(options.target, base, options.quietMsMax)
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

async function killAll(options: DriveOptions, server: Lives, load: Load): Promise<void> {
  const { target, random, kills, killMsMax, agents, ledger, onProgress } = options
  for (let kill = 1; kill <= kills; kill += 1) {
    if (kill % KILLS_A_GENERATION === 0) {
      load.nextGeneration()
      await breathe(target, server, BUSY_A_LANE * agents)
    }
    if (random.below(STOP_ONE_IN) === 0) {
      await server.begin()
      await sleep(random.below(killMsMax + 1))
      await server.end()
    }
    await live(random, server, killMsMax)
    await server.kill()
    // What the dead process had sent is in the ledger's sockets: it is there before the next process asks.
    for (let round = 0; round < 2; round += 1) await ledger.find("settled")
    onProgress(kill)
  }
}

/** The life of one server, until the moment of its death. */
async function live(random: SeededRandom, server: Lives, killMsMax: number): Promise<void> {
  if (random.below(EARLY_ONE_IN) === 0) {
    server.launch()
    await sleep(random.below(EARLY_MS_MAX))
  } else {
    await server.begin()
    await sleep(random.below(killMsMax + 1))
    await server.killHandler()
  }
}

/**
 * A life that lasts until no more is under way than the load makes. A wake that is cut off many times in a row without a commit is
 * given up, by rule: on a machine that is slow for the lives it is given, that would be no broken promise.
 */
async function breathe(target: Target, server: Lives, busyMax: number): Promise<void> {
  await server.begin()
  const base = await server.where()
  const until = Date.now() + BREATH_MS_MAX
  while ((await target.busy(base)).length > busyMax && Date.now() < until) await sleep(QUIET_LOOK_MS)
  await server.end()
}

/** Waits until nothing is under way. @throws when that takes longer than `msMax`. */
export async function quiet(target: Target, base: string, msMax: number): Promise<void> {
  const until = Date.now() + msMax
  for (let looks = 0; ;) {
    const busy = await target.busy(base)
    looks = busy.length === 0 ? looks + 1 : 0
    // Twice: a message may be between two agents.
    if (looks === 2) return
    if (Date.now() > until) throw new Error(`still busy after ${msMax} ms: ${busy.slice(0, 20).join("; ")}`)
    await sleep(QUIET_LOOK_MS)
  }
}
