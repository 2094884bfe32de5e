import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { type Op, openStore } from "@rouse/store"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import { recordOf, threeEvents } from "../lib/commits.ts"
import { diskBytes } from "../lib/disk.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { rouse, startRouse } from "../systems/rouse.ts"

const TIMERS = 1_000_000
/** Agents that they are messages to. */
const AGENTS = 1_000
const SEED_TIMERS = 1_000
const DAY_MS = 86_400_000
const QUIET_MS = 1_500
/** How long it is looked at when nothing is due. */
const IDLE_MS = 5_000
const KB = 1_024

const of = "rouse"
const METRICS = {
  serving: { name: "start: spawn → an agent's turn answered", unit: "ms" },
  resident: { name: "resident then, quiet", unit: "MB" },
  beyond: { name: "  for each timer, beyond a server with none", unit: "bytes", most: 16, of },
  idle: { name: "CPU while none is due, of one core", unit: "%" },
  disk: { name: "on disk for each timer", unit: "bytes" },
} as const satisfies Record<string, Metric>

/** Very many messages that are to be sent tomorrow and later. */
export const timersMillion: Bench = {
  name: "timers-million",
  summary: "1,000,000 armed timers, none due today: a start among them, memory, and what waiting costs",
  run: (context) => inTemporaryDirectory((directory) => runTimers(context, directory)),
}

async function runTimers(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures()
  const timers = context.agents ?? TIMERS
  for (let round = 0; round < (context.rounds ?? 1); round++) {
    const none = await served(context, join(directory, `none${round}`), 0)
    const all = await served(context, join(directory, `all${round}`), timers)
    for (const [name, found] of Object.entries({ none, "1,000,000": all })) {
      const system = name === "none" ? "no timers" : of
      figures.add(METRICS.serving, system, found.servingMs)
      figures.add(METRICS.resident, system, found.residentMb)
      figures.add(METRICS.idle, system, found.idleShare * 100)
    }
    figures.add(METRICS.beyond, of, ((all.residentMb - none.residentMb) * KB * KB) / timers)
    figures.add(METRICS.disk, of, (all.diskBytes - none.diskBytes) / timers)
  }
  const notes = [
    `${timers} messages that are to be sent in one to thirty days, to ${AGENTS} agents, committed straight to the store.`,
    "Memory holds the next due time and what is due within the next look; the rest is rows.",
  ]
  return { figures: figures.list(), notes }
}

interface Served {
  readonly servingMs: number
  readonly residentMb: number
  readonly idleShare: number
  readonly diskBytes: number
}

async function served(context: BenchContext, directory: string, timers: number): Promise<Served> {
  const data = join(directory, ".rouse")
  await mkdir(data, { recursive: true })
  context.say(`seeding ${timers} timers`)
  await seed(data, timers)
  const disk = (await diskBytes(data)).allocated
  const startedAt = performance.now()
  const child = await startRouse({ program: context.rouse, directory })
  try {
    const connection = await Connection.open(child.url)
    await rouse(context.rouse).turn(connection, agentName(0))
    connection.close()
    const servingMs = performance.now() - startedAt
    await sleep(QUIET_MS)
    const residentMb = child.residentMb
    const cpuBefore = child.cpuMs
    await sleep(IDLE_MS)
    return { servingMs, residentMb, idleShare: (child.cpuMs - cpuBefore) / IDLE_MS, diskBytes: disk }
  } finally {
    await child.stop()
  }
}

async function seed(directory: string, timers: number): Promise<void> {
  const store = await openStore({ directory, clock: Date.now, sync: "off" })
  const records = Array.from({ length: AGENTS }, (_, n) => recordOf(agentName(n)))
  try {
    await store.commit({ ops: records.flatMap((record) => threeEvents(record).ops) })
    for (let from = 0; from < timers; from += SEED_TIMERS) {
      await store.commit({
        ops: Array.from({ length: Math.min(SEED_TIMERS, timers - from) }, (_, n) => timer(from + n)),
      })
    }
  } finally {
    await store.close()
  }
}

function timer(n: number): Op {
  const { url } = recordOf(agentName(n % AGENTS))
  const payload = { to: url, owner: url, content: "remember", from: { kind: "user", id: "local" }, mode: "steer" }
  // Spread over a month, in no order.
  const dueAtMs = Date.now() + DAY_MS + ((n * 7_919) % 29_000) * (DAY_MS / 1_000)
  return { op: "putTimer", timer: { id: `bench:${n}`, dueAtMs, url, payload } }
}

function agentName(n: number): string {
  return `a${String(n).padStart(4, "0")}`
}
