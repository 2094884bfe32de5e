import { rm } from "node:fs/promises"
import { createClient } from "@rouse/client"
import { closeMcp } from "@rouse/agents/mcp"
import type { AttachmentInfo } from "@rouse/protocol"
import type { Locator, Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { openBrowser } from "./support/browser.ts"
import type { TestBrowser } from "./support/browser.ts"
import { buildPage } from "./support/build.ts"
import { STUDIO } from "./support/entities.ts"
import { startServer } from "./support/server.ts"
import type { TestServer } from "./support/server.ts"

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg=="

let browser: TestBrowser
let server: TestServer

beforeAll(async () => {
  await buildPage()
  browser = await openBrowser()
  server = await startServer()
})

afterAll(async () => {
  await browser?.close()
  await server?.close()
  await closeMcp()
  await rm(STUDIO, { recursive: true, force: true })
})

/** The one card of a tool, and the files in it. */
function filesOf(page: Page, tool: string): Locator {
  const card = page.getByRole("group", { name: `Tool call ${tool}, done` })
  return card.getByRole("list", { name: "Files" }).getByRole("listitem")
}

/** The width of a picture as it is on the page: 0 when it is broken. */
const widthOf = (item: Locator): Promise<number> =>
  item.getByRole("img").evaluate((image) => (image as unknown as { readonly naturalWidth: number }).naturalWidth)

test("what sandboxes and MCP servers make is on the cards of their tools, and goes on to other agents", async () => {
  const client = createClient({ url: server.url })
  await client.spawn("/painter/one")
  await client.spawn("/assistant/friend")
  const script = [
    `/call shell {"command":"printf %s '${PNG}' | base64 -d > art.png; echo a,b > table.csv"}`,
    '/call read_file {"path":"art.png"}',
    '/call attach_file {"path":"table.csv"}',
    "/call art_picture {}",
    "/say Painted.",
  ].join("\n/then\n")
  expect(await client.ask("/painter/one", script)).toMatchObject({ reply: "Painted." })
  const { rows } = await client.state("/painter/one", "tool_call")
  const art = ((rows[1]?.value ?? {}) as { readonly output?: AttachmentInfo }).output
  const send = { to: "/assistant/friend", content: "/say I see it.", files: [art?.id] }
  await client.ask("/painter/one", `/call send ${JSON.stringify(send)}`)

  const { page, wrong } = await browser.open(`${server.url}/agents/painter/one`)
  await expect.poll(() => widthOf(filesOf(page, "read_file"))).toBe(2)
  await filesOf(page, "attach_file").getByText("table.csv").waitFor()
  const made = filesOf(page, "art_picture")
  await expect.poll(() => widthOf(made.first())).toBe(1)
  await made.nth(1).getByText("beep.wav").waitFor()
  expect(await made.count()).toBe(2)

  const friend = await browser.open(`${server.url}/agents/assistant/friend`)
  const arrived = friend.page.getByRole("region", { name: "Timeline" }).getByRole("list", { name: "Files" })
  await expect.poll(() => widthOf(arrived.getByRole("listitem").first())).toBe(2)
  await friend.page.getByText("I see it.").last().waitFor()
  expect([...wrong, ...friend.wrong]).toEqual([])
})
