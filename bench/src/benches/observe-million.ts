import { join } from "node:path"
import { openStore, type Op, type Store } from "@rouse/store"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import { acceptCommit, finishCommit, recordOf, spawnCommit, type TurnRecord } from "../lib/commits.ts"
import { Figures } from "../lib/figures.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"

const ROUNDS = 5
const SECONDS = 1
const COMMITTERS = 16
const AGENTS = 1_000
const OBSERVATIONS = 1_000_000
const OBSERVATIONS_A_COMMIT = 5_000

const SYSTEMS = ["no observation", "1,000,000 observations"] as const
const METRICS = {
  rate: { name: "commits a second", unit: "" },
  cpu: { name: "CPU a commit", unit: "µs" },
  resident: { name: "resident grew by, with both stores open", unit: "MB" },
} as const

/** What a commit costs that none of a million observations asked for. */
export const observeMillion: Bench = {
  name: "observe-million",
  summary: "the commits of a turn that match none of a million observations, against none at all",
  run: (context) => inTemporaryDirectory((directory) => runObserve(context, directory)),
}

interface Side {
  readonly name: string
  readonly store: Store
  readonly records: readonly TurnRecord[]
}

async function runObserve(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures(SYSTEMS[0])
  const sides: Side[] = []
  try {
    for (const name of SYSTEMS) {
      const store = await openStore({ directory: join(directory, String(sides.length)), clock: Date.now })
      const records = Array.from({ length: AGENTS }, (_, n) => recordOf(`e${n}`))
      await Promise.all(records.map((record) => store.commit(spawnCommit(record))))
      sides.push({ name, store, records })
    }
    const before = process.memoryUsage.rss()
    const [, observed] = sides
    if (observed) await observeMany(observed.store, context)
    figures.add(METRICS.resident, SYSTEMS[1], (process.memoryUsage.rss() - before) / 1_048_576)
    for (const side of sides) await measure(side, SECONDS)
    for (let round = 0; round < (context.rounds ?? ROUNDS); round++) {
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        const { rate, cpuUs } = await measure(side, context.seconds ?? SECONDS)
        figures.add(METRICS.rate, side.name, rate)
        figures.add(METRICS.cpu, side.name, cpuUs)
      }
    }
  } finally {
    for (const { store } of sides) await store.close()
  }
  const notes = [
    "At most 1.2 times the CPU of a commit is the aim. Each agent's log is looked up, and is observed by nobody.",
  ]
  return { figures: figures.list(), notes }
}

async function observeMany(store: Store, context: BenchContext): Promise<void> {
  for (let from = 0; from < OBSERVATIONS; from += OBSERVATIONS_A_COMMIT) {
    await store.commit({ ops: Array.from({ length: OBSERVATIONS_A_COMMIT }, (_, n) => observation(from + n)) })
    if (from % 250_000 === 0) context.say(`${from} observations made`)
  }
}

function observation(n: number): Op {
  const record = {
    url: `/watcher/w${n % 100_000}`,
    name: `o${n}`,
    path: `entities/worker/w${n}`,
    filter: { on: ["finished"] },
    debounceMs: 0,
    cursor: null,
    timeoutAtMs: null,
    config: `{"source":"/worker/w${n}"}`,
  }
  return { op: "observation", change: { kind: "put", record, nowMs: Date.now() } }
}

async function measure({ store, records }: Side, seconds: number): Promise<{ rate: number; cpuUs: number }> {
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  const endAt = startedAt + seconds * 1_000
  let commits = 0
  const loop = async (first: number): Promise<void> => {
    for (let n = first; performance.now() < endAt; n = (n + COMMITTERS) % records.length) {
      const record = records[n] as TurnRecord
      await store.commit(acceptCommit(record))
      await store.commit(finishCommit(record))
      commits += 2
    }
  }
  await Promise.all(Array.from({ length: COMMITTERS }, (_, n) => loop(n)))
  const cpu = process.cpuUsage(cpuBefore)
  return { rate: (commits * 1_000) / (performance.now() - startedAt), cpuUs: (cpu.user + cpu.system) / commits }
}
