import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { median } from "../lib/stats.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { bytesRead } from "../lib/usage.ts"
import { rouse, startRouse } from "../systems/rouse.ts"

const ROUNDS = 3
/** Agents of each kind, side by side. */
const AGENTS = 8
/** A turn is 9 changes on the log: 10,000 and more in all. */
const TURNS = 1_150
const PHASE = 3

const of = "10,000 events"
const METRICS = {
  cold: { name: "first turn after a restart, p50", unit: "ms" },
  coldRatio: { name: "  its time to a new agent's", unit: "×", most: 2, of },
  read: { name: "bytes read by that turn", unit: "KB" },
  readRatio: { name: "  its bytes to a new agent's", unit: "×", most: 2, of },
} as const satisfies Record<string, Metric>

/** What history costs: a wake reads what is live, and what is live is bounded by compaction as the defaults do it. */
export const history: Bench = {
  name: "history",
  summary: "a turn of agents with 10,000 events behind them against that of new ones",
  run: (context) => inTemporaryDirectory((directory) => runHistory(context, directory)),
}

async function runHistory(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures()
  for (let round = 1; round <= (context.rounds ?? ROUNDS); round++) {
    const data = join(directory, `round${round}`)
    await mkdir(data)
    await onServer(context, data, (child) => make(context, child))
    await onServer(context, data, (child) => cold(context, child, figures))
    context.say(`round ${round} done`)
  }
  const notes = [
    `${AGENTS} agents of each kind, the offline model, defaults. A new agent has one settled turn.`,
    "Bytes read are those of all read calls of the server's process during the turn: database, its log, and the request.",
  ]
  return { figures: figures.list(), notes }
}

async function onServer(
  context: BenchContext,
  directory: string,
  work: (child: Child) => Promise<void>,
): Promise<void> {
  const child = await startRouse({ program: context.rouse, directory })
  try {
    await work(child)
  } finally {
    await child.stop()
  }
}

async function make(context: BenchContext, child: Child): Promise<void> {
  const system = rouse(context.rouse)
  context.say(`making ${AGENTS} agents of ${TURNS} turns`)
  const agents = Array.from({ length: AGENTS }, async (_, n) => {
    const connection = await Connection.open(child.url)
    await system.freshTurn(connection, `new${n}`)
    await system.freshTurn(connection, `old${n}`)
    // Some have just been compacted, and some are about to be.
    for (let turn = 1; turn < TURNS + PHASE * n; turn++) await system.turn(connection, `old${n}`)
    // What warms the server up before others are measured.
    await system.freshTurn(connection, `warm${n}`)
    connection.close()
  })
  await Promise.all(agents)
}

/** New and old agents by turns, so that the server is as warm for the ones as for the others. */
async function cold(context: BenchContext, child: Child, figures: Figures): Promise<void> {
  const system = rouse(context.rouse)
  const connection = await Connection.open(child.url)
  for (let n = 0; n < AGENTS; n++) await timed(() => system.turn(connection, `warm${n}`))
  const took: Record<string, number[]> = { new: [], old: [] }
  const read: Record<string, number[]> = { new: [], old: [] }
  for (let n = 0; n < AGENTS; n++) {
    for (const kind of n % 2 === 0 ? ["new", "old"] : ["old", "new"]) {
      const before = bytesRead(child.pid)
      took[kind]?.push(await timed(() => system.turn(connection, `${kind}${n}`)))
      read[kind]?.push((bytesRead(child.pid) - before) / 1_024)
    }
  }
  connection.close()
  const [newMs, oldMs] = [median(took["new"] ?? []), median(took["old"] ?? [])]
  const [newKb, oldKb] = [median(read["new"] ?? []), median(read["old"] ?? [])]
  figures.add(METRICS.cold, "new agent", newMs)
  figures.add(METRICS.cold, of, oldMs)
  figures.add(METRICS.coldRatio, of, oldMs / newMs)
  figures.add(METRICS.read, "new agent", newKb)
  figures.add(METRICS.read, of, oldKb)
  figures.add(METRICS.readRatio, of, oldKb / newKb)
}

async function timed(work: () => Promise<void>): Promise<number> {
  const at = performance.now()
  await work()
  return performance.now() - at
}
