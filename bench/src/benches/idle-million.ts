import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { openStore } from "@rouse/store"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { recordOf, threeEvents } from "../lib/commits.ts"
import { diskBytes } from "../lib/disk.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { rouse, startRouse } from "../systems/rouse.ts"

const AGENTS = 1_000_000
/** Agents that are made in one commit. */
const SEED_AGENTS = 100
const COMMITS_UNDER_WAY = 8
const QUIET_MS = 1_500

const of = "rouse"
const METRICS = {
  ready: { name: "start: spawn → ready", unit: "ms" },
  serving: { name: "start: spawn → an agent's turn and the list answered", unit: "ms", most: 2_000, of },
  resident: { name: "resident then, quiet", unit: "MB", most: 400, of },
  log: { name: "log per agent", unit: "bytes" },
  disk: { name: "on disk per agent", unit: "bytes" },
  beyond: { name: "on disk per agent beyond its log", unit: "bytes", most: 1_536, of },
} as const satisfies Record<string, Metric>

/** Very many agents that do nothing, with a short log each. */
export const idleMillion: Bench = {
  name: "idle-million",
  summary: "1,000,000 idle agents of 3 events each: a start among them, memory, and disk",
  run: (context) => inTemporaryDirectory((directory) => runIdle(context, directory)),
}

async function runIdle(context: BenchContext, directory: string): Promise<BenchResult> {
  const agents = context.agents ?? AGENTS
  const figures = new Figures()
  const add = (metric: Metric, value: number): void => figures.add(metric, of, value)
  const data = join(directory, ".rouse")
  await mkdir(data)
  context.say(`seeding ${agents} agents`)
  const log = (await seed(data, agents)) / agents
  const disk = (await diskBytes(data)).allocated / agents
  for (let round = 0; round < (context.rounds ?? 1); round++) {
    const startedAt = performance.now()
    const child = await startRouse({ program: context.rouse, directory })
    await serve(context, child, agentName(Math.floor(((round + 0.5) * agents) / (context.rounds ?? 1))))
    add(METRICS.ready, child.readyMs)
    add(METRICS.serving, performance.now() - startedAt)
    await sleep(QUIET_MS)
    add(METRICS.resident, child.residentMb)
    await child.stop()
  }
  add(METRICS.log, log)
  add(METRICS.disk, disk)
  add(METRICS.beyond, disk - log)
  const notes = [
    `${agents} agents, each made with a log of three events in three appends, and their state as rows. They are committed straight to the store, ${SEED_AGENTS} at a time.`,
    "The file is in the system's cache as far as that holds it.",
  ]
  return { figures: figures.list(), notes }
}

/** @returns the bytes of all logs. */
async function seed(directory: string, agents: number): Promise<number> {
  const store = await openStore({ directory, clock: Date.now, sync: "off" })
  let next = 0
  let bytes = 0
  const loop = async (): Promise<void> => {
    while (next < agents) {
      const from = next
      next = Math.min(agents, from + SEED_AGENTS)
      const made = Array.from({ length: next - from }, (_, n) => threeEvents(recordOf(agentName(from + n))))
      bytes += made.reduce((sum, { logBytes }) => sum + logBytes, 0)
      await store.commit({ ops: made.flatMap(({ ops }) => ops) })
    }
  }
  try {
    await Promise.all(Array.from({ length: COMMITS_UNDER_WAY }, loop))
  } finally {
    await store.close()
  }
  return bytes
}

/** What people do first: one looks at the list, one writes to an agent. */
async function serve(context: BenchContext, child: Child, agent: string): Promise<void> {
  const connection = await Connection.open(child.url)
  await rouse(context.rouse).turn(connection, agent)
  const { status } = await connection.request("GET", "/v1/entities?limit=20", "")
  connection.close()
  if (status !== 200) throw new Error(`the list was answered ${status}`)
}

function agentName(n: number): string {
  return `a${String(n).padStart(7, "0")}`
}
