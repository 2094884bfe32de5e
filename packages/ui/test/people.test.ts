import { createClient } from "@rouse/client"
import { createToolWorker } from "@rouse/client/worker"
import type { Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest"
import { buildPage } from "./support/build.ts"
import { openBrowser } from "./support/browser.ts"
import type { TestBrowser } from "./support/browser.ts"
import { startServer } from "./support/server.ts"
import type { TestServer } from "./support/server.ts"

/** What waits for people and for workers, on the built page. `ROUSE_UI_SHOTS` names a directory for pictures of it. */

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

const A = "/assistant/one"

async function scene(
  message: string,
  width = 1440,
): Promise<{ readonly page: Page; readonly wrong: readonly string[] }> {
  const client = createClient({ url: server.url })
  await client.spawn(A)
  await client.send(A, message)
  return await browser.open(`${server.url}/agents${A}`, { width, height: 900 })
}

async function shoot(page: Page, name: string): Promise<void> {
  const directory = process.env["ROUSE_UI_SHOTS"]
  if (directory === undefined) return
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: `${directory}/${name}-${colorScheme}.png` })
  }
}

const stateOf = async (collection: string) => {
  const { rows } = await createClient({ url: server.url }).state(A, collection)
  return rows.at(-1)?.value
}

test.each([1440, 390])("a call is allowed with another input, at %d pixels", async (width) => {
  const { page, wrong } = await scene('/call refund {"order":"1042","cents":5000}\n/then\n/say Done.', width)
  await page.getByRole("button", { name: "Edit" }).click()
  await page.getByLabel("cents").fill("lots")
  await page.getByRole("button", { name: "Allow as edited" }).click()
  await page.getByText("cents must be a number").waitFor()
  await page.getByLabel("cents").fill("500")
  await shoot(page, `edit-${width}`)
  await page.getByRole("button", { name: "Allow as edited" }).click()
  await page.getByText("Completed").first().waitFor()
  expect(await stateOf("tool_call")).toMatchObject({ input: { cents: 5_000 }, edited: { cents: 500 }, status: "done" })
  expect(wrong).toEqual([])
})

test.each([1440, 390])("a question is answered in the fields of its schema, at %d pixels", async (width) => {
  const { page, wrong } = await scene('/call ask_person {"question":"Which sofa fits?"}\n/then\n/say Thanks.', width)
  await page.getByText("Which sofa fits?").first().waitFor()
  await page.getByRole("button", { name: "Answer" }).click()
  await page.getByText("size is required").waitFor()
  await page.getByLabel("size").selectOption("large")
  await page.getByLabel("floor").fill("3")
  await page.getByLabel("lift").selectOption("true")
  await shoot(page, `answer-${width}`)
  await page.getByRole("button", { name: "Answer" }).click()
  await page.getByText("Completed").first().waitFor()
  expect(await stateOf("tool_call")).toMatchObject({ output: { size: "large", floor: 3, lift: true } })
  expect(wrong).toEqual([])
})

test.each([1440, 390])("a call with a worker shows who has it and how far it is, at %d pixels", async (width) => {
  const { page, wrong } = await scene('/call build {"ref":"main"}\n/then\n/say Built.', width)
  await page.getByText("Waits for a worker in the queue default").waitFor()
  let finish = (): void => undefined
  const worker = createToolWorker({
    server: server.url,
    name: "builder-7",
    tools: {
      build: (_: unknown, { progress }) => {
        progress({ message: "linking", fraction: 0.6 })
        return new Promise((resolve) => {
          finish = () => resolve("ok")
        })
      },
    },
  })
  await page.getByText("With builder-7").waitFor()
  await page.getByText("linking").waitFor()
  await shoot(page, `work-${width}`)
  finish()
  await page.getByText("Completed").first().waitFor()
  await worker.close()
  expect(wrong).toEqual([])
})

test("a message is written in the fields that the type says it has", async () => {
  const client = createClient({ url: server.url })
  await client.spawn("/till/one")
  const { page, wrong } = await browser.open(`${server.url}/agents/till/one`)
  const form = page.getByRole("form", { name: "Message" })
  await form.getByRole("button", { name: "Send" }).click()
  await form.getByText("item is required").waitFor()
  await form.getByLabel("item").selectOption("bread")
  await form.getByLabel("count").fill("many")
  await form.getByRole("button", { name: "Send" }).click()
  await form.getByText("count must be a number").waitFor()
  await form.getByLabel("count").fill("3")
  await form.getByRole("button", { name: "Send" }).click()
  await page.getByText('Sold: {"item":"bread","count":3}').first().waitFor()
  await expect.poll(() => form.getByLabel("count").inputValue()).toBe("")
  expect(wrong).toEqual([])
})

test("a quorum shows who has allowed it", async () => {
  const { page } = await scene('/call wire {"to":"DE02","cents":900000}')
  await page.getByText("0 of 2 have allowed it").waitFor()
  await page.getByRole("button", { name: "Allow" }).click()
  await page.getByText("1 of 2 have allowed it: local").waitFor()
  await shoot(page, "quorum-1440")
})
