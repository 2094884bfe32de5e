import { createClient } from "@rouse/client"
import type { Client } from "@rouse/client"
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest"
import { buildPage } from "./support/build.ts"
import { openBrowser } from "./support/browser.ts"
import type { TestBrowser } from "./support/browser.ts"
import { startServer } from "./support/server.ts"
import type { TestServer } from "./support/server.ts"

/** The screens over all agents, on the built page. */

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

test("the inbox shows what waits everywhere, and decides it where it stands", async () => {
  for (const id of ["one", "two"]) {
    await client.spawn(`/assistant/${id}`)
    await client.send(`/assistant/${id}`, `/call refund {"order":"${id}","cents":900}\n/then\n/say Done ${id}.`)
  }
  const { page, wrong } = await browser.open(`${server.url}/approvals`)
  const waiting = page.getByRole("list", { name: "Approvals that wait" }).getByRole("article")
  await expect.poll(() => waiting.count()).toBe(2)
  await page.getByRole("link", { name: "Approvals" }).getByText("2").waitFor()
  await page.keyboard.press("j")
  await page.keyboard.press("j")
  const second = page.getByRole("article", { name: "refund of /assistant/two" })
  expect(await second.evaluate((element) => element === document.activeElement)).toBe(true)
  await second.getByLabel("A note with the decision").fill("as agreed")
  await second.getByRole("button", { name: "Allow" }).click()
  await expect.poll(() => waiting.count()).toBe(1)
  await waiting.getByRole("button", { name: "Deny" }).click()
  await page.getByRole("heading", { name: "Nobody waits for you" }).waitFor()
  const rows = await Promise.all(["one", "two"].map((id) => client.state(`/assistant/${id}`, "tool_call")))
  expect(rows.map(({ rows: [row] }) => row?.value)).toMatchObject([{ status: "denied" }, { status: "done" }])
  expect(wrong).toEqual([])
})

test("a message that was given up is tried again, or let go", async () => {
  await client.spawn("/crasher/one")
  await client.ask("/crasher/one", "first")
  await client.ask("/crasher/one", "second")
  const { page, wrong } = await browser.open(`${server.url}/dead-letters`)
  const letters = page.getByRole("list", { name: "Messages that were given up" }).getByRole("listitem")
  await expect.poll(() => letters.count()).toBe(2)
  await letters.first().getByText("a mistake in the handler").waitFor()
  await letters.filter({ hasText: "first" }).getByRole("button", { name: "Discard" }).click()
  await page.getByRole("alertdialog").getByRole("button", { name: "Discard" }).click()
  await expect.poll(() => letters.count()).toBe(1)
  await letters.getByRole("button", { name: "Retry" }).click()
  await page.getByText("It is accepted again.").waitFor()
  expect(wrong).toEqual([])
})

test("schedules of all agents are listed, made and removed", async () => {
  for (const id of ["one", "two"]) await client.spawn(`/assistant/${id}`)
  await client.schedule("/assistant/one", "daily", { cron: "0 9 * * 1-5", timezone: "Europe/Berlin" }, "Report")
  await client.send("/assistant/two", "later", { after: "1h" })
  const { page, wrong } = await browser.open(`${server.url}/schedules`)
  const rows = page.getByRole("list", { name: "Schedules" }).getByRole("listitem")
  await expect.poll(() => rows.count()).toBe(2)
  await page.getByText("0 9 * * 1-5 Europe/Berlin").waitFor()

  await page.getByRole("button", { name: "New schedule" }).click()
  const dialog = page.getByRole("dialog", { name: "New schedule" })
  await dialog.getByRole("button", { name: "Create schedule" }).click()
  await dialog.getByText("agent is required").waitFor()
  await dialog.getByLabel("agent").fill("/assistant/one")
  await dialog.getByLabel("name").fill("often")
  await dialog.getByLabel("when").selectOption("every")
  await dialog.getByLabel("value").fill("-5")
  await dialog.getByLabel("message").fill("Look again")
  await dialog.getByRole("button", { name: "Create schedule" }).click()
  await dialog.getByRole("alert").getByText("every", { exact: false }).waitFor()
  await dialog.getByLabel("value").fill("3600")
  await dialog.getByRole("button", { name: "Create schedule" }).click()
  await expect.poll(() => rows.count()).toBe(3)

  await page.getByRole("button", { name: "Remove often" }).click()
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click()
  await expect.poll(() => rows.count()).toBe(2)
  expect(wrong.filter((line) => !line.includes("422"))).toEqual([])
})

test("spend is told by model, agent and tree, in a plot and in figures, at an address of its own", async () => {
  for (const id of ["one", "two"]) {
    await client.spawn(`/assistant/${id}`)
    await client.ask(`/assistant/${id}`, `/say ${"word ".repeat(50)}`)
  }
  const { page, wrong } = await browser.open(`${server.url}/spend?range=1d&of=tokens`)
  const figures = page.getByRole("region", { name: "Spend in figures" }).getByRole("row")
  await expect.poll(() => figures.count()).toBe(2)
  await figures.getByText("rouse/echo").waitFor()
  const drawn = page.locator("canvas")
  await drawn.waitFor()
  await page.getByLabel("By").selectOption("entity")
  await page.waitForURL(/by=entity/)
  await expect.poll(() => figures.count()).toBe(3)
  await page.getByRole("link", { name: "/assistant/two" }).click()
  await page.waitForURL(/agents\/assistant\/two/)
  await page.goBack()
  await expect.poll(() => page.getByLabel("By").inputValue()).toBe("entity")
  expect(wrong).toEqual([])
})

test("sources and subscriptions are made and removed, and settings hold", async () => {
  const { page, wrong } = await browser.open(`${server.url}/webhooks`)
  await page.getByRole("heading", { name: "No sources yet" }).waitFor()
  await page.getByRole("button", { name: "Add" }).first().click()
  const source = page.getByRole("dialog", { name: "New source" })
  await source.getByLabel("name").fill("repo")
  await source.getByLabel("kind").selectOption("github")
  await source.getByLabel("secret").fill("GITHUB_SECRET")
  await source.getByLabel("type").selectOption("assistant")
  await source.getByLabel("id", { exact: false }).last().fill("{body.repository.name}")
  await source.getByRole("button", { name: "Create source" }).click()
  await page.getByRole("list", { name: "Sources of webhooks" }).getByText(`${server.url}/v1/webhooks/repo`).waitFor()
  expect(await client.webhookSources()).toMatchObject([{ name: "repo", to: [{ type: "assistant" }] }])
  await page.getByRole("button", { name: "Remove repo" }).click()
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click()
  await page.getByRole("heading", { name: "No sources yet" }).waitFor()

  await page.keyboard.press("g")
  await page.keyboard.press(",")
  await page.waitForURL(/settings/)
  await page.getByText("the server answers this machine alone").waitFor()
  await page.getByLabel("Dark").check()
  await page.reload()
  expect(await page.getByLabel("Dark").isChecked()).toBe(true)
  expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe("dark")
  expect(wrong).toEqual([])
})

test("every place is reached from the palette and by two keys", async () => {
  const { page, wrong } = await browser.open(server.url)
  await page.getByRole("heading", { name: "No agents yet" }).waitFor()
  for (const [key, path] of [
    ["p", "/approvals"],
    ["d", "/dead-letters"],
    ["s", "/spend"],
    ["c", "/schedules"],
    ["t", "/types"],
    ["w", "/webhooks"],
    ["a", "/"],
  ] as const) {
    await page.keyboard.press("g")
    await page.keyboard.press(key)
    await page.waitForURL(`${server.url}${path}`)
  }
  await page.keyboard.press("Control+k")
  await page.getByRole("combobox", { name: "Find an agent or a command" }).fill("dead")
  await page.keyboard.press("Enter")
  await page.waitForURL(/dead-letters/)
  expect(wrong).toEqual([])
})
