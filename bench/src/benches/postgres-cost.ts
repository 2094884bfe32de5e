import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { type PostgresServer, startPostgres } from "@rouse/testkit/postgres"
import postgres from "postgres"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { type LoadResult, runLoad } from "../lib/load.ts"
import { notifyCost } from "../lib/notify-cost.ts"
import { connectionsOf, stockOf, walBytes } from "../lib/postgres-stock.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { agentName, withConnections } from "../lib/turns-on-postgres.ts"
import { cpuMs, familyCpuMs } from "../lib/usage.ts"
import { databaseOn, startOnPostgres } from "../systems/on-postgres.ts"
import { rouse } from "../systems/rouse.ts"

const ROUNDS = 3
const SECONDS = 4
const CLIENTS = 64
const AGENTS = 1_000
const SPAWN_SECONDS_MAX = 120
/** Of so many agents one takes a turn right after a checkpoint: far enough from each other to share few pages. */
const APART = 40

const of = "rouse"
const METRICS = {
  agentWal: { name: "new agent with a turn: WAL", unit: "bytes" },
  agentStored: { name: "new agent with a turn: tables and indexes", unit: "bytes" },
  agentRows: { name: "new agent with a turn: rows", unit: "" },
  serverCpu: { name: "turn: server's CPU", unit: "ms" },
  databaseCpu: { name: "turn: Postgres' CPU", unit: "ms" },
  wal: { name: "turn: WAL", unit: "bytes" },
  coldWal: { name: "turn: WAL, right after a checkpoint", unit: "bytes" },
  stored: { name: "turn: tables and indexes", unit: "bytes" },
  log: { name: "turn: of them its log", unit: "bytes" },
  rows: { name: "turn: rows", unit: "" },
  connections: { name: "replica: connections", unit: "" },
  movedServerCpu: { name: "turn anywhere of two replicas: servers' CPU", unit: "ms" },
  movedDatabaseCpu: { name: "turn anywhere of two replicas: Postgres' CPU", unit: "ms" },
  told: { name: "notification: Postgres' CPU", unit: "ms" },
  heard: { name: "notification: Postgres' CPU for each that listens", unit: "ms" },
} as const satisfies Record<string, Metric>

/** What the model of docs/scale.md is fed with. */
export const postgresCost: Bench = {
  name: "postgres-cost",
  summary: "what a turn and an agent cost a Postgres: CPU, WAL, rows, bytes, connections, notifications",
  run: (context) => inTemporaryDirectory((directory) => runCost(context, directory)),
}

async function runCost(context: BenchContext, directory: string): Promise<BenchResult> {
  const server = await startPostgres()
  const url = await databaseOn(server, "cost")
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  const children: Child[] = []
  const figures = new Figures()
  const cost: Cost = { context, server, sql, children, figures }
  try {
    children.push(await startIn(join(directory, "one"), context.rouse, url))
    context.say("making agents")
    await ofAgents(cost)
    for (let round = 1; round <= (context.rounds ?? ROUNDS); round += 1) {
      await ofTurns(cost)
      context.say(`round ${round} done`)
    }
    children.push(await startIn(join(directory, "two"), context.rouse, url))
    for (let round = 1; round <= (context.rounds ?? ROUNDS); round += 1) await ofTurnsAnywhere(cost)
    const { toldMs, heardMs } = await notifyCost(server.url, server.pid)
    figures.add(METRICS.told, of, toldMs)
    figures.add(METRICS.heard, of, heardMs)
  } finally {
    for (const child of children) await child.stop()
    await sql.end()
    await server.stop()
  }
  return {
    figures: figures.list(),
    notes: [
      "Bytes of tables and indexes are those after VACUUM FULL; in use, updates leave room that is used again.",
      `Right after a checkpoint every page is logged whole when it is first written: that is what the turns of agents ${APART} apart show.`,
    ],
  }
}

interface Cost {
  readonly context: BenchContext
  readonly server: PostgresServer
  readonly sql: postgres.Sql
  readonly children: readonly Child[]
  readonly figures: Figures
}

async function ofAgents({ context, sql, children, figures }: Cost): Promise<void> {
  const agents = context.agents ?? AGENTS
  const system = rouse(context.rouse)
  const before = await stockOf(sql)
  await load(children, (connection, n) => system.freshTurn(connection, agentName(n)), SPAWN_SECONDS_MAX, agents)
  const wal = await walBytes(sql)
  const after = await stockOf(sql)
  figures.add(METRICS.agentWal, of, (wal - before.walBytes) / agents)
  figures.add(METRICS.agentStored, of, (after.storedBytes - before.storedBytes) / agents)
  figures.add(METRICS.agentRows, of, (after.rows - before.rows) / agents)
}

async function ofTurns({ context, server, sql, children, figures }: Cost): Promise<void> {
  const agents = context.agents ?? AGENTS
  const system = rouse(context.rouse)
  const stock = await stockOf(sql)
  await sql.unsafe("CHECKPOINT")
  const walBefore = await walBytes(sql)
  const apart = Math.max(1, Math.floor(agents / APART))
  const cold = await load(
    children,
    (connection, n) => system.turn(connection, agentName(n * APART)),
    SPAWN_SECONDS_MAX,
    apart,
  )
  figures.add(METRICS.coldWal, of, ((await walBytes(sql)) - walBefore) / cold.turns)
  // Touches the pages of all others.
  const each = await load(children, (connection, n) => system.turn(connection, agentName(n)), SPAWN_SECONDS_MAX, agents)
  const wal = await walBytes(sql)
  const cpu = familyCpuMs(server.pid)
  const seconds = context.seconds ?? SECONDS
  const warm = await load(children, (connection, n) => system.turn(connection, agentName(n % agents)), seconds)
  figures.add(METRICS.databaseCpu, of, (familyCpuMs(server.pid) - cpu) / warm.turns)
  figures.add(METRICS.wal, of, ((await walBytes(sql)) - wal) / warm.turns)
  figures.add(METRICS.serverCpu, of, warm.serverCpuMs)
  figures.add(METRICS.connections, of, await connectionsOf(sql))
  const after = await stockOf(sql)
  const turns = cold.turns + each.turns + warm.turns
  figures.add(METRICS.stored, of, (after.storedBytes - stock.storedBytes) / turns)
  figures.add(METRICS.log, of, (after.logBytes - stock.logBytes) / turns)
  figures.add(METRICS.rows, of, (after.rows - stock.rows) / turns)
}

/** Each turn on whichever replica: half of them not where the agent had its last. */
async function ofTurnsAnywhere({ context, server, children, figures }: Cost): Promise<void> {
  const agents = context.agents ?? AGENTS
  const system = rouse(context.rouse)
  const used = (): number => children.reduce((sum, { pid }) => sum + cpuMs(pid), 0)
  const [cpu, database] = [used(), familyCpuMs(server.pid)]
  const seconds = context.seconds ?? SECONDS
  const { turns } = await load(children, (connection, n) => system.turn(connection, agentName(n % agents)), seconds)
  figures.add(METRICS.movedServerCpu, of, (used() - cpu) / turns)
  figures.add(METRICS.movedDatabaseCpu, of, (familyCpuMs(server.pid) - database) / turns)
}

async function load(
  children: readonly Child[],
  turn: Parameters<typeof runLoad>[0]["turn"],
  seconds: number,
  turnsMax?: number,
): Promise<LoadResult> {
  let result: LoadResult | undefined
  const pid = (children[0] as Child).pid
  await withConnections(children, CLIENTS, async (connections) => {
    result = await runLoad({ connections, seconds, pid, turn, ...(turnsMax === undefined ? {} : { turnsMax }) })
  })
  if (result === undefined) throw new Error("nothing was measured")
  return result
}

async function startIn(directory: string, program: string, url: string): Promise<Child> {
  await mkdir(directory)
  return startOnPostgres(program, directory, url)
}
