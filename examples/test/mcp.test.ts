import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { createRequire } from "node:module"
import { defineEntity } from "@rouse/agents"
import { closeMcp, mcpHttp, mcpTools } from "@rouse/agents/mcp"
import type { AttachmentRow, ToolCallRow } from "@rouse/protocol"
import { afterAll, beforeAll, expect, test } from "vitest"
import { Harness } from "../../packages/server/test/harness.ts"
import { explorer } from "../mcp.ts"

let harness: Harness
let url = ""

const remote = defineEntity("remote", {
  async handler(ctx) {
    ctx.useAgent({
      systemPrompt: "",
      model: "rouse/echo",
      tools: await mcpTools({ name: "all", server: mcpHttp({ url }) }),
    })
    await ctx.agent.run()
  },
})

beforeAll(async () => {
  harness = await Harness.open({ entities: [explorer, remote], model: "rouse/echo" })
})
afterAll(async () => {
  await closeMcp()
  await harness.close()
})

test("an agent calls the tools of the reference server over stdio", async () => {
  await harness.spawn("/explorer/one")
  const settled = await harness.ask(
    "/explorer/one",
    '/call all_get-sum {"a":19,"b":23}\n/call all_get-tiny-image {}\n/call all_get-structured-content {"location":"Chicago"}\n' +
      '/call all_get-resource-links {"count":2}\n/call all_trigger-long-running-operation {"duration":0.3,"steps":3}',
  )
  expect(settled.status).toBe("processed")
  const calls = (await harness.rows<ToolCallRow>("/explorer/one", "tool_call")).map(({ value }) => value)
  const [sum, image, structured, links, long] = calls
  expect(calls.map(({ status, backend }) => [status, backend])).toEqual(
    Array.from({ length: 5 }, () => ["done", "mcp"]),
  )
  expect(sum?.output).toContain("42")
  expect(image?.output).toMatchObject([{ type: "text" }, { type: "attachment" }, {}])
  const made = await harness.rows<AttachmentRow>("/explorer/one", "attachment")
  expect(made.map(({ value }) => value.mediaType)).toEqual(["image/png"])
  expect(structured?.output).toMatchObject({ temperature: expect.anything() as unknown })
  expect(links?.output).toMatchObject([{ type: "text" }, { type: "resource_link" }, { type: "resource_link" }])
  expect(long?.output).toContain("completed")
})

test("the same over Streamable HTTP", async () => {
  const port = await freePort()
  const main = createRequire(import.meta.url).resolve("@modelcontextprotocol/server-everything/dist/index.js")
  const child = spawn(process.execPath, [main, "streamableHttp"], {
    env: { PATH: process.env["PATH"], PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  })
  try {
    await once(child.stderr, "data")
    url = `http://127.0.0.1:${port}/mcp`
    await expect
      .poll(() =>
        fetch(url).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true)
    await harness.spawn("/remote/one")
    await harness.ask("/remote/one", '/call all_echo {"message":"over HTTP"}')
    const [call] = await harness.rows<ToolCallRow>("/remote/one", "tool_call")
    expect(call?.value).toMatchObject({
      status: "done",
      backend: "mcp",
      output: expect.stringContaining("over HTTP") as string,
    })
  } finally {
    await closeMcp()
    child.kill("SIGKILL")
  }
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
