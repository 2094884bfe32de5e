import { fileURLToPath } from "node:url"
import type { Browser, Page } from "playwright-core"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import { withBrowser } from "../lib/browser.ts"
import type { Child } from "../lib/child.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { noted, watchPage } from "../lib/page-watch.ts"
import { percentile } from "../lib/stats.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { rouse, startRouse } from "../systems/rouse.ts"

const ENTITIES = fileURLToPath(new URL("../programs/page-entities.ts", import.meta.url))
const ROUNDS = 3
/** A turn is 9 changes on the log: 10,000 and more in all. */
const TURNS = 1_150
const WORDS_A_SECOND = 200
const SECONDS = 5
const AGENTS = 10

const METRICS = {
  list: { name: "scripts of the first view, compressed", unit: "KB", most: 250 },
  agent: { name: "scripts of an agent, compressed, without Markdown", unit: "KB", most: 250 },
  load: { name: "10,000 events: navigation to interactive", unit: "ms", most: 1_000 },
  word: { name: "word written to painted, p50", unit: "ms", most: 60 },
  wordLate: { name: "word written to painted, p99", unit: "ms" },
  long: { name: "ten agents streaming in one window: longest task", unit: "ms", most: 50 },
  longCount: { name: "ten agents streaming in one window: tasks over 50 ms", unit: "", most: 0 },
  windowsLong: { name: "ten windows, one agent each: longest task", unit: "ms" },
  windowsWord: { name: "ten windows, one agent each: word to paint, p50", unit: "ms" },
} as const satisfies Record<string, Metric>

/** What a person waits for: the page, an agent with a long past, and the next word. */
export const page: Bench = {
  name: "page",
  summary: "the page in Chromium: its scripts, an agent with 10,000 events, words as they stream, ten agents at once",
  run: (context) => inTemporaryDirectory((directory) => runPage(context, directory)),
}

async function runPage(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures()
  const child = await startRouse({ program: context.rouse, directory, files: [ENTITIES] })
  try {
    context.say(`making an agent of ${TURNS} turns`)
    await makeOld(context, child)
    await withBrowser(async (browser) => {
      for (let round = 1; round <= (context.rounds ?? ROUNDS); round++) {
        await scripts(browser, child, figures)
        await load(browser, child, figures)
        await stream(browser, child, figures, round)
        const agents = context.agents ?? AGENTS
        await oneWindow(browser, child, figures, round, agents)
        await windows(browser, child, figures, round, agents)
        context.say(`round ${round} done`)
      }
    })
  } finally {
    await child.stop()
  }
  const notes = [
    "Each page is opened in a browser context of its own, with nothing cached. A word is painted when the frame after it is done.",
    `Words come at ${WORDS_A_SECOND} a second of each agent, of ten windows together, from a model in the server's process; handlers put them on the log every 50 ms at most.`,
    "The browser, the server and the handlers share this machine's cores.",
  ]
  return { figures: figures.list(), notes }
}

async function makeOld(context: BenchContext, child: Child): Promise<void> {
  const connection = await Connection.open(child.url)
  const system = rouse(context.rouse)
  await system.freshTurn(connection, "old")
  for (let turn = 1; turn < TURNS; turn++) await system.turn(connection, "old")
  connection.close()
}

/** A page in a context of its own: nothing is cached, and its connections are its own. */
async function openPage(browser: Browser, url: string, answer: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const opened = await context.newPage()
  await watchPage(opened, answer)
  await opened.goto(url)
  return opened
}

async function scripts(browser: Browser, child: Child, figures: Figures): Promise<void> {
  for (const [metric, path] of [
    [METRICS.list, "/"],
    [METRICS.agent, "/agents/echo/old"],
  ] as const) {
    const opened = await openPage(browser, child.url + path, "")
    await opened.locator("[data-agent-row]").first().waitFor()
    if (path !== "/") await opened.locator("[data-shortcut=composer]").waitFor()
    const bytes = await opened.evaluate(() =>
      performance
        .getEntriesByType("resource")
        .filter(
          (entry): entry is PerformanceResourceTiming => entry.name.endsWith(".js") && !/rich-text/.test(entry.name),
        )
        .reduce((sum, entry) => sum + entry.encodedBodySize, 0),
    )
    figures.add(metric, "rouse", bytes / 1_024)
    await opened.context().close()
  }
}

async function load(browser: Browser, child: Child, figures: Figures): Promise<void> {
  const opened = await openPage(browser, `${child.url}/agents/echo/old`, "")
  await opened.waitForFunction(() => {
    const { interactiveMs } = (globalThis as unknown as { watch: { interactiveMs?: number } }).watch
    return interactiveMs !== undefined && interactiveMs > 0
  })
  figures.add(METRICS.load, "rouse", (await noted(opened)).interactiveMs ?? Number.NaN)
  await opened.context().close()
}

async function stream(browser: Browser, child: Child, figures: Figures, round: number): Promise<void> {
  const opened = await openStreaming(browser, child, `one${round}`)
  const words = await streamed(opened, WORDS_A_SECOND)
  figures.add(METRICS.word, "rouse", percentile(words, 0.5))
  figures.add(METRICS.wordLate, "rouse", percentile(words, 0.99))
  await opened.context().close()
}

/** Agents that stream all at once, live in the list of one window, and one of them open in it. */
async function oneWindow(
  browser: Browser,
  child: Child,
  figures: Figures,
  round: number,
  count: number,
): Promise<void> {
  const opened = await openStreaming(browser, child, `open${round}`)
  const others = Array.from({ length: count - 1 }, async (_, n) => {
    const connection = await Connection.open(child.url)
    const message = `${WORDS_A_SECOND * SECONDS} ${1_000 / WORDS_A_SECOND}`
    await connection.request("PUT", `/v1/entities/timed/beside${round}-${n}?wait=60s`, JSON.stringify({ message }))
    connection.close()
  })
  await Promise.all([streamed(opened, WORDS_A_SECOND), ...others])
  const { longMs } = await noted(opened)
  figures.add(METRICS.long, "rouse", Math.max(0, ...longMs))
  figures.add(METRICS.longCount, "rouse", longMs.length)
  await opened.context().close()
}

/** As many windows, each with an agent of its own, that share the words. */
async function windows(browser: Browser, child: Child, figures: Figures, round: number, count: number): Promise<void> {
  const pages = await Promise.all(
    Array.from({ length: count }, (_, n) => openStreaming(browser, child, `window${round}-${n}`)),
  )
  const words = (await Promise.all(pages.map((one) => streamed(one, WORDS_A_SECOND / count)))).flat()
  const watches = await Promise.all(pages.map(noted))
  figures.add(METRICS.windowsLong, "rouse", Math.max(0, ...watches.flatMap(({ longMs }) => longMs)))
  figures.add(
    METRICS.windowsWord,
    "rouse",
    percentile(
      words.toSorted((a, b) => a - b),
      0.5,
    ),
  )
  await Promise.all(pages.map((opened) => opened.context().close()))
}

/** An agent that has said a little, so that all of the page is there before what is measured begins. */
async function openStreaming(browser: Browser, child: Child, id: string): Promise<Page> {
  const connection = await Connection.open(child.url)
  await connection.request("PUT", `/v1/entities/timed/${id}?wait=20s`, JSON.stringify({ message: "20 5" }))
  connection.close()
  const opened = await openPage(browser, `${child.url}/agents/timed/${id}`, "t")
  await opened.locator("article[data-item=step] .prose-block, article[data-item=step] .prose").first().waitFor()
  await opened.waitForLoadState("load")
  await opened.evaluate(() => {
    const { watch } = globalThis as unknown as { watch: { wordMs: number[]; longMs: number[] } }
    watch.wordMs.length = 0
    watch.longMs.length = 0
  })
  return opened
}

/** What the words of one answer took, in ascending order, milliseconds. */
async function streamed(opened: Page, aSecond: number): Promise<readonly number[]> {
  const count = aSecond * SECONDS
  await opened.locator("[data-shortcut=composer]").fill(`${count} ${1_000 / aSecond}`)
  await opened.keyboard.press("Enter")
  await opened.waitForFunction(
    (expected) => (globalThis as unknown as { watch: { wordMs: number[] } }).watch.wordMs.length >= expected,
    count,
    { timeout: 60_000 },
  )
  return (await noted(opened)).wordMs.toSorted((a, b) => a - b)
}
