import { createClient } from "@rouse/client"
import type { Client } from "@rouse/client"
import type { Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest"
import { buildPage } from "./support/build.ts"
import { openBrowser } from "./support/browser.ts"
import type { TestBrowser } from "./support/browser.ts"
import { startServer } from "./support/server.ts"
import type { TestServer } from "./support/server.ts"

/** Several people, and a server that goes away, at one agent. */

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
const items = (page: Page) => page.locator("article[data-item]")
const said = (page: Page, text: string) =>
  page.getByRole("region", { name: "Timeline" }).locator(".prose").getByText(text, { exact: true })
const composer = (page: Page) => page.locator("[data-shortcut=composer]")

async function write(page: Page, text: string): Promise<void> {
  await composer(page).fill(text)
  await page.keyboard.press("Enter")
}

test("two people at one agent see the same, and what each does is there for the other", async () => {
  await client.spawn(ONE)
  const [{ page: ann }, { page: bob }] = [
    await browser.open(`${server.url}/agents${ONE}`),
    await browser.open(`${server.url}/agents${ONE}`),
  ]
  await write(ann, '/call refund {"order":"7","cents":900}\n/then\n/say Done.')
  await bob.getByRole("button", { name: "Allow" }).click()
  await said(ann, "Done.").waitFor()
  await write(bob, "/say Thanks to both.")
  await said(ann, "Thanks to both.").waitFor()
  await said(bob, "Thanks to both.").waitFor()
  const seen = (page: Page) => items(page).evaluateAll((all) => all.map((one) => one.getAttribute("data-item")))
  await expect.poll(async () => [await seen(ann), await seen(bob)]).toSatisfy(([a, b]) => String(a) === String(b))
})

test("what is written and sent while a message is on its way follows it", async () => {
  await client.spawn(ONE)
  const { page, wrong } = await browser.open(`${server.url}/agents${ONE}`)
  let letGo = (): void => undefined
  const held = new Promise<void>((resolve) => (letGo = resolve))
  await page.route("**/messages", async (route) => {
    await held
    await route.continue()
  })
  await write(page, "/say first")
  await write(page, "/say second")
  letGo()
  await said(page, "second").waitFor()
  expect(await composer(page).inputValue()).toBe("")
  await expect.poll(() => items(page).count()).toBe(6)
  expect(wrong).toEqual([])
})

test("a message that steers joins the run under way, and one that interrupts ends it", async () => {
  await client.spawn(ONE)
  const { page, wrong } = await browser.open(`${server.url}/agents${ONE}`)
  await write(page, `/slow 40\n/say ${"word ".repeat(60)}\n/call add {"a":1,"b":2}\n/then\n/say after`)
  await page.getByText("Steer", { exact: true }).waitFor()
  await write(page, "/say steered")
  await said(page, "steered").waitFor()
  await write(page, `/slow 100\n/say ${"long ".repeat(200)}`)
  await page.getByText("Interrupt", { exact: true }).last().click()
  await write(page, "/say instead")
  await said(page, "instead").waitFor()
  const runs = await client.state(ONE, "run")
  expect(runs.rows.some(({ value }) => (value as { status: string }).status === "interrupted")).toBe(true)
  expect(wrong).toEqual([])
})

test("a server that goes away while one watches is said to be away, and nothing is shown twice when it is back", async () => {
  await client.spawn(ONE)
  for (const n of [1, 2]) await client.ask(ONE, `/say answer ${n}`)
  const { page } = await browser.open(`${server.url}/agents${ONE}`)
  await expect.poll(() => items(page).count()).toBe(6)
  const port = Number(new URL(server.url).port)
  server = await server.restart(port, async () => {
    await page.getByText("The server does not answer").waitFor()
  })
  await page.getByText("The server does not answer").waitFor({ state: "detached" })
  await createClient({ url: server.url }).ask(ONE, "/say answer 3")
  await said(page, "answer 3").waitFor()
  await expect.poll(() => items(page).count()).toBe(9)
  const all = []
  for await (const { events } of createClient({ url: server.url }).observe(ONE, { live: false })) all.push(...events)
  await expect.poll(() => page.locator("aside[aria-label=Log] h2 + span").textContent()).toBe(String(all.length))
})
