import { fileURLToPath } from "node:url"
import type { CDPSession } from "playwright-core"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import { withBrowser } from "../lib/browser.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { startRouse } from "../systems/rouse.ts"

const ENTITIES = fileURLToPath(new URL("../programs/page-entities.ts", import.meta.url))
const AGENTS = 10
/** An hour of 200 words a second, for each agent, is 360 such answers. */
const WORDS = 2_000
const ANSWERS = 60
const PACE_MS = 0.5
/** Answers before the first look: all code has run, and every list that has a bound is near it. */
const FIRST = 10
const MB = 1_048_576

const METRICS = {
  first: { name: `heap of the page after ${FIRST} answers of ten agents`, unit: "MB" },
  last: { name: `heap of the page after ${ANSWERS}`, unit: "MB" },
  growth: { name: "  kept for each word that the open agent said", unit: "bytes" },
  nodes: { name: "elements in the page then", unit: "" },
} as const satisfies Record<string, Metric>

/** What a page keeps that is left open while ten agents stream. */
export const pageMemory: Bench = {
  name: "page-memory",
  summary: `the page's heap while ten agents say ${WORDS * ANSWERS} words each, as fast as they come: a sixth of an hour at 200 a second`,
  run: (context) => inTemporaryDirectory((directory) => runPageMemory(context, directory)),
}

async function runPageMemory(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures()
  const child = await startRouse({ program: context.rouse, directory, files: [ENTITIES] })
  try {
    await withBrowser(async (browser) => {
      const connections = await Promise.all(Array.from({ length: AGENTS }, () => Connection.open(child.url)))
      await Promise.all(connections.map((connection, n) => answer(connection, n, 20)))
      const opened = await browser.newPage({ viewport: { width: 1440, height: 900 } })
      await opened.goto(`${child.url}/agents/timed/memory-0`)
      await opened.locator("article[data-item=step]").first().waitFor()
      const session = await opened.context().newCDPSession(opened)
      let first = 0
      for (let round = 1; round <= ANSWERS; round++) {
        await Promise.all(connections.map((connection, n) => answer(connection, n, WORDS)))
        if (round === FIRST) first = await heapOf(session)
        if (round % FIRST === 0) context.say(`${round} of ${ANSWERS} answers`)
      }
      const last = await heapOf(session)
      figures.add(METRICS.first, "rouse", first / MB)
      figures.add(METRICS.last, "rouse", last / MB)
      figures.add(METRICS.growth, "rouse", (last - first) / ((ANSWERS - FIRST) * WORDS))
      figures.add(METRICS.nodes, "rouse", await opened.locator("*").count())
      for (const connection of connections) connection.close()
    })
  } finally {
    await child.stop()
  }
  const notes = [
    "One agent is open, the others are live in the list beside it. The heap is that of the page's scripts after a full collection.",
    "A word is 14 characters: what the open agent said stays, for whoever scrolls back.",
  ]
  return { figures: figures.list(), notes }
}

/** One answer of an agent, until it has settled. */
async function answer(connection: Connection, n: number, words: number): Promise<void> {
  const path = `/v1/entities/timed/memory-${n}`
  const message = `${words} ${PACE_MS}`
  if (words === WORDS)
    await connection.request("POST", `${path}/messages?wait=60s`, JSON.stringify({ content: message }))
  else await connection.request("PUT", `${path}?wait=60s`, JSON.stringify({ message }))
}

async function heapOf(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage")
  const { usedSize } = await session.send("Runtime.getHeapUsage")
  return usedSize
}
