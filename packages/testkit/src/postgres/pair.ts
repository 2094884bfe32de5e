import { setTimeout as pause } from "node:timers/promises"
import postgres from "postgres"
import { STANDBY, startPostgres } from "./server.ts"
import type { PostgresServer } from "./server.ts"

const LOOK_MS = 20
/** How long a standby may take to follow, milliseconds: a bound, not a measure. */
const FOLLOWS_MS_MAX = 60_000

/**
 * A primary and a standby. A commit is acknowledged when it is on the standby's disk, too; while there is no standby, none is.
 *
 *     primary ──every commit──▶ standby        failOver: primary killed, standby promoted, a new standby made from it
 */
export class PostgresPair {
  #primary: PostgresServer
  #standby: PostgresServer

  private constructor(primary: PostgresServer, standby: PostgresServer) {
    this.#primary = primary
    this.#standby = standby
  }

  static async open(): Promise<PostgresPair> {
    const primary = await startPostgres(SETTINGS)
    return new PostgresPair(primary, await standbyOf(primary))
  }

  get primary(): PostgresServer {
    return this.#primary
  }

  /** Kills the primary with all its processes, and makes the standby the primary. Then `replenish` is to be called. */
  async failOver(): Promise<void> {
    const lost = this.#primary
    await lost.kill({ all: true })
    this.#primary = this.#standby
    await ask(this.#primary, "SELECT pg_promote(true)")
    await lost.stop()
  }

  /** Gives the primary a standby. */
  async replenish(): Promise<void> {
    this.#standby = await standbyOf(this.#primary)
  }

  async stop(): Promise<void> {
    await Promise.all([this.#primary.stop(), this.#standby.stop()])
  }
}

/** The same for both: either may be the primary. Nothing kills the machine, so no disk need be synced. */
const SETTINGS = { syncs: false, settings: [`synchronous_standby_names=${STANDBY}`, "synchronous_commit=on"] } as const

/** Resolves when every commit that the primary acknowledges is on it. */
async function standbyOf(primary: PostgresServer): Promise<PostgresServer> {
  const standby = await startPostgres({ ...SETTINGS, following: primary })
  const until = Date.now() + FOLLOWS_MS_MAX
  const question = "SELECT FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'"
  while ((await ask(primary, question)).length === 0) {
    if (Date.now() > until) throw new Error(`the standby does not follow after ${FOLLOWS_MS_MAX} ms`)
    await pause(LOOK_MS)
  }
  return standby
}

async function ask(server: PostgresServer, question: string): Promise<readonly unknown[]> {
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    return await sql.unsafe(question)
  } finally {
    await sql.end()
  }
}
