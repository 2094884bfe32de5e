import { createClient } from "@rouse/client"
import type { Client } from "@rouse/client"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { buildPage } from "./support/build.ts"
import { openBrowser } from "./support/browser.ts"
import type { TestBrowser } from "./support/browser.ts"
import { seedAgents } from "./support/many-agents.ts"
import { startServer } from "./support/server.ts"
import type { TestServer } from "./support/server.ts"

/** A list of 100,000 agents: narrowed and searched by the server, and no more of it in the page than is seen. */

const COUNT = 100_000

let browser: TestBrowser
let server: TestServer
let client: Client

beforeAll(async () => {
  await buildPage()
  browser = await openBrowser()
  server = await startServer()
  client = createClient({ url: server.url })
  await seedAgents(server, client, COUNT)
})
afterAll(async () => {
  await browser?.close()
  await server?.close()
})

const rows = (page: Page) => page.locator("[data-agent-row]")

test("is searched and narrowed as a whole, at an address that says so", async () => {
  const { page, wrong } = await browser.open(server.url)
  await rows(page).first().waitFor()
  await page.keyboard.press("/")
  await page.keyboard.type("c-99999")
  await expect.poll(() => rows(page).count()).toBe(1)
  expect(await rows(page).getAttribute("data-agent-row")).toBe("/assistant/c-99999")
  await page.waitForURL(/search=c-99999/)
  await page.getByRole("searchbox").fill("tag:tier=gold c-12")
  await expect.poll(() => rows(page).first().getAttribute("data-agent-row")).toMatch(/c-12\d*00$/)
  await page.getByLabel("Type", { exact: true }).selectOption("clerk")
  await page.getByRole("heading", { name: "None like that" }).waitFor()
  await page.getByRole("button", { name: "Show all" }).click()
  await expect.poll(() => rows(page).count()).toBeGreaterThan(5)

  await page.getByLabel("Status", { exact: true }).selectOption("stopped")
  await page.getByRole("heading", { name: "None like that" }).waitFor()
  await page.getByRole("button", { name: "Views" }).click()
  await page.getByRole("menuitem", { name: "Save this view" }).click()
  await page.getByLabel("name").fill("Over")
  await page.getByRole("button", { name: "Save" }).click()
  await page.getByRole("button", { name: "Views" }).click()
  await page.getByRole("menuitem", { name: "All agents" }).click()
  await rows(page).first().waitFor()
  await page.reload()
  await page.getByRole("button", { name: "Views" }).click()
  await page.getByRole("menuitem", { name: "Over" }).click()
  await page.waitForURL(/status=stopped/)
  await page.getByRole("heading", { name: "None like that" }).waitFor()
  expect(wrong).toEqual([])
})

test("is scrolled through with a page that does not grow, and stays live", async () => {
  const { page, wrong } = await browser.open(`${server.url}/?search=c-9`)
  await rows(page).first().waitFor()
  const list = page.locator("ul:has([data-agent-row])").locator("..")
  const loaded = page.locator("section[aria-label=Agents] header h1 + span + span")
  for (let n = 0; n < 30 && !/^[3-9],/.test((await loaded.textContent()) ?? ""); n++) {
    await list.evaluate((box) => box.scrollTo(0, box.scrollHeight))
    await page.waitForTimeout(60)
  }
  expect(await rows(page).count()).toBeLessThan(60)
  expect(await loaded.textContent()).toMatch(/^[3-9],\d{3}\+$/)
  await list.evaluate((box) => box.scrollTo(0, 0))
  await client.spawn("/clerk/c-9-new", { args: { customer: "Ann" } })
  await page.locator("[data-agent-row='/clerk/c-9-new']").waitFor()
  await client.spawn("/clerk/other", { args: { customer: "Bob" } })
  await client.tag("/clerk/c-9-new", { seen: "yes" })
  await page.locator("[data-agent-row='/clerk/c-9-new']").getByText("yes").waitFor()
  expect(await page.locator("[data-agent-row='/clerk/other']").count()).toBe(0)

  // One that came with a later page leaves when it ceases to match.
  await page.goto(`${server.url}/?search=tag:tier=gold`)
  await rows(page).first().waitFor()
  const last = page.locator("[data-agent-row='/assistant/c-99900']")
  for (let n = 0; n < 30 && (await last.count()) === 0; n++) {
    await list.evaluate((box) => box.scrollTo(0, box.scrollHeight))
    await page.waitForTimeout(60)
  }
  const { version: _, ...record } = (await server.store.entity("/assistant/c-99900"))!
  await server.store.commit({ ops: [{ op: "putEntity", record: { ...record, tags: { tier: "silver" } } }] })
  await last.waitFor({ state: "detached" })
  await page.locator("[data-agent-row='/assistant/c-99800']").waitFor()
  expect(wrong).toEqual([])
})
