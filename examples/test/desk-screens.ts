import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Page } from "playwright-core"
import { openStage } from "./desk-stage.ts"
import type { Stage } from "./desk-stage.ts"

/**
 * `node --conditions=@rouse/source examples/test/desk-screens.ts`: makes the pictures in docs/screens/examples. Given a directory, it writes
 * every width, light and dark, there instead, to be looked at.
 */

const [given] = process.argv.slice(2)
const target = given ?? fileURLToPath(new URL("../../docs/screens/examples", import.meta.url))
const KEPT = ["support-desk-1440-light", "support-desk-390-dark", "use-chat-1440-light", "use-chat-390-dark"]
const SIZES = [
  [390, 844],
  [1440, 900],
] as const
const QUALITY = 75

await mkdir(target, { recursive: true })
const stage = await openStage()
try {
  await shoot("support-desk", await supportDesk(stage))
  await shoot("use-chat", await useChat(stage))
} finally {
  await stage.close()
}

async function supportDesk(on: Stage): Promise<Page> {
  for (const [customer, text] of [
    ["ben", "Where is order 1042?"],
    ["ann", "Order 2077 arrived broken, I want my money back"],
  ] as const) {
    const page = await on.open("support-desk", `/?customer=${customer}`)
    await write(page, text)
    await page
      .getByText(customer === "ben" ? "delivered on Monday" : "waits for a colleague")
      .last()
      .waitFor()
  }
  const desk = await on.open("support-desk", "/")
  await desk.getByText("waits for a colleague").waitFor()
  return desk
}

async function useChat(on: Stage): Promise<Page> {
  const page = await on.open("use-chat", "/?id=one")
  await write(page, "What is this?")
  await page.getByText("write there too.").waitFor()
  await write(page, "And who are you?")
  await page.getByText("You said “And who are you?”. Everything we say is on the log").waitFor()
  return page
}

async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text)
  await page.getByRole("button", { name: "Send" }).click()
}

async function shoot(name: string, page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height })
    for (const colorScheme of ["light", "dark"] as const) {
      const file = `${name}-${width}-${colorScheme}`
      if (given === undefined && !KEPT.includes(file)) continue
      await page.emulateMedia({ colorScheme })
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
      const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: QUALITY })
      await writeFile(join(target, `${file}.webp`), Buffer.from(data, "base64"))
    }
  }
}
