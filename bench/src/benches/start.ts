import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { storesNothing } from "../systems/baselines.ts"
import { rouse, startRouse } from "../systems/rouse.ts"

const ROUNDS = 7
const of = "rouse"
const METRICS = {
  ready: { name: "spawn → ready line", unit: "ms", most: 500, of },
  readyz: { name: "spawn → /readyz answers 200", unit: "ms", most: 500, of },
  firstTurn: { name: "spawn → first turn settled", unit: "ms" },
  resident: { name: "resident when ready", unit: "MB" },
  cpu: { name: "CPU until ready", unit: "ms" },
} as const satisfies Record<string, Metric>

interface Starter {
  readonly name: string
  start(directory: string): Promise<Child>
  readonly readyPath?: string
  firstTurn?(connection: Connection): Promise<void>
}

/** From the spawn of a process on an empty directory until it is of use. */
export const start: Bench = {
  name: "start",
  summary: "`rouse start` on an empty directory, from spawn to ready and to the first turn",
  run: (context) => inTemporaryDirectory((directory) => runStart(context, directory)),
}

async function runStart(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures(storesNothing.name)
  const starters = startersOf(context)
  for (let round = 0; round < (context.rounds ?? ROUNDS); round++) {
    for (const starter of starters) await measure(starter, join(directory, `${starter.name} ${round}`), figures)
  }
  const notes = [
    `"rouse" is \`rouse start\` in an empty directory, with no entity files; "rouse with agents" also loads a TypeScript file of two.`,
    "The page's cache is warm: the programs were read before.",
  ]
  return { figures: figures.list(), notes }
}

function startersOf({ rouse: program, against }: BenchContext): Starter[] {
  const withAgents = rouse(program, "rouse with agents")
  const nothing: Starter = { ...storesNothing, firstTurn: (connection) => storesNothing.freshTurn(connection, "one") }
  const bare = (name: string, main: string): Starter => ({
    name,
    start: (directory) => startRouse({ program: main, directory, files: [] }),
    readyPath: "/readyz",
  })
  const agents: Starter = {
    ...withAgents,
    readyPath: "/readyz",
    firstTurn: (connection) => withAgents.freshTurn(connection, "one"),
  }
  return [nothing, bare("rouse", program), agents, ...(against === undefined ? [] : [bare("rouse (against)", against)])]
}

async function measure(starter: Starter, directory: string, figures: Figures): Promise<void> {
  await mkdir(directory)
  const startedAt = performance.now()
  const child = await starter.start(directory)
  try {
    const add = (metric: Metric, value: number): void => figures.add(metric, starter.name, value)
    add(METRICS.ready, child.readyMs)
    const connection = await Connection.open(child.url)
    if (starter.readyPath !== undefined) {
      const { status } = await connection.request("GET", starter.readyPath)
      if (status !== 200)
        throw new Error(`${starter.name}: ${starter.readyPath} answered ${status} after the ready line`)
      add(METRICS.readyz, performance.now() - startedAt)
    }
    add(METRICS.resident, child.residentMb)
    add(METRICS.cpu, child.cpuMs)
    await starter.firstTurn?.(connection)
    if (starter.firstTurn) add(METRICS.firstTurn, performance.now() - startedAt)
    connection.close()
  } finally {
    await child.stop()
  }
}
