import { startPostgres } from "@rouse/testkit/postgres"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import type { Connection } from "../lib/http.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import {
  agentName,
  begin,
  type Contestant,
  turns,
  type TurnsResult,
  withConnections,
} from "../lib/turns-on-postgres.ts"
import { dbosOnPostgres, rouseOnPostgres } from "../systems/on-postgres.ts"
import { rouse } from "../systems/rouse.ts"

const ROUNDS = 3
const SECONDS = 2
const CLIENTS = 64
const AGENTS = 1_000
/** Agents that one client alone takes turns with. */
const WARM_AGENTS = 200

const EMBEDDED = "embedded"
const DISTRIBUTED = "on Postgres"
const of = DISTRIBUTED
const METRICS = {
  warmP50: { name: "message → durable reply, p50", unit: "ms", most: 15, of },
  warmP99: { name: "message → durable reply, p99", unit: "ms" },
  freshP50: { name: "fresh agent's first reply, p50", unit: "ms", most: 15, of },
  freshP99: { name: "fresh agent's first reply, p99", unit: "ms" },
  rate: { name: "64 clients over the agents", unit: "turns/s" },
  loadP50: { name: "  its p50", unit: "ms" },
  loadP99: { name: "  its p99", unit: "ms" },
  serverCpu: { name: "  server's CPU a turn", unit: "ms" },
  databaseCpu: { name: "  Postgres' CPU a turn", unit: "ms" },
  perCore: { name: "  turns a second of CPU, both", unit: "" },
  share: { name: "  of the embedded engine's", unit: "×", least: 0.7, of },
  timesPeer: { name: "  turns/s, times the peer's", unit: "×", least: 3, of },
  clientCpu: { name: "  client's CPU a turn", unit: "ms" },
} as const satisfies Record<string, Metric>

/** One durable turn on Postgres, beside the embedded engine and a peer on the same Postgres. */
export const postgresTurn: Bench = {
  name: "postgres-turn",
  summary: "one durable turn on a local Postgres: warm, fresh, 64 clients; embedded and DBOS beside it",
  run: (context) => inTemporaryDirectory((directory) => runPostgresTurn(context, directory)),
}

async function runPostgresTurn(context: BenchContext, directory: string): Promise<BenchResult> {
  const server = await startPostgres()
  const contestants: Contestant[] = []
  const figures = new Figures()
  try {
    const peer = await dbosOnPostgres(server, context.say)
    const systems = [
      { system: rouse(context.rouse, EMBEDDED), pid: undefined },
      { system: await rouseOnPostgres(context.rouse, server, DISTRIBUTED), pid: server.pid },
      ...(context.against === undefined
        ? []
        : [{ system: await rouseOnPostgres(context.against, server, "against"), pid: server.pid }]),
      ...(peer === undefined ? [] : [{ system: peer, pid: server.pid }]),
    ]
    for (const { system, pid } of systems) {
      context.say(`${system.name}: making its agents and warming up`)
      contestants.push(await begin(system, directory, pid, agentsOf(context), CLIENTS))
    }
    const rounds = context.rounds ?? ROUNDS
    for (let round = 1; round <= rounds; round += 1) {
      const loads = new Map<string, TurnsResult>()
      for (const contestant of contestants) {
        await withConnections([contestant.child], CLIENTS, async (connections) => {
          loads.set(contestant.system.name, await measure(context, contestant, connections, figures))
        })
      }
      compare(loads, figures, peer?.name)
      context.say(`round ${round} of ${rounds} done`)
    }
  } finally {
    for (const { child } of contestants) await child.stop()
    await server.stop()
  }
  return { figures: figures.list(), notes: NOTES }
}

const NOTES = [
  "Postgres has its defaults: synchronous_commit and fsync are on. Its CPU is that of all its processes.",
  "A turn of the peer is a workflow that is started directly, with two steps, of which one writes to a table; it has no agents that take turns.",
]

async function measure(
  context: BenchContext,
  contestant: Contestant,
  connections: readonly Connection[],
  figures: Figures,
): Promise<TurnsResult> {
  const { system } = contestant
  const seconds = context.seconds ?? SECONDS
  const add = (metric: Metric, value: number): void => figures.add(metric, system.name, value)
  const one = connections.slice(0, 1)
  const agents = agentsOf(context)
  const turnOf =
    (count: number) =>
    (connection: Connection, n: number): Promise<void> =>
      system.turn(connection, agentName(n % count))
  const warm = await turns(contestant, { connections: one, seconds, turn: turnOf(Math.min(agents, WARM_AGENTS)) })
  add(METRICS.warmP50, warm.latencyMs.p50)
  add(METRICS.warmP99, warm.latencyMs.p99)
  const fresh = await turns(contestant, {
    connections: one,
    seconds,
    turn: (connection) => system.freshTurn(connection, `fresh${contestant.fresh++}`),
  })
  add(METRICS.freshP50, fresh.latencyMs.p50)
  add(METRICS.freshP99, fresh.latencyMs.p99)
  const load = await turns(contestant, { connections, seconds: seconds * 2, turn: turnOf(agents) })
  add(METRICS.rate, load.turnsPerSecond)
  add(METRICS.loadP50, load.latencyMs.p50)
  add(METRICS.loadP99, load.latencyMs.p99)
  add(METRICS.serverCpu, load.serverCpuMs)
  add(METRICS.databaseCpu, load.databaseCpuMs)
  add(METRICS.perCore, perCore(load))
  add(METRICS.clientCpu, load.clientCpuMs)
  return load
}

/** What there is to compare within a round. */
function compare(loads: ReadonlyMap<string, TurnsResult>, figures: Figures, peer: string | undefined): void {
  const embedded = loads.get(EMBEDDED)
  const beside = peer === undefined ? undefined : loads.get(peer)
  for (const [name, load] of loads) {
    if (name === EMBEDDED || name === peer) continue
    if (embedded !== undefined) figures.add(METRICS.share, name, perCore(load) / perCore(embedded))
    if (beside !== undefined) figures.add(METRICS.timesPeer, name, load.turnsPerSecond / beside.turnsPerSecond)
  }
}

/** Settled turns for each second of CPU that anything but the client used. */
function perCore({ serverCpuMs, databaseCpuMs }: TurnsResult): number {
  return 1_000 / (serverCpuMs + databaseCpuMs)
}

function agentsOf({ agents }: BenchContext): number {
  return agents ?? AGENTS
}
