import { createClient } from "@rouse/client"
import { expect, onTestFinished, test } from "vitest"
import { openBrowser } from "./support/browser.ts"
import { buildPage } from "./support/build.ts"
import { startServer } from "./support/server.ts"

test("the types say where their handlers are, how they answer and which version begins runs", async () => {
  await buildPage()
  const server = await startServer()
  onTestFinished(() => server.close())
  const browser = await openBrowser()
  onTestFinished(() => browser.close())
  for (const version of ["v1", "v2"]) {
    const body = JSON.stringify({ dispatch: { kind: "pull" }, version, description: "Takes orders" })
    const headers = { "content-type": "application/json" }
    await fetch(`${server.url}/v1/types/orders`, { method: "PUT", body, headers })
  }
  await createClient({ url: server.url }).route("orders", { kind: "canary", version: "v2", percent: 10, base: "v1" })
  const { page, wrong } = await browser.open(`${server.url}/types`)
  const orders = page.getByRole("listitem").filter({ hasText: "Takes orders" })
  await orders.getByText("10 % begin in v2, the others in v1").waitFor()
  await orders.getByText("Runs in workers that ask for wakes").first().waitFor()
  const versions = page.getByRole("list", { name: "Versions of orders" }).getByRole("listitem")
  expect(await versions.allTextContents()).toEqual([
    expect.stringMatching(/^v2.*no worker$/),
    expect.stringMatching(/^v1.*no worker$/),
  ])
  await page.getByText("Runs in the server").first().waitFor()
  expect(wrong).toEqual([])
}, 120_000)
