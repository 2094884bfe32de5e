import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { table } from "../lib/table.ts"
import { MACHINES } from "../scale/costs.ts"
import { type ScaleResult, simulateScale } from "../scale/simulate.ts"

const AGENTS = 1_000_000
const MEASURED_MS = 1_000
const SEED = 1
const REPLICAS = [1, 10, 100] as const
/** Offered, one after the other until it is too much. */
const RATES = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 40_000] as const
/** Halvings of what lies between the last rate that was carried and the first that was not. */
const HALVINGS = 4
/** It bends where less than this share of what is offered is settled, or where half of the replies take longer beyond the model. */
const SETTLED_LEAST = 0.95
const BEYOND_MODEL_MS_MOST = 100

const METRICS = {
  carried: { name: "carried before it bends", unit: "turns/s" },
  p50: { name: "  accept → reply there, less the model, p50", unit: "ms" },
  p99: { name: "  p99", unit: "ms" },
} as const satisfies Record<string, Metric>

/** Not a measurement: a model of 1, 10 and 100 replicas on one Postgres, in virtual time. */
export const scale: Bench = {
  name: "scale",
  summary: "simulated: 1, 10 and 100 replicas on one Postgres with a million agents, and where it bends",
  run: (context) => Promise.resolve(runScale(context)),
}

function runScale(context: BenchContext): BenchResult {
  const agents = context.agents ?? AGENTS
  const figures = new Figures()
  const rows: string[][] = [HEAD]
  const notes: string[] = []
  for (const replicas of REPLICAS) {
    context.say(`${replicas} replicas`)
    const at = (turnsPerSecond: number): ScaleResult =>
      simulateScale({ replicas, agents, turnsPerSecond, measuredMs: MEASURED_MS, seed: SEED })
    const { carried, result, over } = ascend(replicas, at, rows)
    const name = replicas === 1 ? "1 replica" : `${replicas} replicas`
    figures.add(METRICS.carried, name, carried)
    figures.add(METRICS.p50, name, result.beyondModelMs.p50)
    figures.add(METRICS.p99, name, result.beyondModelMs.p99)
    notes.push(`${name}: it bends at ${carried} turns/s; what is full is ${over.boundBy}.`)
  }
  const { databaseCores, walMbPerSecond, modelMs } = MACHINES
  notes.push(
    `Simulated with measured costs: ${agents} agents, a model of ${modelMs} ms, a Postgres of ${databaseCores} cores whose WAL's disk writes ${walMbPerSecond} MB/s.`,
    ...table(rows).split("\n"),
  )
  return { figures: figures.list(), notes }
}

interface Bend {
  readonly carried: number
  /** At what it carries, and just beyond. */
  readonly result: ScaleResult
  readonly over: ScaleResult
}

interface Offered {
  readonly rate: number
  readonly result: ScaleResult
}

/** Each rate until one is too much, and then between that and the one before. */
function ascend(replicas: number, at: (rate: number) => ScaleResult, rows: string[][]): Bend {
  let low: Offered = { rate: 0, result: at(1) }
  for (const rate of RATES) {
    const result = at(rate)
    rows.push(line(replicas, rate, result))
    if (!isOver(rate, result)) {
      low = { rate, result }
      continue
    }
    let high: Offered = { rate, result }
    for (let n = 0; n < HALVINGS; n += 1) {
      const middle = Math.round((low.rate + high.rate) / 20) * 10
      const between = { rate: middle, result: at(middle) }
      if (isOver(middle, between.result)) high = between
      else low = between
    }
    return { carried: low.rate, result: low.result, over: high.result }
  }
  return { carried: low.rate, result: low.result, over: low.result }
}

function isOver(rate: number, { settledPerSecond, beyondModelMs }: ScaleResult): boolean {
  return settledPerSecond < rate * SETTLED_LEAST - CHANCE || beyondModelMs.p50 > BEYOND_MODEL_MS_MOST
}

/** Turns more or less in a second, by chance alone, where few are offered. */
const CHANCE = 10

const HEAD = [
  "replicas",
  "offered/s",
  "settled/s",
  "p50 ms",
  "p99 ms",
  "replica",
  "Postgres",
  "notifying",
  "WAL MB/s",
  "connections",
  "refused/s",
  "full",
]

function line(replicas: number, rate: number, result: ScaleResult): string[] {
  const { beyondModelMs, settledPerSecond, walMbPerSecond, connections, refusedPerSecond, boundBy } = result
  const share = (of: number): string => `${Math.round(of * 100)}%`
  return [
    ...[replicas, rate, settledPerSecond].map((count) => String(Math.round(count))),
    ...[beyondModelMs.p50, beyondModelMs.p99].map((ms) => (Number.isFinite(ms) ? ms.toFixed(0) : "never")),
    ...[result.replicaCpu, result.databaseCpu, result.telling].map(share),
    ...[walMbPerSecond, connections, refusedPerSecond].map((count) => String(Math.round(count))),
    boundBy,
  ]
}
