import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { System } from "../systems/system.ts"
import type { Child } from "./child.ts"
import { Connection } from "./http.ts"
import { type LoadResult, runLoad, type LoadOptions } from "./load.ts"
import { familyCpuMs } from "./usage.ts"

/** A system under measurement, and the database that works for it. */
export interface Contestant {
  readonly system: System
  readonly child: Child
  /** Of the database's first process; undefined: it has none of its own. */
  readonly databasePid: number | undefined
  /** Agents made so far. */
  fresh: number
}

export interface TurnsResult extends LoadResult {
  /** Milliseconds of CPU a turn of the database's processes, all of them. */
  readonly databaseCpuMs: number
}

const SPAWN_SECONDS_MAX = 60
const WARM_UP_SECONDS = 2

/** Starts a system, makes its agents, and has each take a few turns. */
export async function begin(
  system: System,
  directory: string,
  databasePid: number | undefined,
  agents: number,
  clients: number,
): Promise<Contestant> {
  const place = join(directory, system.name.replaceAll(/\W/g, "-"))
  await mkdir(place)
  const contestant: Contestant = { system, child: await system.start(place), databasePid, fresh: 0 }
  await withConnections([contestant.child], clients, async (connections) => {
    const spawn = (connection: Connection, n: number): Promise<void> => system.freshTurn(connection, agentName(n))
    await turns(contestant, { connections, seconds: SPAWN_SECONDS_MAX, turnsMax: agents, turn: spawn })
    const turn = (connection: Connection, n: number): Promise<void> => system.turn(connection, agentName(n % agents))
    await turns(contestant, { connections, seconds: WARM_UP_SECONDS, turn })
  })
  return contestant
}

export async function turns(
  { child, databasePid }: Contestant,
  options: Omit<LoadOptions, "pid">,
): Promise<TurnsResult> {
  const before = databasePid === undefined ? 0 : familyCpuMs(databasePid)
  const result = await runLoad({ ...options, pid: child.pid })
  const after = databasePid === undefined ? 0 : familyCpuMs(databasePid)
  return { ...result, databaseCpuMs: (after - before) / result.turns }
}

/** Connections of their own for each measurement, to each of the servers in turn. */
export async function withConnections(
  children: readonly Child[],
  count: number,
  work: (connections: readonly Connection[]) => Promise<void>,
): Promise<void> {
  const urls = Array.from({ length: count }, (_, n) => (children[n % children.length] as Child).url)
  const connections = await Promise.all(urls.map((url) => Connection.open(url)))
  try {
    await work(connections)
  } finally {
    for (const connection of connections) connection.close()
  }
}

export function agentName(n: number): string {
  return `a${n}`
}
