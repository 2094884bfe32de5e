import { readdirSync, readFileSync } from "node:fs"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { openStage } from "./desk-stage.ts"
import type { Stage } from "./desk-stage.ts"

/** The support desk and the `useChat` page, in real browsers, on `rouse dev`. */

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
})

afterAll(() => stage?.close())

const log = (page: Page) => page.getByRole("log")
const said = (page: Page): Promise<string> => log(page).innerText()
const inbox = (page: Page) => page.getByRole("complementary", { name: "Inbox" })
const times = (text: string, words: string): number => text.split(words).length - 1

async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text)
  await page.getByRole("button", { name: "Send" }).click()
}

/** Waits until it is over, and both show the same. */
async function converge(one: Page, other: Page): Promise<string> {
  await expect.poll(async () => (await said(one)) === (await said(other)), { message: "both show the same" }).toBe(true)
  return said(one)
}

describe("the support desk", () => {
  test("is less than 300 lines", () => {
    const directory = new URL("../support-desk/", import.meta.url)
    const sources = readdirSync(directory).filter((name) => /\.(tsx?|css|html)$/.test(name))
    const lines = sources.reduce(
      (sum, name) => sum + readFileSync(new URL(name, directory), "utf8").split("\n").length - 1,
      0,
    )
    expect(lines).toBeLessThan(300)
    expect(readFileSync(new URL("README.md", directory), "utf8")).toContain(`${lines} lines`)
  })

  test("a customer asks, a person allows in another browser, and both converge, also over a server that is killed", async () => {
    const ann = await stage.open("support-desk", "/?customer=ann")
    const desk = await stage.open("support-desk", "/", { width: 390, height: 844 })
    await ann.getByText("Try “").waitFor()

    // What is sent is there at once: the server does not hear of it yet.
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    await ann.route("**/inbox**", async (route) => {
      await held
      await route.continue()
    })
    await write(ann, "Order 2077 arrived broken, I want my money back")
    await log(ann).locator("[data-status=sending]").waitFor()
    release()

    await inbox(desk).getByText("wants €489.00 back for order 2077").waitFor()
    await ann.getByRole("group", { name: "refund: waiting" }).waitFor()
    await desk.getByLabel("Note").fill("as agreed")
    await desk.getByRole("button", { name: "Allow" }).click()
    await inbox(desk).getByText("Waiting for you: 0").waitFor()

    // In the middle of the answer.
    await log(ann).getByText("Your refund is").waitFor()
    await stage.kill()
    await stage.start()
    await log(ann).getByText("enjoy your coffee!").waitFor()
    await log(desk).getByText("enjoy your coffee!").waitFor()
    const text = await converge(ann, desk)
    expect(times(text, "my money back")).toBe(1)
    expect(times(text, "Let me look up order 2077.")).toBe(1)
    expect(times(text, "Your refund is on its way:")).toBe(1)
    expect(
      await log(ann)
        .getByRole("group", { name: /^refund/ })
        .count(),
    ).toBe(1)
    expect(await log(ann).locator("[data-streamdown=strong]").allTextContents()).toEqual(["2077", "€489.00"])
  })

  test("a reload in the middle of an answer goes on with it", async () => {
    const bob = await stage.open("support-desk", "/?customer=bob")
    await write(bob, "Hello")
    await log(bob).getByText("Hello! What").waitFor()
    await bob.reload()
    await log(bob).getByText("Hello! What").waitFor()
    await log(bob).getByText("wrong with it?").waitFor()
    expect(times(await said(bob), "Hello! What is the number of your order, and what is wrong with it?")).toBe(1)
  })
})

describe("useChat", () => {
  test("streams, goes on after a reload, and is the same in a second browser", async () => {
    const one = await stage.open("use-chat", "/?id=one")
    const other = await stage.open("use-chat", "/?id=one")
    await write(one, "hello there")
    await log(one).getByText("Everything we say").waitFor()
    await one.getByRole("button", { name: "Stop" }).waitFor()
    await log(other).getByText("Everything we say").waitFor()
    await one.reload()
    await log(one).getByText("You said “hello there”").waitFor()
    expect(await said(one)).not.toContain("write there too.")
    await log(one).getByText("write there too.").waitFor()
    await log(other).getByText("write there too.").waitFor()
    expect(await converge(one, other)).toMatch(/^hello there\s+You said “hello there”\..*write there too\.$/s)

    await write(other, "and from here")
    await log(one).getByText("You said “and from here”").waitFor()
  })
})
