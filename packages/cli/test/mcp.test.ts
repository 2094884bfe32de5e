import { fileURLToPath } from "node:url"
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import { afterAll, beforeAll, expect, test } from "vitest"
import { WITH_IMPORTS, directory, served, start } from "./harness.ts"
import type { Served } from "./harness.ts"

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url))
let place: Awaited<ReturnType<typeof directory>>
let server: Served

beforeAll(async () => {
  place = await directory({ "a.ts": WITH_IMPORTS })
  server = await served(place.path, ["dev", "a.ts"])
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await place[Symbol.asyncDispose]()
})

/** The official client, over a process of `rouse mcp`, as any MCP client starts it. */
async function overStdio(): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" })
  const args = ["--conditions=@rouse/source", MAIN, "mcp", "--url", server.url]
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args, cwd: place.path, stderr: "inherit" }),
  )
  return client
}

async function call(client: Client, name: string, input: Record<string, unknown>, meta?: Record<string, unknown>) {
  const result = await client.callTool({ name, arguments: input, ...(meta ? { _meta: meta } : {}) })
  return { ...result, value: result.structuredContent as never }
}

test("an MCP client makes agents, asks them, and reads what happened", async () => {
  const client = await overStdio()
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name).sort()).toEqual([
    "ask_agent",
    "list_agents",
    "list_types",
    "read_log",
    "read_state",
    "send_message",
    "spawn_agent",
  ])
  expect((await call(client, "list_types", {})).value).toMatchObject({
    types: [{ name: "assistant" }, { name: "picky" }],
  })
  const unknown = await call(client, "ask_agent", { agent: "/assistant/mcp", message: "hello" })
  expect(unknown).toMatchObject({
    isError: true,
    content: [{ text: expect.stringMatching(/UNKNOWN_ENTITY.*spawn_agent/) as string }],
  })
  const spawned = await call(client, "spawn_agent", { type: "picky", id: "mcp", args: { name: "Ada" } })
  expect(spawned.value).toMatchObject({ entity: { url: "/picky/mcp", args: { name: "Ada" } } })
  await call(client, "spawn_agent", { type: "assistant", id: "mcp" })
  const asked = await call(client, "ask_agent", { agent: "/assistant/mcp", message: "hello" })
  expect(asked.value).toMatchObject({ status: "processed", reply: "You said: hello" })
  const once = { "rouse/idempotencyKey": "the same" }
  const [sent, again] = [
    await call(client, "send_message", { agent: "/assistant/mcp", message: "psst" }, once),
    await call(client, "send_message", { agent: "/assistant/mcp", message: "psst" }, once),
  ]
  expect(sent.value).toEqual(again.value)
  const listed = await call(client, "list_agents", { type: "picky" })
  expect(listed.value).toMatchObject({ entities: [{ url: "/picky/mcp" }] })
  const state = await call(client, "read_state", { agent: "/assistant/mcp", collection: "notes" })
  expect(JSON.stringify(state.value)).toContain("hello")
  await client.close()
})

test("a log is read in pages, and is a resource", async () => {
  const client = await overStdio()
  await call(client, "spawn_agent", { type: "assistant", id: "log" })
  await call(client, "ask_agent", { agent: "/assistant/log", message: "first" })
  const first = await call(client, "read_log", { agent: "/assistant/log" })
  const { events, next } = first.value as {
    readonly events: readonly { readonly type: string }[]
    readonly next: string
  }
  expect(events.map(({ type }) => type)).toContain("message")
  await call(client, "ask_agent", { agent: "/assistant/log", message: "second" })
  const rest = await call(client, "read_log", { agent: "/assistant/log", after: next })
  expect(JSON.stringify(rest.value)).toContain("second")
  expect(JSON.stringify(rest.value)).not.toContain("first")
  const { resources } = await client.listResources()
  expect(resources.map(({ uri }) => uri)).toContain("rouse://log/assistant/log")
  const { contents } = await client.readResource({ uri: "rouse://log/assistant/log" })
  expect(JSON.stringify(contents)).toContain("second")
  const bad = await call(client, "read_log", { agent: "nonsense" })
  expect(bad.isError).toBe(true)
  await client.close()
})

test("over HTTP on this machine, and not for another site's page", async () => {
  const serving = start(["mcp", "--port", "0", "--json", "--url", server.url], { cwd: place.path })
  const [line] = await serving.until("out", /^\{"url".*\}$/m)
  const { url } = JSON.parse(line) as { readonly url: string }
  const client = new Client({ name: "test", version: "1.0.0" })
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  expect((await call(client, "list_types", {})).value).toMatchObject({
    types: [{ name: "assistant" }, { name: "picky" }],
  })
  await client.close()
  const evil = await fetch(url, { method: "POST", headers: { origin: "https://evil.example" }, body: "{}" })
  expect(evil.status).toBe(403)
  serving.child.kill("SIGTERM")
  expect(await serving.finished).toMatchObject({ code: 0, err: "" })
})

test("ends when its client goes away", async () => {
  const serving = start(["mcp", "--url", server.url], { cwd: place.path, input: "" })
  expect(await serving.finished).toEqual({ code: 0, out: "", err: "" })
})
