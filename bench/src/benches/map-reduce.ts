import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { profileArgs, startRouse } from "../systems/rouse.ts"

const FILE = fileURLToPath(new URL("../../../examples/patterns/map-reduce.ts", import.meta.url))
const ROUNDS = 3
const CHILDREN = 1_000
/** What the count must say of each document. */
const TEXT = "Owls hoot at night."

const of = "rouse"
const METRICS = {
  total: { name: "1,000 documents → one count", unit: "ms", most: 5_000, of },
  cpu: { name: "CPU of the server for each child", unit: "ms" },
} as const satisfies Record<string, Metric>

/** What it takes to have a thousand children do something, and to make one answer of it. */
export const mapReduce: Bench = {
  name: "map-reduce",
  summary: "examples/patterns/map-reduce.ts with 1,000 children on the offline model, from the message to the reply",
  run: (context) => inTemporaryDirectory((directory) => runMapReduce(context, directory)),
}

async function runMapReduce(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures()
  const data = join(directory, "data")
  await mkdir(data)
  const child = await startRouse({ program: context.rouse, directory: data, files: [FILE], nodeArgs: profileArgs() })
  try {
    const connection = await Connection.open(child.url)
    // The first one is for the code to be loaded.
    for (let round = 0; round <= (context.rounds ?? ROUNDS); round++) {
      const measured = await measure(child, connection, round)
      if (round === 0) continue
      for (const [metric, value] of measured) figures.add(metric, of, value)
    }
    connection.close()
  } finally {
    await child.stop()
  }
  return { figures: figures.list(), notes: [] }
}

async function measure(child: Child, connection: Connection, round: number): Promise<[Metric, number][]> {
  const path = `/v1/entities/word-count/r${round}`
  await connection.json("PUT", path, {})
  const cpuBefore = child.cpuMs
  const startedAt = performance.now()
  const content = Array.from({ length: CHILDREN }, () => TEXT)
  const { reply } = await connection.json<{ readonly reply: Readonly<Record<string, number>> | null }>(
    "POST",
    `${path}/messages?wait=60s`,
    { content },
  )
  if (reply?.["owls"] !== CHILDREN) throw new Error(`the count is ${JSON.stringify(reply)}`)
  return [
    [METRICS.total, performance.now() - startedAt],
    [METRICS.cpu, (child.cpuMs - cpuBefore) / CHILDREN],
  ]
}
