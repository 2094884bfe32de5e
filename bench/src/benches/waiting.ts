import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { ToolClaims } from "@rouse/protocol"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { runLoad } from "../lib/load.ts"
import { liveBytes, quietMb } from "../lib/server-memory.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { cpuMs } from "../lib/usage.ts"
import { startRouse } from "../systems/rouse.ts"

const AGENTS = 10_000
const CLIENTS = 32
const SECONDS_MAX = 120
const CLAIM = 100
const QUIET_MS = 5_000
const MB = 2 ** 20

const of = "rouse"
const METRICS = {
  liveEmpty: { name: "live with no agents", unit: "MB" },
  live: { name: "live with all waiting, after a restart", unit: "MB" },
  each: { name: "live per waiting agent", unit: "bytes" },
  residentEmpty: { name: "resident with no agents", unit: "MB" },
  resident: { name: "resident with all waiting, after a restart", unit: "MB" },
  cpu: { name: "CPU while all wait, per second", unit: "ms" },
  claim: { name: "claim of 100 calls", unit: "ms" },
  list: { name: "page of 100 approvals", unit: "ms" },
} as const satisfies Record<string, Metric>

/** Agents that wait for people and workers: what they hold while they do. */
export const waiting: Bench = {
  name: "waiting",
  summary: "10,000 agents that wait, half for a person and half for a worker: memory and CPU of the server",
  run: (context) => inTemporaryDirectory((directory) => runWaiting(context, directory)),
}

async function runWaiting(context: BenchContext, directory: string): Promise<BenchResult> {
  const agents = Math.round(context.agents ?? AGENTS)
  const figures = new Figures()
  const add = (metric: Metric, value: number): void => figures.add(metric, of, value)
  const start = (): Promise<Child> => startRouse({ program: context.rouse, directory, nodeArgs: ["--expose-gc"] })
  await mkdir(directory, { recursive: true })
  // Both are measured after a restart: a first start makes the database.
  await (await start()).stop()
  let child = await start()
  add(METRICS.residentEmpty, await quietMb(child))
  const empty = await liveBytes(child)
  add(METRICS.liveEmpty, empty / MB)
  context.say(`putting ${agents} agents to sleep`)
  await fill(child, agents)
  await child.stop()
  child = await start()
  try {
    add(METRICS.resident, await quietMb(child))
    const full = await liveBytes(child)
    add(METRICS.live, full / MB)
    add(METRICS.each, (full - empty) / agents)
    const before = cpuMs(child.pid)
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    add(METRICS.cpu, (cpuMs(child.pid) - before) / (QUIET_MS / 1_000))
    await use(child, add)
  } finally {
    await child.stop()
  }
  return {
    figures: figures.list(),
    notes: [`${agents} agents in ${join(directory, ".rouse")}, each with one call that waits.`],
  }
}

async function fill(child: Child, agents: number): Promise<void> {
  const connections = await Promise.all(Array.from({ length: CLIENTS }, () => Connection.open(child.url)))
  await runLoad({
    connections,
    seconds: SECONDS_MAX,
    turnsMax: agents,
    pid: child.pid,
    turn: async (connection, n) => {
      const message = n % 2 === 0 ? "/call pay" : "/call build"
      await connection.json("PUT", `/v1/entities/waiter/w${n}`, { args: {}, message })
    },
  })
  await settled(connections[0])
  for (const connection of connections) connection.close()
}

/** Waits until no wake is under way or queued. */
async function settled(connection: Connection | undefined): Promise<void> {
  for (const status of ["running", "queued"]) {
    for (;;) {
      const path = `/v1/entities?type=waiter&status=${status}&limit=1`
      const page = await connection?.json<{ readonly entities: readonly unknown[] }>("GET", path)
      if ((page?.entities.length ?? 0) === 0) break
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

async function use(child: Child, add: (metric: Metric, value: number) => void): Promise<void> {
  const connection = await Connection.open(child.url)
  const timed = async <T>(metric: Metric, work: () => Promise<T>): Promise<T> => {
    const from = performance.now()
    const value = await work()
    add(metric, performance.now() - from)
    return value
  }
  const body = { worker: "bench", tools: { build: CLAIM }, capacity: CLAIM }
  const { claims } = await timed(METRICS.claim, () => connection.json<ToolClaims>("POST", "/v1/tool-claims", body))
  if (claims.length !== CLAIM) throw new Error(`${claims.length} calls were claimed, not ${CLAIM}`)
  await timed(METRICS.list, () => connection.json("GET", `/v1/approvals?limit=${CLAIM}`))
  connection.close()
}
