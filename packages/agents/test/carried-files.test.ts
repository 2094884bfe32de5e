import { mkdtemp, readFile, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider"
import type { AttachmentInfo } from "@rouse/protocol"
import { afterEach, beforeEach, expect, test } from "vitest"
import { nameByType, nameOfPath, typeByName } from "@rouse/protocol/media-types"
import { defineEntity } from "../src/index.ts"
import type { Tool } from "../src/index.ts"
import { closeMcp, mcpTools } from "../src/mcp.ts"
import { mcpStdio } from "../src/mcp-stdio.ts"
import { localSandbox } from "../src/sandbox-local.ts"
import { sandboxTools } from "../src/sandbox.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"

const A = "/agent/one"
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
const BYTES = new Uint8Array(Buffer.from(PNG, "base64"))
const SERVER = fileURLToPath(new URL("support/mcp-server.ts", import.meta.url))
let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rouse-carried-"))
})
afterEach(async () => {
  await closeMcp()
  await rm(directory, { recursive: true, force: true })
})

type Call = { readonly tool: string; readonly input: Record<string, unknown> }

/** An agent that makes these calls, one a step, and what its model was asked. It sees files in results, as Anthropic's do. */
function agentWith(tools: () => readonly Tool[] | Promise<readonly Tool[]>, calls: readonly Call[]) {
  const prompts: LanguageModelV4CallOptions["prompt"][] = []
  const inner = scriptedModel([...calls.map((call) => ({ calls: [call as never] })), "Done."])
  const model: LanguageModelV4 = {
    ...inner,
    specificationVersion: "v4",
    supportedUrls: {},
    provider: "anthropic.messages",
    modelId: "seeing",
    doGenerate: () => Promise.reject(new Error("streams only")),
    doStream: async (call) => {
      prompts.push(call.prompt)
      return inner.doStream(call)
    },
  }
  const agent = defineEntity("agent", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model: "seeing", tools: [...ctx.tools, ...(await tools())] })
      await ctx.agent.run()
    },
  })
  const idle = defineEntity("idle", { handler: async (ctx) => ctx.reply("ok") })
  return { rouse: createTestRouse({ entities: [agent, idle], models: { seeing: model } }), prompts }
}

/** The files that a prompt shows, as bytes. */
function filesIn(value: unknown): readonly Uint8Array[] {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return []
  const { type, data } = value as { readonly type?: string; readonly data?: { readonly data: Uint8Array } }
  if (type === "file" && data) return [data.data]
  return Object.values(value).flatMap(filesIn)
}

test("what an MCP server answers in bytes is attached, and shown to a model that sees", async () => {
  const server = {
    name: "fix",
    server: mcpStdio({ command: process.execPath, args: [SERVER], env: { MCP_DIRECTORY: directory } }),
  }
  const { rouse, prompts } = agentWith(
    () => mcpTools(server),
    [
      { tool: "fix_picture", input: {} },
      { tool: "fix_read_resource", input: { uri: "chart://sales/q3.png" } },
    ],
  )
  await rouse.spawn(A)
  await rouse.ask(A, "draw")
  const [drawn, read] = rouse.rows(A, "tool_call")
  expect(drawn?.output).toMatchObject([
    { type: "text", text: "A dot." },
    { type: "attachment", name: "picture-1.png", mediaType: "image/png", size: BYTES.length },
    { type: "attachment", name: "beep.wav", mediaType: "audio/wav", size: 4 },
  ])
  // The same bytes are one attachment, under its first name.
  expect(read?.output).toMatchObject([{ type: "attachment", name: "picture-1.png" }])
  expect(rouse.rows(A, "attachment")).toMatchObject([
    { name: "picture-1.png", call: drawn?.id },
    { name: "beep.wav", call: drawn?.id },
  ])
  expect(filesIn(prompts[1])).toEqual([BYTES])
  expect(JSON.stringify(rouse.rows(A, "tool_call"))).not.toContain(PNG.slice(0, 40))
})

test("a sandbox's files are attached, shown, and sent on; an attachment is placed in it", async () => {
  const tools = sandboxTools(localSandbox({ directory }), { shellEffect: "idempotent" })
  const make = `printf %s '${PNG}' | base64 -d > dot.png; printf 'a,b\\n1,2\\n' > table.csv; printf 'a\\0b' > data.bin`
  const id = Buffer.from(await crypto.subtle.digest("SHA-256", BYTES)).toString("hex")
  const { rouse, prompts } = agentWith(
    () => tools,
    [
      { tool: "shell", input: { command: make } },
      { tool: "read_file", input: { path: "dot.png" } },
      { tool: "attach_file", input: { path: "table.csv" } },
      { tool: "attach_file", input: { path: "data.bin" } },
      { tool: "place_file", input: { id, path: "copies/dot.png" } },
      { tool: "place_file", input: { id: "0".repeat(64), path: "x" } },
      { tool: "attach_file", input: { path: "../secret" } },
      { tool: "send", input: { to: "/idle/x", content: "A dot", files: [id] } },
      { tool: "send", input: { to: "/idle/x", content: "Nothing", files: ["0".repeat(64)] } },
      { tool: "spawn", input: { type: "idle", id: "y", message: "A dot", files: [id] } },
    ],
  )
  await rouse.spawn(A)
  await rouse.spawn("/idle/x")
  await rouse.ask(A, "draw")
  await rouse.settle()
  const calls = rouse.rows(A, "tool_call")
  expect(calls[1]?.output).toMatchObject({ type: "attachment", id, name: "dot.png", mediaType: "image/png" })
  expect(calls[2]?.output).toMatchObject({ name: "table.csv", mediaType: "text/csv", size: 8 })
  expect(calls[3]?.output).toMatchObject({ name: "data.bin", mediaType: "application/octet-stream" })
  expect(filesIn(prompts[2])).toEqual([BYTES])
  const [workspace = ""] = await readdir(directory)
  expect(new Uint8Array(await readFile(join(directory, workspace, "copies/dot.png")))).toEqual(BYTES)
  expect(calls.slice(5, 7)).toMatchObject([
    { status: "failed", error: expect.stringContaining("no attachment") as string },
    { status: "failed", error: expect.stringContaining("leads out") as string },
  ])
  expect(calls.slice(7)).toMatchObject([
    { status: "done" },
    { status: "failed", error: expect.stringContaining("has no attachment") as string },
    { status: "done" },
  ])
  const arrived = { content: "A dot", attachments: [{ id, name: "dot.png" }] }
  expect(rouse.rows("/idle/x", "message")).toMatchObject([arrived])
  expect(rouse.rows("/idle/y", "message")).toMatchObject([arrived])
  expect(rouse.rows("/idle/y", "attachment")).toMatchObject([{ id, by: { kind: "agent", id: A } }])
})

test("files that cannot be sent are refused by their names", async () => {
  const said: string[] = []
  const agent = defineEntity("agent", {
    async handler(ctx) {
      const file = (await ctx.attachments.put("x", { name: "x" })) satisfies AttachmentInfo
      const attempts = [
        () => ctx.send(A, "x", { files: ["short"] }),
        () => ctx.send(A, "x", { files: Array.from({ length: 33 }, () => file) }),
        () => ctx.send(A, "x", { files: "x" as never }),
        () => ctx.send(A, "x", { files: [null as never] }),
        () => ctx.spawn("agent", "y", {}, { files: [file] }),
      ]
      for (const attempt of attempts) {
        try {
          attempt()
        } catch (error) {
          said.push((error as Error).message)
        }
      }
    },
  })
  const rouse = createTestRouse({ entities: [agent] })
  await rouse.spawn(A)
  await rouse.ask(A, "go")
  expect(said).toEqual([
    "files[0]: is not an attachment, or the id of one",
    "files: a message brings at most 32",
    "files: must be a list of attachments, or of their ids",
    "files[0]: is not an attachment, or the id of one",
    "files: come with a message; give one",
  ])
})

test("files have types by their names, and names by their types", () => {
  expect(["a.PNG", "b.tar.gz", "c", "d.unknown"].map(typeByName)).toEqual([
    "image/png",
    "application/gzip",
    undefined,
    undefined,
  ])
  expect([nameByType("x", "image/jpeg; q=1"), nameByType("x", "a/b")]).toEqual(["x.jpg", "x"])
  expect(["file:///a/b c.txt?x=1", "a\\b\\<c>.png", "https://a.b/", "…/.."].map(nameOfPath)).toEqual([
    "b c.txt",
    "-c-.png",
    undefined,
    undefined,
  ])
})
