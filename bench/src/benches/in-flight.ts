import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { profileArgs, startRouse } from "../systems/rouse.ts"

const FILES = ["../programs/entities.ts", "../programs/step-entities.ts"].map((file) =>
  fileURLToPath(new URL(file, import.meta.url)),
)

const ROUNDS = 3
const RUNS = 2_000
const CLIENTS = 64
/** Runs before, so that the code is loaded. Few: what the heap grows by under load is counted. */
const WARM_RUNS = 100
/** Runs that come and go first: what a process takes for its first load, it takes once. */
const SERVED_RUNS = 1_000
const QUIET_MS = 1_500
/** Within the five seconds of the model: when all wait. */
const LOOKS = 4
const LOOK_MS = 400
const SETTLED_MS_MAX = 60_000
const KB = 1_024

const of = "rouse"
const METRICS = {
  started: { name: "2,000 messages accepted in", unit: "ms" },
  running: { name: "runs in flight", unit: "", least: RUNS, of },
  resident: { name: "resident for each, from a fresh process", unit: "KB" },
  residentServed: { name: "resident for each, after 1,000 have come and gone", unit: "KB", most: 40, of },
  live: { name: "live for each", unit: "KB" },
  cpu: { name: "CPU while they wait, of one core", unit: "%" },
  settled: { name: "last answer of the model → all settled", unit: "ms" },
} as const satisfies Record<string, Metric>

/** What a run that waits for its model takes. */
export const inFlight: Bench = {
  name: "in-flight",
  summary: "2,000 runs in flight, each waiting for a model that takes 5 seconds: memory, and time to settle",
  run: (context) => inTemporaryDirectory((directory) => runInFlight(context, directory)),
}

async function runInFlight(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures()
  const rounds = context.rounds ?? ROUNDS
  for (let round = 1; round <= rounds; round++) {
    for (const served of [0, SERVED_RUNS]) {
      const data = join(directory, `round${round} ${served}`)
      await mkdir(data)
      const nodeArgs = ["--expose-gc", ...profileArgs()]
      const child = await startRouse({ program: context.rouse, directory: data, files: FILES, nodeArgs })
      try {
        await sendAll(child, "pure", WARM_RUNS, 0, "?wait=20s")
        if (served > 0) await measureServed(child, served, figures)
        else await measure(child, round, figures)
      } finally {
        await child.stop()
      }
    }
    context.say(`round ${round} of ${rounds} done`)
  }
  const notes = [
    "Resident includes garbage, caches and buffers, and the engine's space for young objects, which the first load lets grow to its 48 MB, once.",
    "Live is the growth of what the main thread holds after a full collection.",
    "Their model answers within the bench: no socket to a provider is among it.",
  ]
  return { figures: figures.list(), notes }
}

async function measure(child: Child, round: number, figures: Figures): Promise<void> {
  const add = (metric: Metric, value: number): void => figures.add(metric, of, value)
  const connection = await Connection.open(child.url)
  const liveBefore = await liveBytes(connection)
  await sleep(QUIET_MS)
  const residentBefore = child.residentMb
  const startedAt = performance.now()
  await sendAll(child, "slow", RUNS, round * RUNS)
  const acceptedAt = performance.now()
  add(METRICS.started, acceptedAt - startedAt)
  const cpuBefore = child.cpuMs
  const resident = await residentMbMax(child)
  add(METRICS.cpu, ((child.cpuMs - cpuBefore) * 100) / (LOOKS * LOOK_MS))
  add(METRICS.running, await countOf(connection, "running"))
  add(METRICS.resident, ((resident - residentBefore) * KB) / RUNS)
  add(METRICS.live, ((await liveBytes(connection)) - liveBefore) / KB / RUNS)
  const lastAnswerAt = acceptedAt + 5_000
  await untilSettled(connection)
  add(METRICS.settled, Math.max(0, performance.now() - lastAnswerAt))
  connection.close()
}

/** The same memory in a process that has had a load before. */
async function measureServed(child: Child, served: number, figures: Figures): Promise<void> {
  const connection = await Connection.open(child.url)
  await sendAll(child, "slow", served, 0)
  await untilSettled(connection)
  await liveBytes(connection)
  await sleep(QUIET_MS)
  const residentBefore = child.residentMb
  await sendAll(child, "slow", RUNS, served)
  figures.add(METRICS.residentServed, of, (((await residentMbMax(child)) - residentBefore) * KB) / RUNS)
  await untilSettled(connection)
  connection.close()
}

async function residentMbMax(child: Child): Promise<number> {
  let resident = child.residentMb
  for (let look = 0; look < LOOKS; look++) {
    await sleep(LOOK_MS)
    resident = Math.max(resident, child.residentMb)
  }
  return resident
}

/** New agents, each with a message, over a few connections. */
async function sendAll(child: Child, type: string, count: number, from: number, query = ""): Promise<void> {
  let next = 0
  const lanes = Array.from({ length: CLIENTS }, async () => {
    const connection = await Connection.open(child.url)
    while (next < count) {
      const path = `/v1/entities/${type}/f${from + next++}${query}`
      await connection.json("PUT", path, { args: {}, message: "go" })
    }
    connection.close()
  })
  await Promise.all(lanes)
}

async function countOf(connection: Connection, status: string): Promise<number> {
  let count = 0
  for (let after = "", more = true; more;) {
    const path = `/v1/entities?status=${status}&type=slow&limit=1000${after}`
    const page = await connection.json<{ readonly entities: readonly unknown[]; readonly next?: string }>("GET", path)
    count += page.entities.length
    more = page.next !== undefined
    after = `&after=${encodeURIComponent(page.next ?? "")}`
  }
  return count
}

async function untilSettled(connection: Connection): Promise<void> {
  const until = performance.now() + SETTLED_MS_MAX
  while ((await countOf(connection, "running")) > 0) {
    if (performance.now() > until) throw new Error(`still in flight after ${SETTLED_MS_MAX} ms`)
    await sleep(20)
  }
}

/** What the server's main thread holds on to after a full collection. */
async function liveBytes(connection: Connection): Promise<number> {
  const path = `/v1/entities/memory/m${Math.round(performance.now())}?wait=20s`
  const { settled } = await connection.json<{ readonly settled: { readonly reply: number } }>("PUT", path, {
    args: {},
    message: "how much?",
  })
  return settled.reply
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
