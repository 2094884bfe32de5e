import { createClient } from "@rouse/client"
import type { Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest"
import { openBrowser } from "./support/browser.ts"
import type { TestBrowser } from "./support/browser.ts"
import { buildPage } from "./support/build.ts"
import { startServer } from "./support/server.ts"
import type { TestServer } from "./support/server.ts"

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

/** A picture that the page itself drew. */
function picture(page: Page, width: number, height: number): Promise<Buffer> {
  const drawn = page.evaluate(
    ([w, h]) => {
      const canvas = Object.assign(document.createElement("canvas"), { width: w, height: h })
      const brush = canvas.getContext("2d")
      const colours = brush?.createLinearGradient(0, 0, w ?? 0, h ?? 0)
      for (const [at, colour] of ["#0ea5e9", "#a855f7", "#f97316"].entries()) colours?.addColorStop(at / 2, colour)
      if (brush && colours) brush.fillStyle = colours
      brush?.fillRect(0, 0, w ?? 0, h ?? 0)
      return canvas.toDataURL("image/png").split(",")[1] ?? ""
    },
    [width, height],
  )
  return drawn.then((text) => Buffer.from(text, "base64"))
}

/** Drops a file on the composer, or pastes it there. */
function give(page: Page, how: "drop" | "paste", name: string, type: string, text: string): Promise<void> {
  return page.evaluate(
    ([event = "", file = "", mediaType = "", body = ""]) => {
      const data = new DataTransfer()
      data.items.add(new File([body], file, { type: mediaType }))
      const form = document.querySelector("form[aria-label=Message]")
      const options = { bubbles: true, cancelable: true }
      if (event === "drop") form?.dispatchEvent(new DragEvent("drop", { ...options, dataTransfer: data }))
      else
        form?.querySelector("textarea")?.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: data }))
    },
    [how, name, type, text],
  )
}

test.each([
  ["light", 1440, 900],
  ["dark", 390, 844],
] as const)(
  "files are picked, dropped and pasted, and shown with the message (%s, %i wide)",
  async (colorScheme, width, height) => {
    const client = createClient({ url: server.url })
    await client.spawn("/assistant/one")
    const { page, wrong } = await browser.open(`${server.url}/agents/assistant/one`, { width, height })
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
    const image = await picture(page, 480, 270)
    await page.locator("input[type=file]").setInputFiles({ name: "sunset.png", mimeType: "image/png", buffer: image })
    await give(page, "drop", "notes on a very long name that does not fit anywhere.csv", "text/csv", "a,b\n1,2\n")
    await give(page, "paste", "wrong.txt", "text/plain", "no")
    const picked = page.getByRole("list", { name: "Files to send" })
    await picked.getByText("wrong.txt").waitFor()
    await picked.getByRole("button", { name: "Remove wrong.txt" }).click()
    expect(await picked.getByRole("listitem").count()).toBe(2)
    await page.locator("[data-shortcut=composer]").fill("/say What a sunset.")
    await page.getByRole("button", { name: "Send" }).click()

    const shown = page.getByRole("region", { name: "Timeline" }).getByRole("list", { name: "Files" })
    const seen = shown.getByRole("img", { name: "sunset.png" })
    await seen.waitFor()
    await expect.poll(() => seen.evaluate((element) => (element as HTMLImageElement).naturalWidth)).toBe(480)
    await page.getByText("What a sunset.", { exact: true }).first().waitFor()
    expect(await picked.count()).toBe(0)
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      shown.getByRole("button", { name: /notes/ }).click(),
    ])
    expect(download.suggestedFilename()).toMatch(/^notes .*\.csv$/)
    const list = await client.attachments("/assistant/one")
    expect(list.map(({ mediaType, size }) => [mediaType, size])).toEqual(
      expect.arrayContaining([
        ["image/png", image.length],
        ["text/csv", 8],
      ]),
    )
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
    expect(wrong).toEqual([])
  },
)
