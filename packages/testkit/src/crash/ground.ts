import { setTimeout as sleep } from "node:timers/promises"
import postgres from "postgres"
import { openDoor } from "../postgres/door.ts"
import { PostgresPair } from "../postgres/pair.ts"
import { startPostgres } from "../postgres/server.ts"
import type { SeededRandom } from "./core/random.ts"

/**
 * What is harmed where several servers share a Postgres: one of them, the database (`kill -9`, and another start), the primary of a pair (its standby is
 * promoted), or connections to it.
 */
export type GroundVictim = "server" | "database" | "failover" | "connections"

/** The Postgres under the servers. */
export interface Ground {
  /** As the servers know it. */
  readonly url: string
  /** Harms it once, and mends it. Undefined: the servers are the victims. */
  readonly strike?: (random: SeededRandom) => Promise<void>
  stop(): Promise<void>
}

/** The longest that the database is away, beside the time that it takes to start, milliseconds. */
const AWAY_MS_MAX = 1_500
/** Between a promotion and the moment when the address leads to the new primary, at most. */
const MOVE_MS_MAX = 300
/** How many of the connections a strike breaks, of each. */
const PART = 0.5

/** Nothing kills the machine: no database need sync its disk. */
export async function openGround(victim: GroundVictim): Promise<Ground> {
  if (victim === "failover") return await openPair()
  const server = await startPostgres({ syncs: false })
  const { url } = server
  const stop = (): Promise<void> => server.stop()
  if (victim === "server") return { url, stop }
  if (victim === "connections") return { url, stop, strike: () => breakConnections(url) }
  const strike = async (random: SeededRandom): Promise<void> => {
    await server.kill({ all: random.chance(0.5) })
    await sleep(random.below(AWAY_MS_MAX))
    await server.start()
  }
  return { url, stop, strike }
}

async function openPair(): Promise<Ground> {
  const pair = await PostgresPair.open()
  const door = await openDoor(pair.primary.port)
  return {
    url: `postgres://postgres@127.0.0.1:${door.port}/postgres`,
    stop: async () => {
      door.close()
      await pair.stop()
    },
    strike: async (random) => {
      await pair.failOver()
      await sleep(random.below(MOVE_MS_MAX))
      door.aim(pair.primary.port)
      door.cut()
      await pair.replenish()
    },
  }
}

async function breakConnections(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'rouse' AND pid <> pg_backend_pid() AND random() < ${PART}`
  } finally {
    await sql.end()
  }
}
