import { fileURLToPath } from "node:url"
import type { Bench } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import type { Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { inRounds } from "../lib/rounds.ts"

const FILE = fileURLToPath(new URL("../programs/observe-entities.ts", import.meta.url))
const ROUNDS = 5
const AGENTS = 1_000
const CLIENTS = 16
const LOOK_MS = 20
const TOLD_MS_MAX = 60_000
const STREAM = "/v1/stream/news"

const of = "rouse"
const METRICS = {
  told: { name: "change → all 1,000 roused and done", unit: "ms", most: 1_500, of },
  append: { name: "the append itself", unit: "ms" },
  cpu: { name: "CPU of the server for each", unit: "ms" },
} as const satisfies Record<string, Metric>

/** What one change costs that a thousand agents observe. */
export const fanOut: Bench = {
  name: "fan-out",
  summary: "one change to a stream that 1,000 agents observe: until all were roused and are done",
  run: async (context) => ({
    figures: (await inRounds(context, { of, file: FILE, rounds: ROUNDS, prepare, measure })).list(),
    notes: [`Seen by a look at the newest agents every ${LOOK_MS} ms, which is among the server's CPU.`],
  }),
}

async function prepare(child: Child, news: Connection): Promise<void> {
  await news.request("PUT", STREAM, "[]")
  let next = 0
  const lanes = Array.from({ length: CLIENTS }, async () => {
    const connection = await Connection.open(child.url)
    while (next < AGENTS) {
      const path = `/v1/entities/watcher/w${next++}`
      await connection.json("PUT", path, {})
      await connection.json("POST", `${path}/observations`, { source: "news" })
    }
    connection.close()
  })
  await Promise.all(lanes)
}

/** The first round is the first change. */
async function measure(child: Child, connection: Connection, round: number): Promise<[Metric, number][]> {
  const cpuBefore = child.cpuMs
  const startedAt = performance.now()
  const answer = await connection.request("POST", STREAM, JSON.stringify([{ round }]))
  if (answer.status >= 300) throw new Error(`the append was answered ${answer.status}`)
  const appendedAt = performance.now()
  await untilAll(connection, round + 1)
  return [
    [METRICS.told, performance.now() - startedAt],
    [METRICS.append, appendedAt - startedAt],
    [METRICS.cpu, (child.cpuMs - cpuBefore) / AGENTS],
  ]
}

/** Until every agent has settled as many messages as there were changes: of each, one run. */
async function untilAll(connection: Connection, round: number): Promise<void> {
  const until = performance.now() + TOLD_MS_MAX
  for (let done = 0; done < AGENTS;) {
    const path = `/v1/entities/watcher/w${done}`
    const { status, pending, collections } = await connection.json<{
      readonly status: string
      readonly pending: number
      readonly collections: Readonly<Record<string, number>>
    }>("GET", path)
    if (status === "idle" && pending === 0 && (collections["run"] ?? 0) >= round) done += 1
    else if (performance.now() > until) throw new Error(`not all were told in ${TOLD_MS_MAX} ms`)
    else await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
