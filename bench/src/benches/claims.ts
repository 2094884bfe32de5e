import { openStore, type SpaceChange, type SpaceResult, type Store } from "@rouse/store"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { latency } from "../lib/stats.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"

const WORKERS = 1_000
const CLAIMS = 100_000
const INSERTS = 500
const PATH = "shared/work"

const RATE: Metric = { name: "rows claimed and completed", unit: "/s" }
const CPU: Metric = { name: "CPU a row", unit: "µs" }
const P50: Metric = { name: "claim, p50", unit: "ms" }
const P99: Metric = { name: "claim, p99", unit: "ms" }

/** A work queue in one shared space: each row is taken in one commit and completed in another, by workers that all want the next one. */
export const claims: Bench = {
  name: "claims",
  summary: `${WORKERS} workers take and complete ${CLAIMS} rows of one shared space (--agents N: of so many rows)`,
  run: (context) => runClaims(context),
}

async function runClaims(context: BenchContext): Promise<BenchResult> {
  const figures = new Figures()
  const rows = context.agents ?? CLAIMS
  for (let round = 0; round < (context.rounds ?? 1); round++) {
    for (const workers of [1, WORKERS]) {
      const measured = await inTemporaryDirectory((directory) =>
        measure(directory, workers, workers === 1 ? rows / 100 : rows),
      )
      for (const [metric, value] of measured) figures.add(metric, `${workers} worker${workers > 1 ? "s" : ""}`, value)
    }
  }
  return {
    figures: figures.list(),
    notes: [
      "synchronous=FULL. Each row was claimed once and none is left, or the bench fails. CPU is the process's: the store's threads and the workers.",
    ],
  }
}

async function measure(directory: string, workers: number, rows: number): Promise<[Metric, number][]> {
  const store = await openStore({ directory, clock: Date.now })
  try {
    await fill(store, rows)
    const samples: number[] = []
    const claimed = new Set<string>()
    const cpuBefore = process.cpuUsage()
    const startedAt = performance.now()
    await Promise.all(Array.from({ length: workers }, (_, n) => work(store, `w${n}`, claimed, samples)))
    const seconds = (performance.now() - startedAt) / 1_000
    const cpu = process.cpuUsage(cpuBefore)
    if (claimed.size !== rows) throw new Error(`${rows - claimed.size} rows were lost`)
    const { p50, p99 } = latency(Float64Array.from(samples))
    return [
      [RATE, rows / seconds],
      [CPU, (cpu.user + cpu.system) / rows],
      [P50, p50],
      [P99, p99],
    ]
  } finally {
    await store.close()
  }
}

async function change(store: Store, by: SpaceChange): Promise<readonly SpaceResult[]> {
  return (await store.commit({ ops: [{ op: "space", path: PATH, change: by, nowMs: Date.now() }] })).spaces ?? []
}

async function fill(store: Store, rows: number): Promise<void> {
  const definition = { collections: { tasks: { schema: {}, key: "id", indexes: [["kind"]] } } }
  await change(store, { kind: "define", definition, version: 0 })
  for (let from = 0; from < rows; from += INSERTS) {
    const keys = Array.from({ length: Math.min(INSERTS, rows - from) }, (_, n) => `task-${from + n}`)
    const writes = keys.map((key) => {
      const value = JSON.stringify({ id: key, kind: "write", title: "What is to be done, in a sentence or two." })
      return { kind: "insert", collection: "tasks", key, value, rowsMax: rows } as const
    })
    await change(store, { kind: "write", by: "bench", writes })
  }
}

async function work(store: Store, holder: string, claimed: Set<string>, samples: number[]): Promise<void> {
  const asked = { kind: "claim", collection: "tasks", queue: "", limit: 1, holder, heldMax: 10 } as const
  for (let n = 0; ; n++) {
    const at = performance.now()
    const claim = { ...asked, claim: `c${n}`, expiresAtMs: Date.now() + 60_000 }
    const [result] = await change(store, { kind: "write", by: holder, writes: [claim] })
    samples.push(performance.now() - at)
    const row = result?.kind === "claimed" ? result.rows[0] : undefined
    if (row === undefined) return
    if (claimed.has(row.key)) throw new Error(`${row.key} was claimed twice`)
    claimed.add(row.key)
    const { collection, key, token } = row
    await change(store, { kind: "write", by: holder, writes: [{ kind: "complete", collection, key, token }] })
  }
}
