import { openStore, type Store } from "@rouse/store"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import { acceptCommit, finishCommit, recordOf, spawnCommit, type TurnRecord } from "../lib/commits.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { latency } from "../lib/stats.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"

const ROUNDS = 5
const SECONDS = 1.5
const COMMITTERS = [1, 8, 64] as const
const ENTITIES = 1_000

/** The server's two commits of a turn, straight into the store: what a turn would cost if nothing else did. */
export const store: Bench = {
  name: "store",
  summary: "commits a second of the two commits of a turn, by 1, 8 and 64 committers",
  run: (context) => inTemporaryDirectory((directory) => runStore(context, directory)),
}

async function runStore(context: BenchContext, directory: string): Promise<BenchResult> {
  const opened = await openStore({ directory, clock: Date.now })
  const figures = new Figures()
  try {
    const records = await spawnAll(opened)
    await measure(opened, records, 64, SECONDS)
    for (let round = 0; round < (context.rounds ?? ROUNDS); round++) {
      for (const committers of COMMITTERS) {
        const result = await measure(opened, records, committers, context.seconds ?? SECONDS)
        const system = `${committers} committer${committers > 1 ? "s" : ""}`
        for (const [metric, value] of result) figures.add(metric, system, value)
      }
    }
  } finally {
    await opened.close()
  }
  return {
    figures: figures.list(),
    notes: [
      "synchronous=FULL. The process is the bench's own: its CPU has both of the store's threads and the making of the commits.",
    ],
  }
}

async function spawnAll(opened: Store): Promise<TurnRecord[]> {
  const records = Array.from({ length: ENTITIES }, (_, n) => recordOf(`e${n}`))
  await Promise.all(records.map((record) => opened.commit(spawnCommit(record))))
  return records
}

async function measure(
  opened: Store,
  records: readonly TurnRecord[],
  committers: number,
  seconds: number,
): Promise<[Metric, number][]> {
  const samples: number[] = []
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  const endAt = startedAt + seconds * 1_000
  const timed = async (commit: Parameters<Store["commit"]>[0]): Promise<void> => {
    const at = performance.now()
    await opened.commit(commit)
    samples.push(performance.now() - at)
  }
  // Each committer has entities of its own, so that none is in another's way.
  const loop = async (first: number): Promise<void> => {
    for (let n = first; performance.now() < endAt; n = (n + committers) % records.length) {
      const record = records[n] as TurnRecord
      await timed(acceptCommit(record))
      await timed(finishCommit(record))
    }
  }
  await Promise.all(Array.from({ length: committers }, (_, n) => loop(n)))
  const tookMs = performance.now() - startedAt
  const cpu = process.cpuUsage(cpuBefore)
  const { p50, p99 } = latency(Float64Array.from(samples))
  return [
    [{ name: "commits a second", unit: "" }, (samples.length * 1_000) / tookMs],
    [{ name: "one commit, p50", unit: "ms" }, p50],
    [{ name: "one commit, p99", unit: "ms" }, p99],
    [{ name: "CPU a commit", unit: "ms" }, (cpu.user + cpu.system) / 1_000 / samples.length],
  ]
}
