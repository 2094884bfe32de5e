import { createClient } from "@rouse/client"
import type { Client } from "@rouse/client"
import type { Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest"
import { buildPage } from "./support/build.ts"
import { openBrowser } from "./support/browser.ts"
import type { TestBrowser } from "./support/browser.ts"
import { startServer } from "./support/server.ts"
import type { TestServer } from "./support/server.ts"

/** An agent through time and beside others: its past, its rows, its forks, its tree. */

let browser: TestBrowser
let server: TestServer
let client: Client

beforeAll(async () => {
  await buildPage()
  browser = await openBrowser()
})
afterAll(() => browser?.close())
beforeEach(async () => {
  server = await startServer()
  client = createClient({ url: server.url })
})
afterEach(async () => {
  await browser.clear()
  await server?.close()
})

const ONE = "/assistant/one"
const timeline = (page: Page) => page.getByRole("region", { name: "Timeline" })
const said = (page: Page) => timeline(page).locator("article[data-item=step] .prose")

async function spoken(...answers: readonly string[]): Promise<void> {
  await client.spawn(ONE)
  for (const answer of answers) await client.ask(ONE, `/say ${answer}`)
}

test("the slider moves the whole page through time, and back to now", async () => {
  await spoken("first", "second", "third")
  const { page, wrong } = await browser.open(`${server.url}/agents${ONE}`)
  await timeline(page).getByText("third", { exact: true }).waitFor()
  await page.keyboard.press("h")
  const moment = page.getByRole("slider", { name: "Moment" })
  await moment.waitFor()
  await page.waitForURL(/at=/)
  expect(await page.locator("[data-shortcut=composer]").count()).toBe(0)
  const last = Number(await moment.getAttribute("max"))
  expect(last).toBeGreaterThan(5)

  await moment.fill("0")
  await expect.poll(() => said(page).count()).toBe(0)
  await moment.fill(String(last))
  await expect.poll(() => said(page).count()).toBe(3)
  for (let n = last; n > 0 && (await said(page).count()) !== 2; n--) {
    await page.keyboard.press("[")
    await expect.poll(() => moment.inputValue()).toBe(String(n - 1))
    await page.locator("section[aria-label=Time][aria-busy=false]").waitFor()
  }
  await expect.poll(() => said(page).allTextContents()).toEqual(["first", "second"])

  const there = page.url()
  await page.getByRole("tab", { name: "State" }).click()
  await page.getByRole("group", { name: "Collections", exact: true }).getByRole("button", { name: /^run/ }).click()
  await expect.poll(() => page.getByRole("region", { name: "Rows of run" }).getByRole("row").count()).toBe(3)

  await client.ask(ONE, "/say fourth")
  await page.goto(there)
  await expect.poll(() => said(page).allTextContents()).toEqual(["first", "second"])
  await page.getByRole("button", { name: "Now", exact: true }).click()
  await expect.poll(() => said(page).allTextContents()).toEqual(["first", "second", "third", "fourth"])
  expect(page.url()).not.toContain("at=")
  expect(wrong).toEqual([])
})

test("a fork from a point of the past stands beside what it was forked from", async () => {
  await spoken("first", "second")
  const { batches } = await client.log(ONE, { collection: "run" })
  const point = batches.find(({ events }) => events.some(({ value }) => (value as { endedAt?: string }).endedAt))!
  const { page, wrong } = await browser.open(`${server.url}/agents${ONE}?at=${point.offset}`)
  await expect.poll(() => said(page).allTextContents()).toEqual(["first"])
  await page.getByRole("button", { name: "Fork from here" }).click()
  const dialog = page.getByRole("dialog", { name: `Fork ${ONE}` })
  await dialog.getByLabel("Id").fill("two")
  await dialog.getByLabel("Message").fill("/say otherwise")
  await dialog.getByRole("button", { name: "Fork", exact: true }).click()
  await page.waitForURL(/assistant\/two\?view=compare/)
  const original = page.getByRole("region", { name: ONE, exact: true })
  const fork = page.getByRole("region", { name: "/assistant/two", exact: true })
  await original.getByText("second", { exact: true }).waitFor()
  await fork.getByText("otherwise", { exact: true }).waitFor()
  expect(await original.getByText("first", { exact: true }).count()).toBe(0)
  await page.getByRole("button", { name: /in common/ }).click()
  await page.getByRole("region", { name: "Comparison" }).getByText("first", { exact: true }).waitFor()
  expect(wrong).toEqual([])
})

test("a row tells its history, and leads to any moment of it", async () => {
  await client.spawn(ONE)
  await client.ask(ONE, '/call add {"a":2,"b":3}\n/then\n/say done')
  const { page, wrong } = await browser.open(`${server.url}/agents${ONE}?view=state&collection=tool_call`)
  await page.getByRole("region", { name: "Rows of tool_call" }).getByRole("row").nth(1).click()
  const row = page.getByRole("complementary", { name: /^Row / })
  await row.getByText("insert", { exact: true }).waitFor()
  await expect.poll(() => row.getByText("update", { exact: true }).count()).toBeGreaterThan(0)
  await row.getByRole("button", { name: "Look at this moment" }).last().click()
  await page.waitForURL(/at=/)
  const cells = page.getByRole("region", { name: "Rows of tool_call" }).getByRole("row").nth(1)
  await cells.getByText("done", { exact: true }).waitFor({ state: "detached" })
  await cells.getByText("add", { exact: true }).waitFor()
  expect(wrong).toEqual([])
})

test("the tree shows who is whose child and who writes to whom, and leads there", async () => {
  await client.spawn("/assistant/lead")
  for (const id of ["reader", "writer"]) await client.spawn(`/assistant/${id}`, { parent: "/assistant/lead" })
  await client.spawn("/assistant/intern", { parent: "/assistant/writer" })
  await client.ask("/assistant/reader", '/call send {"to":"/assistant/writer","content":"Look"}\n/then\n/say sent')
  const { page, wrong } = await browser.open(`${server.url}/agents/assistant/intern?view=tree`)
  const node = (url: string) => page.getByLabel(new RegExp(`^${url}, `))
  for (const id of ["lead", "reader", "writer", "intern"]) await node(`/assistant/${id}`).waitFor()
  await page.getByText("4 agents").waitFor()
  const top = async (id: string) => (await node(`/assistant/${id}`).boundingBox())!.y
  expect(await top("lead")).toBeLessThan(await top("writer"))
  expect(await top("writer")).toBeLessThan(await top("intern"))
  await page.getByLabel("1 messages from /assistant/reader to /assistant/writer").waitFor({ state: "attached" })
  await node("/assistant/writer").click()
  await page.waitForURL(/assistant\/writer\?view=tree/)
  expect(wrong).toEqual([])
})

test("a long log is opened from its rows, and read back from its end", async () => {
  await client.spawn(ONE)
  for (let n = 0; n < 60; n++) await client.ask(ONE, `/say answer ${n}\n/then\n/say and more`)
  const read: string[] = []
  const { page, wrong } = await browser.open(server.url)
  page.on("request", (request) => read.push(request.url()))
  await page.locator(`[data-agent-row='${ONE}']`).click()
  await timeline(page).getByText("answer 59", { exact: true }).waitFor()
  expect(read.some((url) => url.includes("snapshot=true"))).toBe(true)
  const log = page.getByRole("region", { name: "Events of the log" })
  await log.getByText("completed", { exact: false }).first().waitFor()
  await client.ask(ONE, "/say the newest")
  await timeline(page).getByText("the newest", { exact: true }).waitFor()
  await log.getByText("the newest").first().waitFor()
  const count = page.locator("aside[aria-label=Log] h2 + span")
  await log.hover()
  for (let n = 0; n < 40 && (await count.textContent())!.includes("+"); n++) {
    await page.mouse.wheel(0, -4_000)
    await page.waitForTimeout(50)
  }
  const all = []
  for await (const { events } of client.observe(ONE, { live: false })) all.push(...events)
  await expect.poll(() => count.textContent()).toBe(new Intl.NumberFormat("en-US").format(all.length))
  expect(wrong).toEqual([])
})
