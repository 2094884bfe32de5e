import { tool } from "@rouse/agents"
import { codeTool } from "@rouse/agents/code"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { latency } from "../lib/stats.ts"

const ROUNDS = 5
const CALLS = 1_000
const MB = 2 ** 20

const START: Metric = { name: "start to first instruction, p50", unit: "ms", most: 5, of: "codeTool" }
const START_P99: Metric = { name: "start to first instruction, p99", unit: "ms" }
const WHOLE: Metric = { name: "one call, p50", unit: "ms" }
const CPU: Metric = { name: "CPU a call", unit: "ms" }
const GROWTH: Metric = { name: `memory kept after ${CALLS} calls`, unit: "MB", most: 16, of: "codeTool" }

/** Scripts in the isolate: how soon they run, and what is left of them. */
export const code: Bench = {
  name: "code",
  summary: `${CALLS} scripts in the isolate, one after the other: start, CPU, memory that is kept`,
  run: runCode,
}

async function runCode(context: BenchContext): Promise<BenchResult> {
  const figures = new Figures()
  const script = started()
  const firstAt = performance.now()
  await script.run()
  const coldMs = script.beganAt - firstAt
  for (let warm = 0; warm < CALLS; warm++) await script.run()
  for (let round = 0; round < (context.rounds ?? ROUNDS); round++) {
    for (const [metric, value] of await measure(script)) figures.add(metric, "codeTool", value)
  }
  return {
    figures: figures.list(),
    notes: [
      `The first call of the process, which loads and compiles the engine, began its script after ${coldMs.toFixed(1)} ms.`,
      "The script's first instruction calls a tool, which notes the time. Memory is the process's, after a collection where node has --expose-gc.",
    ],
  }
}

async function measure(script: ReturnType<typeof started>): Promise<[Metric, number][]> {
  const starts: number[] = []
  const wholes: number[] = []
  const before = memory()
  const cpuBefore = process.cpuUsage()
  for (let call = 0; call < CALLS; call++) {
    const at = performance.now()
    await script.run()
    starts.push(script.beganAt - at)
    wholes.push(performance.now() - at)
  }
  const cpu = process.cpuUsage(cpuBefore)
  const start = latency(Float64Array.from(starts))
  return [
    [START, start.p50],
    [START_P99, start.p99],
    [WHOLE, latency(Float64Array.from(wholes)).p50],
    [CPU, (cpu.user + cpu.system) / 1_000 / CALLS],
    [GROWTH, Math.max(0, (memory() - before) / MB)],
  ]
}

/** A script that says when it began, allocates a little, and returns. */
function started(): { beganAt: number; run(): Promise<unknown> } {
  const controller = new AbortController()
  const state = { beganAt: 0, run }
  const began = tool({
    name: "began",
    description: "Notes the time",
    input: { "~standard": { version: 1, vendor: "bench", validate: (value) => ({ value }) } },
    inputSchema: { type: "object" },
    effect: "pure",
    execute: () => {
      state.beganAt = performance.now()
      return null
    },
  })
  const made = codeTool({ tools: [began] })
  const input = {
    code: "const done = tools.began(); const rows = Array.from({ length: 100 }, (_, n) => ({ n })); await done; return rows.length",
  }
  let calls = 0
  async function run(): Promise<unknown> {
    calls += 1
    return await made.execute(input, {
      idempotencyKey: `bench/${calls}`,
      signal: controller.signal,
      attempt: 1,
    } as never)
  }
  return state
}

function memory(): number {
  ;(globalThis as { gc?: () => void }).gc?.()
  return process.memoryUsage().rss
}
