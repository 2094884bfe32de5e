import { fileURLToPath } from "node:url"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { latency } from "../lib/stats.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { profileArgs, startRouse } from "../systems/rouse.ts"

const ENTITIES = fileURLToPath(new URL("../programs/step-entities.ts", import.meta.url))

const ROUNDS = 3
/** Runs that are measured, of 20 steps each, and before. */
const RUNS = 60
const WARM_RUNS = 40
/** Agents that run beside each other where the server's CPU is measured. */
const BESIDE = 16
const STEPS = 20

const of = "pure"
const METRICS = {
  p50: { name: "a step's own time, p50", unit: "ms", most: 3 },
  p99: { name: "a step's own time, p99", unit: "ms" },
  cpu: { name: "server's CPU a step, 16 beside each other", unit: "ms", of },
} as const satisfies Record<string, Metric>

/** The kinds of steps: a tool that may run again; one that may not, and so is begun on disk; one whose model call is held for by a budget. */
const TYPES = ["pure", "once", "budget"] as const

/** What the platform adds to a step: everything from one model call to the next, with a model and a tool that take no time. */
export const step: Bench = {
  name: "step",
  summary: "the time of a step with one tool call beyond its model and its tool, embedded and durable",
  run: (context) => inTemporaryDirectory((directory) => runStep(context, directory)),
}

async function runStep(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures()
  const child = await startRouse({ program: context.rouse, directory, files: [ENTITIES], nodeArgs: profileArgs() })
  try {
    await measure(context, child, figures)
  } finally {
    await child.stop()
  }
  const notes = [
    "From one call of the model to the next in one run: the answer's rows, the commit with the step and its call's intent, the call, and its result's commit.",
    "A commit is on disk when it is acknowledged. `once` begins its call in a commit of its own, and `budget` holds the next call's price in one.",
  ]
  return { figures: figures.list(), notes }
}

async function measure(context: BenchContext, child: Child, figures: Figures): Promise<void> {
  let agents = 0
  const connection = await Connection.open(child.url)
  const rounds = context.rounds ?? ROUNDS
  for (const type of TYPES) for (let n = 0; n < WARM_RUNS; n++) await run(connection, type, `a${agents++}`)
  for (let round = 1; round <= rounds; round++) {
    for (const type of TYPES) {
      const gaps: number[] = []
      for (let n = 0; n < RUNS; n++) gaps.push(...(await run(connection, type, `a${agents++}`)))
      const { p50, p99 } = latency(Float64Array.from(gaps))
      figures.add(METRICS.p50, type, p50)
      figures.add(METRICS.p99, type, p99)
      figures.add(METRICS.cpu, type, await besideEachOther(child, type, agents))
      agents += BESIDE * RUNS
    }
    context.say(`round ${round} of ${rounds} done`)
  }
  connection.close()
}

/** One run of a new agent. Returns what passed between its model calls, milliseconds. */
async function run(connection: Connection, type: string, agent: string): Promise<readonly number[]> {
  const path = `/v1/entities/${type}/${agent}?wait=20s`
  const body = { args: {}, message: "go" }
  const { settled } = await connection.json<{ readonly settled: { readonly reply: readonly number[] } }>(
    "PUT",
    path,
    body,
  )
  return settled.reply
}

/** CPU of the server a step, milliseconds, when many agents run at once and share commits. */
async function besideEachOther(child: Child, type: string, from: number): Promise<number> {
  const before = child.cpuMs
  const lanes = Array.from({ length: BESIDE }, async (_, lane) => {
    const connection = await Connection.open(child.url)
    for (let n = 0; n < RUNS / 4; n++) await run(connection, type, `a${from + lane * RUNS + n}`)
    connection.close()
  })
  await Promise.all(lanes)
  return (child.cpuMs - before) / (BESIDE * (RUNS / 4) * STEPS)
}
