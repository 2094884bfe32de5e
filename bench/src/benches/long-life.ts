import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { median } from "../lib/stats.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { profileArgs, rouse, startRouse } from "../systems/rouse.ts"

const FILES = ["../programs/entities.ts", "../programs/step-entities.ts"].map((file) =>
  fileURLToPath(new URL(file, import.meta.url)),
)

const ROUNDS = 3
/** Turns of one agent that are compared: around its 10th, and its 2,000th. */
const EARLY = { from: 6, to: 15 }
const LATE = { from: 1_951, to: 2_050 }
/** Of the agent that keeps everything: turns at whose end it is measured, and how many around each. */
const KEPT_AT = [500, 1_000, 1_500, 2_000]
const AROUND = 40
const MICROSECONDS = 1_000

const of = "compacted"
const kept = "everything kept"
const METRICS = {
  early: { name: "turns 6 to 15, p50", unit: "ms" },
  late: { name: "turns 1,951 to 2,050, p50", unit: "ms" },
  ratio: { name: "  to turns 6 to 15", unit: "×", most: 1.5, of },
  slope: { name: "a turn for each earlier one", unit: "µs" },
  bend: { name: "  second half's slope to the first's", unit: "×", most: 1.5, of: kept },
} as const satisfies Record<string, Metric>

/** What an agent's age costs: nothing with compaction as it is by default, and as much as its live conversation without. */
export const longLife: Bench = {
  name: "long-life",
  summary: "the 2,000th message to one agent against its 10th; and without compaction, what each earlier turn costs",
  run: (context) => inTemporaryDirectory((directory) => runLongLife(context, directory)),
}

async function runLongLife(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures()
  for (let round = 1; round <= (context.rounds ?? ROUNDS); round++) {
    const data = join(directory, `round${round}`)
    await mkdir(data)
    const options = { program: context.rouse, directory: data, files: FILES, nodeArgs: profileArgs() }
    const child = await startRouse(options)
    try {
      await compacted(context, child, figures)
      await everythingKept(context, child, figures)
    } finally {
      await child.stop()
    }
    context.say(`round ${round} done`)
  }
  const notes = [
    "One agent that only grows, a turn at a time over one connection, with the offline model: what grows is reading, projecting and sending the conversation.",
    "Without compaction a turn costs in proportion to the turns before it: linear when the slope of the second thousand is that of the first.",
  ]
  return { figures: figures.list(), notes }
}

/** The late turns and others' early ones by turns, so that what the machine does meanwhile meets both. */
async function compacted(context: BenchContext, child: Child, figures: Figures): Promise<void> {
  const system = rouse(context.rouse)
  const connection = await Connection.open(child.url)
  await system.freshTurn(connection, "one")
  for (let turn = 2; turn < LATE.from; turn++) await system.turn(connection, "one")
  const [early, late]: [number[], number[]] = [[], []]
  const others = (LATE.to - LATE.from + 1) / (EARLY.to - EARLY.from + 1)
  for (let n = 0; n < others; n++) {
    await system.freshTurn(connection, `other${n}`)
    for (let turn = 2; turn < EARLY.from; turn++) await system.turn(connection, `other${n}`)
    for (let turn = EARLY.from; turn <= EARLY.to; turn++) {
      early.push(await timed(() => system.turn(connection, `other${n}`)))
      late.push(await timed(() => system.turn(connection, "one")))
    }
  }
  connection.close()
  figures.add(METRICS.early, of, median(early))
  figures.add(METRICS.late, of, median(late))
  figures.add(METRICS.ratio, of, median(late) / median(early))
}

async function everythingKept(context: BenchContext, child: Child, figures: Figures): Promise<void> {
  const system = rouse(context.rouse, kept, "keeping")
  const connection = await Connection.open(child.url)
  await system.freshTurn(connection, "one")
  const early: number[] = []
  for (let turn = 2; turn <= EARLY.to; turn++) {
    const took = await timed(() => system.turn(connection, "one"))
    if (turn >= EARLY.from) early.push(took)
  }
  const at: number[] = []
  let turn = EARLY.to
  for (const end of KEPT_AT) {
    const took: number[] = []
    for (; turn < end; turn++) took.push(await timed(() => system.turn(connection, "one")))
    at.push(median(took.slice(-AROUND)))
  }
  connection.close()
  figures.add(METRICS.early, kept, median(early))
  figures.add(METRICS.late, kept, at.at(-1) ?? Number.NaN)
  figures.add(METRICS.slope, kept, slopeOf(at, 0, KEPT_AT.length - 1))
  figures.add(METRICS.bend, kept, slopeOf(at, 2, 3) / slopeOf(at, 0, 1))
}

/** Microseconds that each turn between two of the measured points adds. */
function slopeOf(at: readonly number[], from: number, to: number): number {
  const turns = (KEPT_AT[to] ?? 0) - (KEPT_AT[from] ?? 0)
  return (((at[to] ?? 0) - (at[from] ?? 0)) * MICROSECONDS) / turns
}

async function timed(work: () => Promise<void>): Promise<number> {
  const at = performance.now()
  await work()
  return performance.now() - at
}
