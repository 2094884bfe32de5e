import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { chromium } from "playwright-core"
import type { BrowserContext, Page } from "playwright-core"

const CHROMIUM = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium"

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]

/** How long a step of a test waits for the page before it fails and says for what. */
const WAIT_MS = 12_000

export interface TestBrowser {
  /** A page in the one window there is, that remembers what went wrong on it. */
  open(url: string, options?: { readonly width?: number; readonly height?: number }): Promise<TestPage>
  /** Closes its pages, so that none of them goes on asking for a server that is gone. */
  clear(): Promise<void>
  close(): Promise<void>
}

export interface TestPage {
  readonly page: Page
  /** Errors on the console, uncaught errors, and violations of the content security policy. */
  readonly wrong: readonly string[]
}

/** Chromium with an empty profile of its own. Without it the test fails: a page that nobody opened is not tested. */
export async function openBrowser(): Promise<TestBrowser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(
      `There is no Chromium at ${CHROMIUM}. Install it (Debian: apt-get install chromium), or set CHROMIUM_PATH.`,
    )
  }
  const profile = await mkdtemp(join(tmpdir(), "rouse-ui-"))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: ARGS,
    reducedMotion: "reduce",
  })
  context.setDefaultTimeout(WAIT_MS)
  return {
    open: (url, options) => openPage(context, url, options),
    clear: async () => {
      await context.newPage()
      for (const page of context.pages().slice(0, -1)) await page.close()
    },
    close: async () => {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
}

async function openPage(
  context: BrowserContext,
  url: string,
  { width = 1440, height = 900 }: { readonly width?: number; readonly height?: number } = {},
): Promise<TestPage> {
  const page = await context.newPage()
  const wrong: string[] = []
  page.on("pageerror", (error) => wrong.push(error.message))
  page.on("console", (message) => {
    if (message.type() === "error") wrong.push(message.text())
  })
  await page.setViewportSize({ width, height })
  await page.goto(url)
  return { page, wrong }
}
