import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { startPostgres } from "@rouse/testkit/postgres"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import type { Connection } from "../lib/http.ts"
import { runLoad } from "../lib/load.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { agentName, withConnections } from "../lib/turns-on-postgres.ts"
import { cpuMs, familyCpuMs } from "../lib/usage.ts"
import { databaseOn, startOnPostgres } from "../systems/on-postgres.ts"
import { rouse } from "../systems/rouse.ts"

const ROUNDS = 3
const SECONDS = 4
const WARM_UP_SECONDS = 4
const SPAWN_SECONDS_MAX = 60
/** As many as two replicas have room for at once: see `thinking` in `programs/entities.ts`. */
const CLIENTS = 32
const AGENTS = 512

const [ONE, TWO] = ["one replica", "two replicas"] as const
const METRICS = {
  rate: { name: "turns/s", unit: "" },
  times: { name: "  times one replica's", unit: "×", least: 1.5, of: TWO },
  p50: { name: "  p50", unit: "ms" },
  p99: { name: "  p99", unit: "ms" },
  replicas: { name: "  of a core: the busiest replica", unit: "%" },
  database: { name: "  of a core: Postgres", unit: "%" },
  client: { name: "  of a core: the client", unit: "%" },
  replicaCpu: { name: "  replicas' CPU a turn", unit: "ms" },
  databaseCpu: { name: "  Postgres' CPU a turn", unit: "ms" },
} as const satisfies Record<string, Metric>

/** What a second replica adds, where what bounds a replica is how many models it waits for. */
export const postgresReplicas: Bench = {
  name: "postgres-replicas",
  summary: "settled turns a second of one and of two replicas on one Postgres, and who works how much",
  run: (context) => inTemporaryDirectory((directory) => runReplicas(context, directory)),
}

async function runReplicas(context: BenchContext, directory: string): Promise<BenchResult> {
  const server = await startPostgres()
  const children: Child[] = []
  const figures = new Figures()
  try {
    const url = await databaseOn(server, "replicas")
    const system = rouse(context.rouse, "rouse", "thinking")
    const turn: Ask = (connection, agent) => system.turn(connection, agent)
    const freshTurn: Ask = (connection, agent) => system.freshTurn(connection, agent)
    const rounds = context.rounds ?? ROUNDS
    const rates: number[] = []
    for (const name of [ONE, TWO]) {
      context.say(`${name}: warming up`)
      children.push(await startIn(join(directory, `replica${children.length}`), context.rouse, url))
      if (name === ONE) await measure(children, server.pid, SPAWN_SECONDS_MAX, freshTurn, AGENTS)
      await measure(children, server.pid, WARM_UP_SECONDS, turn)
      for (let round = 0; round < rounds; round += 1) {
        const measured = await measure(children, server.pid, context.seconds ?? SECONDS, turn)
        note(figures, name, measured)
        if (name === ONE) rates.push(measured.rate)
        else figures.add(METRICS.times, TWO, measured.rate / (rates[round] as number))
      }
    }
  } finally {
    for (const child of children) await child.stop()
    await server.stop()
  }
  return {
    figures: figures.list(),
    notes: [
      "All run on this machine's cores. A replica is bounded by its room: 16 wakes at once of a type whose model takes 100 ms, so 160 turns/s at most.",
      `${CLIENTS} clients, each with one replica: with one replica half of them wait for room, with two nobody does.`,
      "The second replica is started when the first has been measured alone.",
    ],
  }
}

async function startIn(directory: string, program: string, url: string): Promise<Child> {
  await mkdir(directory)
  return startOnPostgres(program, directory, url)
}

type Ask = (connection: Connection, agent: string) => Promise<void>

interface Measured {
  readonly rate: number
  readonly p50: number
  readonly p99: number
  readonly turns: number
  readonly tookMs: number
  /** CPU used, milliseconds. */
  readonly replicas: readonly number[]
  readonly database: number
  readonly client: number
}

async function measure(
  children: readonly Child[],
  databasePid: number,
  seconds: number,
  ask: Ask,
  turnsMax?: number,
): Promise<Measured> {
  let measured: Measured | undefined
  await withConnections(children, CLIENTS, async (connections) => {
    const read = (): number[] => [...children.map(({ pid }) => cpuMs(pid)), familyCpuMs(databasePid)]
    const before = read()
    const result = await runLoad({
      connections,
      seconds,
      pid: (children[0] as Child).pid,
      ...(turnsMax === undefined ? {} : { turnsMax }),
      turn: (connection, n) => ask(connection, agentName(n % AGENTS)),
    })
    const used = read().map((after, at) => after - (before[at] ?? 0))
    measured = {
      rate: result.turnsPerSecond,
      p50: result.latencyMs.p50,
      p99: result.latencyMs.p99,
      turns: result.turns,
      tookMs: (result.turns * 1_000) / result.turnsPerSecond,
      replicas: used.slice(0, -1),
      database: used.at(-1) ?? 0,
      client: result.clientCpuMs * result.turns,
    }
  })
  if (measured === undefined) throw new Error("nothing was measured")
  return measured
}

function note(figures: Figures, name: string, measured: Measured): void {
  const { rate, p50, p99, turns, tookMs, replicas, database, client } = measured
  const share = (ms: number): number => (100 * ms) / tookMs
  figures.add(METRICS.rate, name, rate)
  figures.add(METRICS.p50, name, p50)
  figures.add(METRICS.p99, name, p99)
  figures.add(METRICS.replicas, name, share(Math.max(...replicas)))
  figures.add(METRICS.database, name, share(database))
  figures.add(METRICS.client, name, share(client))
  figures.add(METRICS.replicaCpu, name, replicas.reduce((sum, ms) => sum + ms, 0) / turns)
  figures.add(METRICS.databaseCpu, name, database / turns)
}
