import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { createClient } from "@rouse/client"
import type { Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, expect, test } from "vitest"
import { openBrowser } from "./support/browser.ts"
import type { TestBrowser } from "./support/browser.ts"
import { buildPage } from "./support/build.ts"
import { startServer } from "./support/server.ts"
import type { TestServer } from "./support/server.ts"

/** Two people in browsers of their own, one at a terminal, and three agents, all on one agent at once. */

const SESSION = "/assistant/session"
const AGENTS = ["/assistant/x", "/assistant/y", "/assistant/z"] as const
const ROUNDS = 3
const COMMAND = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url))

let browsers: readonly TestBrowser[] = []
let server: TestServer
const processes: ChildProcess[] = []

beforeAll(async () => {
  expect(existsSync(COMMAND)).toBe(true)
  await buildPage()
  browsers = await Promise.all([openBrowser(), openBrowser()])
  server = await startServer()
})
afterEach(() => {
  for (const child of processes.splice(0)) child.kill("SIGKILL")
})
afterAll(async () => {
  for (const browser of browsers) await browser.close()
  await server?.close()
})

interface Terminal {
  readonly out: () => string
  readonly ended: Promise<number | null>
}

function rouse(...args: readonly string[]): Terminal {
  const child = spawn(process.execPath, ["--conditions=@rouse/source", COMMAND, ...args], {
    env: { PATH: process.env["PATH"] ?? "", NO_COLOR: "1", ROUSE_URL: server.url },
    stdio: ["ignore", "pipe", "inherit"],
  })
  processes.push(child)
  let out = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text))
  return { out: () => out, ended: new Promise((settle) => child.once("close", settle)) }
}

async function openSession(browser: TestBrowser): Promise<Page> {
  const { page } = await browser.open(`${server.url}/agents${SESSION}`)
  await page.locator("[data-shortcut=composer]").waitFor()
  return page
}

async function say(page: Page, who: string): Promise<void> {
  const composer = page.locator("[data-shortcut=composer]")
  for (let n = 0; n < ROUNDS; n++) {
    await composer.fill(`/say ${tokenOf(who, n)}`)
    await composer.press("Enter")
    await expect.poll(() => composer.inputValue(), { timeout: 20_000 }).toBe("")
  }
}

const tokenOf = (who: string, n: number): string => `word-${who}-${n}`

/** Everything that was said, in the order in which it is shown. */
function wordsIn(text: string): readonly string[] {
  return text.match(/(?:\/say )?word-[a-z]+-\d/g) ?? []
}

/** With what is out of sight, which has no rendered text. */
const timelineOf = async (page: Page): Promise<readonly string[]> =>
  wordsIn((await page.getByRole("region", { name: "Timeline" }).textContent()) ?? "")

const asked = (words: readonly string[]): readonly string[] => words.filter((word) => word.startsWith("/say "))
const answered = (words: readonly string[]): readonly string[] => words.filter((word) => !word.startsWith("/say "))

test("two people, a terminal and three agents on one agent at once end with the same timeline", async () => {
  const client = createClient({ url: server.url })
  for (const url of [SESSION, ...AGENTS]) await client.spawn(url)
  const [ann, bob] = (await Promise.all(browsers.map(openSession))) as [Page, Page]
  const watched = rouse("watch", SESSION)
  await Promise.all([
    say(ann, "ann"),
    say(bob, "bob"),
    ...Array.from({ length: ROUNDS }, (_, n) => rouse("send", SESSION, `/say ${tokenOf("terminal", n)}`).ended),
    ...AGENTS.map(async (url) => {
      for (let n = 0; n < ROUNDS; n++) {
        const message = JSON.stringify({ to: SESSION, content: `/say ${tokenOf(url.slice(-1), n)}` })
        await client.ask(url, `/call send ${message}\n/then\n/say sent`)
      }
    }),
  ])
  const everything = ["ann", "bob", "terminal", "x", "y", "z"].flatMap((who) =>
    Array.from({ length: ROUNDS }, (_, n) => `/say ${tokenOf(who, n)}`),
  )
  const sorted = (words: readonly string[]): readonly string[] => words.toSorted()
  await expect.poll(async () => (await client.get(SESSION)).status, { timeout: 20_000 }).toBe("idle")
  await expect.poll(async () => sorted(asked(await timelineOf(ann))), { timeout: 20_000 }).toEqual(sorted(everything))
  await expect.poll(() => timelineOf(bob), { timeout: 20_000 }).toEqual(await timelineOf(ann))
  const seen = await timelineOf(ann)
  await expect.poll(() => asked(wordsIn(watched.out())), { timeout: 20_000 }).toEqual(asked(seen))
  await expect.poll(() => answered(wordsIn(watched.out())), { timeout: 20_000 }).toEqual(answered(seen))
  expect(answered(seen).length).toBeGreaterThan(0)
}, 90_000)
