import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterEach, beforeEach, expect, test } from "vitest"
import { RouseError, defineEntity, secret } from "../src/index.ts"
import { closeMcp, mcpPrompt, mcpPrompts, mcpResource, mcpSource, mcpTools } from "../src/mcp.ts"
import type { McpOptions } from "../src/mcp.ts"
import { mcpStdio } from "../src/mcp-stdio.ts"
import type { McpStdioOptions } from "../src/mcp-stdio.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"

const SERVER = fileURLToPath(new URL("support/mcp-server.ts", import.meta.url))
const A = "/agent/one"
let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rouse-mcp-"))
})
afterEach(async () => {
  await closeMcp()
  await rm(directory, { recursive: true, force: true })
})

function fixture(options: Partial<McpOptions> = {}, stdio: Partial<McpStdioOptions> = {}): McpOptions {
  const env = { MCP_DIRECTORY: directory, ...stdio.env }
  return { name: "fix", ...options, server: mcpStdio({ command: process.execPath, args: [SERVER], ...stdio, env }) }
}

const lines = async (name: string): Promise<readonly string[]> =>
  (await readFile(join(directory, name), "utf8").catch(() => "")).split("\n").filter((line) => line !== "")

/** An agent whose model makes these calls, one a step. */
function agentWith(options: McpOptions, calls: readonly { readonly tool: string; readonly input?: object }[]) {
  const model = scriptedModel([
    ...calls.map(({ tool, input = {} }) => ({ calls: [{ tool, input } as never] })),
    "Done.",
    "Done.",
  ])
  const agent = defineEntity("agent", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model: "scripted", tools: await mcpTools(options) })
      await ctx.agent.run()
    },
  })
  return createTestRouse({ entities: [agent], models: { scripted: model } })
}

test("tools have safe names, in one order, with the server's schemas and an effect class by its hints", async () => {
  const tools = await mcpTools(fixture())
  const names = tools.map(({ name }) => name)
  expect(names).toEqual([...names].sort())
  expect(names.every((name) => /^[A-Za-z0-9_-]{1,64}$/.test(name))).toBe(true)
  const effects = Object.fromEntries(tools.map(({ name, effect }) => [name, effect]))
  expect(effects).toMatchObject({
    fix_add: "pure",
    fix_note: "idempotent",
    fix_charge: "once",
    fix_read_resource: "pure",
  })
  expect(names.find((name) => name.startsWith("fix_odd_name_of_a_tool_"))).toBeDefined()
  expect(tools.find(({ name }) => name === "fix_add")).toMatchObject({
    backend: "mcp",
    inputSchema: { type: "object", required: ["a", "b"], properties: { a: { type: "number" } } },
  })
  const own = await mcpTools(
    fixture({ effects: { charge: "idempotent" }, trustHints: false, include: ["add", "charge"] }),
  )
  expect(own.map(({ name, effect }) => [name, effect])).toEqual([
    ["fix_add", "once"],
    ["fix_charge", "idempotent"],
    ["fix_list_resources", "pure"],
    ["fix_read_resource", "pure"],
  ])
})

test("calls run on the server, bad input and its refusals fail the call, and one process serves every wake", async () => {
  const rouse = agentWith(fixture(), [
    { tool: "fix_add", input: { a: 1, b: 2 } },
    { tool: "fix_add", input: { a: "one" } },
    { tool: "fix_refuse" },
    { tool: "fix_list_resources" },
    { tool: "fix_read_resource", input: { uri: "rules://house" } },
    { tool: "fix_read_resource", input: { uri: "rules://none" } },
  ])
  await rouse.spawn(A)
  await rouse.ask(A, "go")
  const [sum, bad, refused, listed, read, none] = rouse.rows(A, "tool_call")
  expect(sum).toMatchObject({ status: "done", output: "3", backend: "mcp", effect: "pure" })
  expect(bad).toMatchObject({ status: "failed", error: expect.stringContaining("input") as string })
  expect(refused).toMatchObject({ status: "failed", error: "no such order" })
  expect(listed?.output).toMatchObject({
    resources: [
      { uri: "rules://house", name: "rules" },
      { uri: "chart://sales/q3.png", name: "chart" },
    ],
    templates: [],
    omitted: 0,
  })
  expect(read).toMatchObject({ status: "done", output: "No running." })
  expect(none).toMatchObject({ status: "failed" })
  await rouse.ask(A, "again")
  expect(await lines("starts")).toHaveLength(1)
})

test("prompts and resources are texts for the author too", async () => {
  const options = fixture()
  expect(await mcpPrompts(options)).toEqual([
    { name: "greet", description: "", arguments: [{ name: "who", required: true }] },
  ])
  expect(await mcpPrompt(options, "greet", { who: "Ada" })).toBe("Greet Ada.")
  await expect(mcpPrompt(options, "none")).rejects.toSatisfy((error) => RouseError.is(error, "BACKEND_REFUSED"))
  expect(await mcpResource(options, "rules://house")).toBe("No running.")
  const source = mcpSource(options, "rules://house", { name: "rules", tokens: 100 })
  expect(await source.load()).toBe("No running.")
})

test("a server that dies in a call is started again: what is idempotent runs again by its key, what is once is unknown", async () => {
  const rouse = agentWith(fixture(), [
    { tool: "fix_note" },
    { tool: "fix_charge" },
    { tool: "fix_add", input: { a: 1, b: 1 } },
  ])
  await rouse.spawn(A)
  await rouse.ask(A, "go")
  const [note, charge, sum] = rouse.rows(A, "tool_call")
  expect(note).toMatchObject({ status: "done", output: "noted" })
  expect(charge).toMatchObject({ status: "unknown" })
  expect(sum).toMatchObject({ status: "done", output: "2" })
  expect(await lines("notes")).toEqual([note?.idempotencyKey, note?.idempotencyKey])
  expect(await lines("charges")).toEqual([charge?.idempotencyKey])
  expect(await lines("starts")).toHaveLength(3)
})

test("a tool that the server adds is there at the next wake, and the list is not asked for without reason", async () => {
  const options = fixture()
  const tools = await mcpTools(options)
  const lists = await Promise.all(Array.from({ length: 20 }, () => mcpTools(fixture())))
  expect(lists.map(({ length }) => length)).toEqual(lists.map(() => tools.length))
  const rouse = agentWith(options, [{ tool: "fix_grow" }])
  await rouse.spawn(A)
  await rouse.ask(A, "go")
  await expect.poll(async () => (await mcpTools(options)).map(({ name }) => name)).toContain("fix_grown")
})

test("an interrupt reaches the server, and a server that does not answer is unknown after its time", async () => {
  const rouse = agentWith(fixture(), [{ tool: "fix_hang" }])
  await rouse.spawn(A)
  rouse.send(A, "go")
  const settled = rouse.settle()
  await expect.poll(() => lines("hangs")).toEqual(["begun"])
  rouse.signal(A, "interrupt")
  await settled
  await expect.poll(() => lines("hangs")).toEqual(["begun", "cancelled"])
  expect(rouse.rows(A, "tool_call")[0]?.status).toBe("unknown")

  const late = agentWith(fixture({ timeout: 200 }), [{ tool: "fix_hang" }])
  await late.spawn(A)
  await late.ask(A, "go")
  expect(late.rows(A, "tool_call")[0]).toMatchObject({ status: "unknown" })
})

test("a server that floods, or answers without end, is cut off, and serves again later", async () => {
  const rouse = agentWith(fixture(), [
    { tool: "fix_flood" },
    { tool: "fix_huge" },
    { tool: "fix_add", input: { a: 2, b: 2 } },
  ])
  await rouse.spawn(A)
  await rouse.ask(A, "go")
  const [flood, huge, sum] = rouse.rows(A, "tool_call")
  expect(flood).toMatchObject({ status: "unknown" })
  expect(huge).toMatchObject({ status: "unknown" })
  expect(sum).toMatchObject({ status: "done", output: "4" })
  expect(JSON.stringify(rouse.log(A)).length).toBeLessThan(100_000)
})

test("a server that cannot start fails the wake with its last words, without the secrets it was given", async () => {
  const broken = fixture({}, { env: { MCP_BROKEN: () => "hunter2hunter2" } })
  const error = await mcpTools(broken).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(RouseError.is(error, "BACKEND_FAILED")).toBe(true)
  expect(String(error)).toContain("cannot start with [redacted]")
  expect(await mcpTools({ ...broken, required: false })).toEqual([])
  const missing = mcpTools({ name: "none", server: mcpStdio({ command: "/there/is/no/such/program" }) })
  await expect(missing).rejects.toThrow(/cannot be reached: .*ENOENT/)
})

test("a program gets the environment it is given and no more, and secrets by name come from the context", async () => {
  process.env["MCP_OTHER"] = "leaked"
  const options = fixture({}, { env: { MCP_KEY: secret("KEY") } })
  await expect(mcpTools(options)).rejects.toThrow(/KEY cannot be found/)
  const tools = await mcpTools(options, { secret: async ({ name }) => `value of ${name}` })
  const whoami = tools.find(({ name }) => name === "fix_whoami")
  const output = await whoami?.execute({}, { idempotencyKey: "k", signal: new AbortController().signal } as never)
  expect(JSON.parse(String(output))).toEqual({ key: "value of KEY", other: null })
  delete process.env["MCP_OTHER"]
})

test("a server that nobody uses ends, and starts again when it is needed", async () => {
  const options = fixture({}, { idleMs: 50 })
  await mcpTools(options)
  const [pid] = await lines("starts")
  await expect.poll(() => isAlive(Number(pid))).toBe(false)
  expect(await mcpResource(options, "rules://house")).toBe("No running.")
  expect(await lines("starts")).toHaveLength(2)
})

test("an idle server does not keep its host alive", async () => {
  const script = `
    import { mcpTools } from "@rouse/agents/mcp"
    import { mcpStdio } from "@rouse/agents/mcp/stdio"
    const server = mcpStdio({ command: process.execPath, args: [process.argv[1]], env: { MCP_DIRECTORY: process.argv[2] } })
    console.log((await mcpTools({ name: "fix", server })).length)`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=@rouse/source", "--input-type=module", "-e", script, SERVER, directory],
    { cwd: fileURLToPath(new URL("..", import.meta.url)), timeout: 20_000 },
  )
  expect(Number(stdout)).toBeGreaterThan(5)
  const [pid] = await lines("starts")
  await expect.poll(() => isAlive(Number(pid))).toBe(false)
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test("bad options name the field", async () => {
  await expect(mcpTools(fixture({ name: "no spaces" }))).rejects.toThrow(/mcpTools: name must be/)
  await expect(mcpTools(fixture({ timeout: 0 }))).rejects.toThrow(/timeout must be/)
  expect(() => mcpStdio({ command: "" })).toThrow(/mcpStdio: command is required/)
})
