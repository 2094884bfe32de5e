import { fileURLToPath } from "node:url"
import type { Bench } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import type { Metric } from "../lib/figures.ts"
import type { Connection } from "../lib/http.ts"
import { inRounds } from "../lib/rounds.ts"

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
  run: async (context) => ({
    figures: (await inRounds(context, { of, file: FILE, rounds: ROUNDS, measure })).list(),
    notes: [],
  }),
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
