import { setTimeout as sleep } from "node:timers/promises"
import type { History } from "./core/history.ts"
import type { SeededRandom } from "./core/random.ts"
import type { DriveOptions } from "./driver.ts"
import { quiet, REPEATS } from "./driver.ts"
import { Load } from "./load.ts"
import { ReplicaLives } from "./replica-lives.ts"

/** Kills that one agent lives through before a new one takes its place. */
const KILLS_A_GENERATION = 8
/** One end in so many is asked for: what is given back must be taken up as what was lost. */
const STOP_ONE_IN = 8
/** One kill in so many is followed by another before a replacement serves. */
const DOUBLE_ONE_IN = 4

export interface DriveReplicasOptions extends DriveOptions {
  readonly replicas: number
  /** Harms what the replicas stand on, and mends it. Without it they are killed themselves. */
  readonly strike?: ((random: SeededRandom) => Promise<void>) | undefined
}

/**
 * Loads several replicas of one system through a load balancer that picks at random, kills one after the other and replaces each, or harms what they stand
 * on, lets all come to rest, and returns all there is to know.
 *
 * @throws when a replica does not come up, ends by itself, refuses what it should take, or all do not come to rest.
 */
export async function driveReplicas(options: DriveReplicasOptions): Promise<History> {
  const { target, random, agents, replicas, ledger } = options
  const servers = new ReplicaLives(target, random.split())
  const load = new Load({ target, where: () => servers.where(), random: random.split(), agents })
  try {
    await servers.begin()
    await Promise.all(Array.from({ length: replicas - 1 }, () => servers.begin()))
    load.start()
    await Promise.race([killAll(options, servers, load), load.failed])
    await load.close()
    await load.repeat(REPEATS)
    const base = await servers.where()
    await quiet(target, base, options.quietMsMax)
    const [logs, effects] = await Promise.all([target.logs(await servers.where()), ledger.report()])
    await servers.endAll()
    return { sent: load.sent, effects, logs, lives: servers.lives, replicas, ...(await target.atRest()) }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${servers.complaints}`, {
      cause: error,
    })
  } finally {
    await servers.close()
  }
}

async function killAll(options: DriveReplicasOptions, servers: ReplicaLives, load: Load): Promise<void> {
  const { random, kills, killMsMax, onProgress, strike } = options
  for (let kill = 1; kill <= kills; kill += 1) {
    if (kill % KILLS_A_GENERATION === 0) load.nextGeneration()
    await sleep(random.below(killMsMax + 1))
    if (strike) {
      await strike(random)
      servers.checkAlive()
      onProgress(kill)
      continue
    }
    await servers.end("kill")
    const isDouble = random.below(DOUBLE_ONE_IN) === 0
    if (isDouble) await servers.end("kill")
    await Promise.all(Array.from({ length: isDouble ? 2 : 1 }, () => servers.begin()))
    if (isDouble) kill += 1
    if (random.below(STOP_ONE_IN) === 0) {
      await servers.end("stop")
      await servers.begin()
    }
    onProgress(kill)
  }
}
