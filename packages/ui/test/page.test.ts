import { createClient } from "@rouse/client"
import { adminToken } from "@rouse/server"
import type { Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { buildPage } from "./support/build.ts"
import { openBrowser } from "./support/browser.ts"
import type { TestBrowser } from "./support/browser.ts"
import { startServer } from "./support/server.ts"
import type { TestServer } from "./support/server.ts"

/** The built page, served by a real server, in a real browser. */

let browser: TestBrowser
let server: TestServer

beforeAll(async () => {
  await buildPage()
  browser = await openBrowser()
})

afterAll(() => browser?.close())

beforeEach(async () => {
  server = await startServer()
})

afterEach(() => server?.close())

const timeline = (page: Page) => page.getByRole("region", { name: "Timeline" })
const composer = (page: Page) => page.locator("[data-shortcut=composer]")

async function write(page: Page, text: string): Promise<void> {
  await composer(page).fill(text)
  await page.keyboard.press("Enter")
}

describe("the journey", () => {
  test("makes an agent, sends it a message, sees the answer stream and the log grow", async () => {
    const { page, wrong } = await browser.open(server.url)
    await page.getByRole("heading", { name: "No agents yet" }).waitFor()

    await page.keyboard.press("n")
    const dialog = page.getByRole("dialog", { name: "New agent" })
    await dialog.getByLabel("Type").selectOption("assistant")
    await dialog.getByLabel("Id").fill("one")
    await dialog.getByRole("button", { name: "Create agent" }).click()
    await page.waitForURL(`${server.url}/agents/assistant/one`)
    await page.getByText("Nothing has happened to it yet").waitFor()

    await record(page)
    const words = Array.from({ length: 40 }, (_, n) => `word${n}`).join(" ")
    await page.keyboard.press("c")
    await write(page, `/slow 60\n/think Let me see.\n/say ${words} **end**.`)
    await timeline(page).getByText("Completed").waitFor()

    const seen = await recorded(page)
    const texts = new Set(seen.map(({ text }) => text))
    const logs = new Set(seen.map(({ events }) => events))
    expect(texts.size, "the answer came in pieces").toBeGreaterThan(3)
    expect(logs.size, "the log grew as it came").toBeGreaterThan(3)
    expect([...logs]).toEqual([...logs].toSorted((a, b) => a - b))
    expect(await timeline(page).locator("article[data-item=step] strong").textContent()).toBe("end")
    await timeline(page).getByText("Thought").waitFor()

    expect(await composer(page).inputValue()).toBe("")
    const log = page.getByRole("region", { name: "Events of the log" })
    await log.getByText("completed", { exact: false }).first().waitFor()
    await page.locator("[data-agent-row='/assistant/one']").getByText("Idle").waitFor()
    expect(wrong).toEqual([])
  })

  test("shows what another client does, and goes on after the server was away", async () => {
    const client = createClient({ url: server.url })
    await client.spawn("/assistant/one")
    const { page } = await browser.open(`${server.url}/agents/assistant/one`)
    await page.getByText("Nothing has happened to it yet").waitFor()
    await client.ask("/assistant/one", "/say from elsewhere")
    await timeline(page).getByText("from elsewhere", { exact: true }).waitFor()
    await page.locator("[data-agent-row='/assistant/one']").waitFor()

    const port = Number(new URL(server.url).port)
    await server.close()
    await page.getByText("The server does not answer").waitFor()
    server = await startServer({ port })
    await page.getByText("The server does not answer").waitFor({ state: "detached" })
  })

  test("runs a tool, asks a person, and goes on with the answer", async () => {
    await createClient({ url: server.url }).spawn("/assistant/one")
    const { page, wrong } = await browser.open(`${server.url}/agents/assistant/one`)
    await write(
      page,
      '/call add {"a":2,"b":3}\n/call broken\n/call refund {"order":"7","cents":900}\n/then\n/say All done.',
    )

    const refund = page.getByRole("group", { name: "Tool call refund, waits for a person" })
    await refund.getByLabel("A note with the decision").fill("as agreed")
    await refund.getByRole("button", { name: "Allow" }).click()
    await page.getByRole("group", { name: "Tool call refund, done" }).waitFor()
    await timeline(page).getByText("All done.", { exact: true }).waitFor()

    const add = page.getByRole("group", { name: "Tool call add, done" })
    await add.getByRole("button").first().click()
    await add.getByText("sum:").waitFor()
    await page
      .getByRole("group", { name: "Tool call broken, failed" })
      .getByText("the warehouse does not answer")
      .waitFor()
    await timeline(page).getByText("allowed the call: as agreed").waitFor()
    expect(wrong).toEqual([])
  })

  test("stops an agent only after asking, and then takes no message for it", async () => {
    await createClient({ url: server.url }).spawn("/assistant/one")
    const { page } = await browser.open(`${server.url}/agents/assistant/one`)
    const stop = async (): Promise<void> => {
      await page.getByRole("button", { name: "More actions" }).click()
      await page.getByRole("menuitem", { name: "Stop for good" }).click()
    }
    await stop()
    await page.getByRole("button", { name: "Keep it" }).click()
    expect(await composer(page).isEnabled()).toBe(true)
    await stop()
    await page.getByRole("button", { name: "Stop for good" }).click()
    await page.locator("header").getByText("Stopped").waitFor()
    expect(await composer(page).isEnabled()).toBe(false)
  })
})

describe("a reader who looks back", () => {
  test("is not moved by what is new, and comes to it when they ask", async () => {
    const client = createClient({ url: server.url })
    await client.spawn("/assistant/one")
    for (let n = 0; n < 12; n++) await client.ask("/assistant/one", `/say answer ${n}\n/say ${"and more ".repeat(40)}`)
    const { page } = await browser.open(`${server.url}/agents/assistant/one`)
    await timeline(page).getByText("answer 11").first().waitFor()
    const place = () =>
      timeline(page).evaluate((box) => ({
        top: box.scrollTop,
        left: box.scrollHeight - box.scrollTop - box.clientHeight,
      }))
    await expect.poll(async () => (await place()).left).toBeLessThan(2)

    await timeline(page).hover()
    await page.mouse.wheel(0, -900)
    const jump = page.getByRole("button", { name: "Jump to latest" })
    await jump.waitFor()
    const before = await place()
    await client.ask("/assistant/one", "/say the newest one")
    await page.getByRole("region", { name: "Events of the log" }).getByText("the newest one").first().waitFor()
    expect((await place()).top).toBe(before.top)
    await jump.click()
    await timeline(page).getByText("the newest one", { exact: true }).waitFor()
    await expect.poll(async () => (await place()).left).toBeLessThan(2)
  })
})

describe("what goes wrong", () => {
  test("a handler that fails shows each attempt, and the message's end", async () => {
    await createClient({ url: server.url }).spawn("/crasher/x", { message: "go" })
    const { page } = await browser.open(`${server.url}/agents/crasher/x`)
    await timeline(page).getByText("Attempt 1 failed").waitFor()
    await timeline(page).getByText("a mistake in the handler").first().waitFor()
  })

  test("an agent that is not there, and a place that is not there, are said to be missing", async () => {
    const { page } = await browser.open(`${server.url}/agents/assistant/nobody`)
    await page.getByRole("heading", { name: "There is no agent at /assistant/nobody" }).waitFor()
    await page.goto(`${server.url}/nowhere`)
    await page.getByRole("heading", { name: "There is no such page" }).waitFor()
  })

  test("what an agent writes runs nothing", async () => {
    const client = createClient({ url: server.url })
    await client.spawn("/assistant/one")
    await client.ask(
      "/assistant/one",
      "/say <img src=x onerror=\"document.title='owned'\"> <script>document.title='owned'</script> [x](javascript:document.title='owned') fine",
    )
    const { page, wrong } = await browser.open(`${server.url}/agents/assistant/one`)
    const answer = timeline(page).locator("article[data-item=step]")
    await answer.locator(".prose p").waitFor()
    expect(await answer.locator("img, script, form, a").count()).toBe(0)
    expect(await page.title()).toBe("/assistant/one · Rouse")
    expect(wrong).toEqual([])
  })

  test("arguments that the type refuses are said at the field", async () => {
    const { page } = await browser.open(server.url)
    await page.getByRole("heading", { name: "No agents yet" }).waitFor()
    await page.keyboard.press("n")
    const dialog = page.getByRole("dialog", { name: "New agent" })
    await dialog.getByLabel("Type").selectOption("clerk")
    await dialog.getByRole("button", { name: "Create agent" }).click()
    await dialog.getByText("customer is required").waitFor()
    await dialog.getByLabel("customer").fill("ann")
    await dialog.getByLabel("Id").fill("no spaces")
    await dialog.getByRole("button", { name: "Create agent" }).click()
    await dialog.getByText("Letters, digits and").waitFor()
    await dialog.getByLabel("Id").fill("ann")
    await dialog.getByRole("button", { name: "Create agent" }).click()
    await page.waitForURL(`${server.url}/agents/clerk/ann`)
  })

  test("a server that wants a token gets one from the person, and refuses a wrong one", async () => {
    const guarded = await startServer({ tokens: [adminToken("ann", "a-long-enough-token-for-the-test")] })
    try {
      const { page } = await browser.open(guarded.url)
      await page.getByLabel("Token").fill("wrong")
      await page.getByRole("button", { name: "Continue" }).click()
      await page.getByText("The server does not know this token.").waitFor()
      await page.getByLabel("Token").fill("a-long-enough-token-for-the-test")
      await page.getByRole("button", { name: "Continue" }).click()
      await page.getByRole("heading", { name: "No agents yet" }).waitFor()
      expect(
        await page.evaluate(() =>
          Object.keys(localStorage).filter((key) => localStorage.getItem(key)?.includes("token")),
        ),
      ).toEqual([])
    } finally {
      await guarded.close()
    }
  })
})

describe("on a phone", () => {
  test("the list and the agent are two screens, and the log is a tab", async () => {
    const client = createClient({ url: server.url })
    await client.spawn("/assistant/one")
    await client.ask("/assistant/one", "/say hello from here")
    const { page, wrong } = await browser.open(server.url, { width: 390, height: 844 })
    await page.locator("[data-agent-row='/assistant/one']").click()
    await timeline(page).getByText("hello from here", { exact: true }).waitFor()
    expect(await page.locator("[data-agent-row]").first().isVisible()).toBe(false)
    await page.getByRole("tab", { name: /Log/ }).click()
    await page.getByRole("region", { name: "Events of the log" }).getByText("entity").first().waitFor()
    await page.getByRole("link", { name: "Back to the agents" }).click()
    await page.locator("[data-agent-row='/assistant/one']").waitFor()
    for (const width of [360, 768, 1100]) {
      await page.setViewportSize({ width, height: 800 })
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    }
    expect(wrong).toEqual([])
  })
})

describe("by the keyboard", () => {
  test("the list is walked, searched and left, and the palette goes anywhere", async () => {
    const client = createClient({ url: server.url })
    for (const id of ["a", "b", "c"]) await client.spawn(`/assistant/${id}`)
    const { page, wrong } = await browser.open(server.url)
    await page.locator("[data-agent-row]").nth(2).waitFor()
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-agent-row"))
    await page.keyboard.press("j")
    expect(await focused()).toBe("/assistant/c")
    await page.keyboard.press("j")
    expect(await focused()).toBe("/assistant/b")
    await page.keyboard.press("k")
    expect(await focused()).toBe("/assistant/c")
    await page.keyboard.press("Enter")
    await page.waitForURL(`${server.url}/agents/assistant/c`)
    await page.getByLabel("Message to /assistant/c").waitFor()
    await page.keyboard.press("Escape")
    await page.waitForURL(`${server.url}/`)

    await page.keyboard.press("/")
    await page.keyboard.type("assistant/b")
    await page.locator("[data-agent-row='/assistant/a']").waitFor({ state: "detached" })
    await page.keyboard.press("Escape")
    await page.locator("[data-agent-row='/assistant/a']").waitFor()

    await page.keyboard.press("Control+k")
    await page.getByRole("combobox", { name: "Find an agent or a command" }).fill("assistant/a")
    await page.keyboard.press("Enter")
    await page.waitForURL(`${server.url}/agents/assistant/a`)
    await page.keyboard.press("?")
    await page.getByRole("dialog", { name: "Keys" }).waitFor()
    await page.keyboard.press("Escape")
    await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "detached" })
    expect(page.url()).toBe(`${server.url}/agents/assistant/a`)
    expect(wrong).toEqual([])
  })
})

interface Seen {
  readonly text: string
  readonly events: number
}

/** Notes, at every change of the page, how much of the answer and how many events of the log are shown. */
async function record(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: { text: string; events: number }[] = []
    Object.assign(globalThis, { seen })
    const note = (): void => {
      const text = document.querySelector("article[data-item=step] .prose")?.textContent ?? ""
      const events = Number(document.querySelector("aside[aria-label=Log] h2 + span")?.textContent ?? "0")
      const last = seen.at(-1)
      if (last?.text !== text || last.events !== events) seen.push({ text, events })
    }
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true })
  })
}

function recorded(page: Page): Promise<readonly Seen[]> {
  return page.evaluate(() => (globalThis as unknown as { seen: Seen[] }).seen)
}
