import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import type { AxeResults } from "axe-core"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { makeScene } from "./screens/scene.ts"
import type { Scene } from "./screens/scene.ts"
import { VIEWS } from "./screens/views.ts"
import { buildPage } from "./support/build.ts"
import { openBrowser } from "./support/browser.ts"
import type { TestBrowser } from "./support/browser.ts"
import { startServer } from "./support/server.ts"
import type { TestServer } from "./support/server.ts"

/** Every view by axe's rules of WCAG 2.2 A and AA: nothing serious, on a desk in light and on a phone in the dark. */

let browser: TestBrowser
let server: TestServer
let scene: Scene
let axe: string

beforeAll(async () => {
  await buildPage()
  browser = await openBrowser()
  server = await startServer()
  scene = await makeScene(server.url)
  axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
})
afterAll(async () => {
  await browser?.close()
  await server?.close()
})

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

async function serious(page: Page): Promise<readonly string[]> {
  const { violations } = await page.evaluate(async (tags) => {
    const { axe: run } = globalThis as unknown as { axe: { run: (where: unknown, how: object) => Promise<AxeResults> } }
    return await run.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] })
  }, TAGS)
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")} ${failureSummary ?? ""}`),
    )
}

async function check(path: string, ready: (page: Page) => Promise<unknown>): Promise<void> {
  const { page } = await browser.open(server.url + path)
  await ready(page)
  // Past the content security policy, which allows no script of others: through the debugger, not the page.
  await page.evaluate(axe)
  const onDesk = await serious(page)
  await page.setViewportSize({ width: 390, height: 844 })
  await page.emulateMedia({ colorScheme: "dark" })
  const onPhone = await serious(page)
  await page.close()
  expect({ onDesk, onPhone }).toEqual({ onDesk: [], onPhone: [] })
}

test.each(VIEWS.map((view) => [view.name, view] as const))("%s", async (_, view) => {
  await check(view.path(scene), (page) => view.ready(page, 1440))
})

test("the dialogs", async () => {
  const open =
    (...keys: readonly string[]) =>
    async (page: Page) => {
      await page.locator("[data-agent-row]").first().waitFor({ state: "attached" })
      for (const key of keys) await page.keyboard.press(key)
      await page.getByRole("dialog").waitFor()
    }
  await check("/", open("Control+k"))
  await check("/", open("?"))
  await check("/", open("n"))
})
