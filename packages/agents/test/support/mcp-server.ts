/** A real MCP server over the official SDK, over stdio, with tools that do what servers should and should not do. */
import { appendFileSync, existsSync, writeFileSync } from "node:fs"
import { McpServer } from "@modelcontextprotocol/server"
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio"
import { z } from "zod"

const directory = process.env["MCP_DIRECTORY"] ?? "."
const file = (name: string): string => `${directory}/${name}`
appendFileSync(file("starts"), `${process.pid}\n`)
if (process.env["MCP_BROKEN"]) {
  process.stderr.write(`cannot start with ${process.env["MCP_BROKEN"]}\n`)
  process.exit(3)
}

const server = new McpServer({ name: "fixture", version: "1.0.0" })
const text = (said: string) => ({ content: [{ type: "text" as const, text: said }] })
const record = (name: string, meta: unknown): void =>
  appendFileSync(file(name), `${String((meta as Record<string, unknown> | undefined)?.["rouse/idempotencyKey"])}\n`)

/** Dies in the middle of its first call: the effect is done and the answer is not sent. */
function dieOnce(name: string): void {
  if (existsSync(file(name))) return
  writeFileSync(file(name), "")
  process.kill(process.pid, "SIGKILL")
}

server.registerTool(
  "add",
  { inputSchema: z.object({ a: z.number(), b: z.number() }), annotations: { readOnlyHint: true } },
  ({ a, b }) => text(String(a + b)),
)
server.registerTool("note", { inputSchema: z.object({}), annotations: { idempotentHint: true } }, (_, ctx) => {
  record("notes", ctx.mcpReq._meta)
  dieOnce("note-died")
  return text("noted")
})
server.registerTool("charge", { inputSchema: z.object({}) }, (_, ctx) => {
  record("charges", ctx.mcpReq._meta)
  dieOnce("charge-died")
  return text("charged")
})
server.registerTool("hang", { inputSchema: z.object({}) }, async (_, ctx) => {
  appendFileSync(file("hangs"), "begun\n")
  await new Promise<void>((resolve) => ctx.mcpReq.signal.addEventListener("abort", () => resolve()))
  appendFileSync(file("hangs"), "cancelled\n")
  return text("never read")
})
server.registerTool("flood", { inputSchema: z.object({}) }, async () => {
  for (let index = 0; index < 100_000; index += 1) {
    process.stdout.write('{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}\n')
    if (index % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return text("flooded")
})
server.registerTool("huge", { inputSchema: z.object({}) }, () => text("x".repeat(20 * 1024 * 1024)))
server.registerTool("refuse", { inputSchema: z.object({}) }, () => ({ ...text("no such order"), isError: true }))
server.registerTool("grow", { inputSchema: z.object({}) }, () => {
  server.registerTool("grown", { inputSchema: z.object({}) }, () => text("I am new"))
  return text("grown")
})
server.registerTool("whoami", { inputSchema: z.object({}) }, () =>
  text(JSON.stringify({ key: process.env["MCP_KEY"], other: process.env["MCP_OTHER"] ?? null })),
)
server.registerTool("odd.name/of a tool", { inputSchema: z.object({}) }, () => text("odd"))
server.registerResource("rules", "rules://house", { description: "The rules" }, (uri) => ({
  contents: [{ uri: uri.href, text: "No running." }],
}))
/** A picture of one dot. */
const DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
server.registerTool("picture", { inputSchema: z.object({}) }, () => ({
  content: [
    { type: "text", text: "A dot." },
    { type: "image", data: DOT, mimeType: "image/png" },
    { type: "resource", resource: { uri: "file:///sounds/beep.wav", mimeType: "audio/wav", blob: "UklGRg==" } },
  ],
}))
server.registerResource("chart", "chart://sales/q3.png", {}, (uri) => ({
  contents: [{ uri: uri.href, mimeType: "image/png", blob: DOT }],
}))
server.registerPrompt("greet", { argsSchema: z.object({ who: z.string() }) }, ({ who }) => ({
  messages: [{ role: "user", content: { type: "text", text: `Greet ${who}.` } }],
}))

await server.connect(new StdioServerTransport())
