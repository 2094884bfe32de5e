import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { defineEntity, humanTool, tool, workerTool } from "@rouse/agents"
import { mcpTools } from "@rouse/agents/mcp"
import { mcpStdio } from "@rouse/agents/mcp/stdio"
import { sandboxTools } from "@rouse/agents/sandbox"
import { localSandbox } from "@rouse/agents/sandbox/local"
import type { EntityDefinition } from "@rouse/agents/runtime"
import { z } from "zod"

/** Agents that do on a page everything a page has to show, on the offline model. */

const add = tool({
  name: "add",
  description: "Adds two numbers",
  input: z.object({ a: z.number(), b: z.number() }),
  effect: "pure",
  execute: ({ a, b }) => ({ sum: a + b }),
})

const refund = tool({
  name: "refund",
  description: "Refunds an order",
  input: z.object({ order: z.string(), cents: z.number() }),
  effect: "once",
  approval: true,
  execute: ({ order, cents }) => ({ order, refunded: cents }),
})

const broken = tool({
  name: "broken",
  description: "Never works",
  input: z.object({}),
  effect: "pure",
  execute: () => {
    throw new Error("the warehouse does not answer")
  },
})

const ask = humanTool({
  name: "ask_person",
  description: "Asks a person",
  answer: z.object({
    size: z.enum(["small", "large"]).describe("What fits"),
    floor: z.number(),
    lift: z.boolean(),
    remark: z.string().optional(),
  }),
  deadline: 3_600_000,
})

const build = workerTool({
  name: "build",
  description: "Builds a commit",
  input: z.object({ ref: z.string() }),
  effect: "idempotent",
})

const wire = tool({
  name: "wire",
  description: "Moves money",
  input: z.object({ to: z.string(), cents: z.number() }),
  effect: "once",
  approval: { quorum: 2, deadlineMs: 7_200_000 },
  execute: ({ cents }) => ({ cents }),
})

export const assistant: EntityDefinition = defineEntity("assistant", {
  description: "Answers whatever it is asked",
  async handler(ctx) {
    ctx.useAgent({
      systemPrompt: "You help.",
      model: "rouse/echo",
      tools: [...ctx.tools, add, refund, broken, ask, build, wire],
    })
    await ctx.agent.run()
  },
})

export const clerk: EntityDefinition = defineEntity("clerk", {
  description: "Works for one customer",
  args: z.object({
    customer: z.string().describe("Who it works for"),
    tone: z.enum(["formal", "friendly"]).default("friendly"),
  }),
  async handler(ctx) {
    ctx.tag("customer", ctx.args.customer)
    ctx.useAgent({ systemPrompt: "You help.", model: "rouse/echo", tools: [...ctx.tools, refund] })
    await ctx.agent.run()
  },
})

export const crasher: EntityDefinition = defineEntity("crasher", {
  description: "Fails at whatever it does",
  handler() {
    throw new Error("a mistake in the handler")
  },
})

/** Where its workspaces are, and its MCP server leaves its notes. Removed by the test that uses it. */
export const STUDIO: string = mkdtempSync(join(tmpdir(), "rouse-ui-studio-"))
const MCP_SERVER = fileURLToPath(new URL("../../../agents/test/support/mcp-server.ts", import.meta.url))

export const painter: EntityDefinition = defineEntity("painter", {
  description: "Makes files, and has them made",
  async handler(ctx) {
    const server = mcpStdio({ command: process.execPath, args: [MCP_SERVER], env: { MCP_DIRECTORY: STUDIO } })
    const tools = [...sandboxTools(localSandbox({ directory: STUDIO })), ...(await mcpTools({ name: "art", server }))]
    ctx.useAgent({ systemPrompt: "You paint.", model: "rouse/echo", tools: [...ctx.tools, ...tools] })
    await ctx.agent.run()
  },
})

/** Takes orders, and nothing else. */
export const till: EntityDefinition = defineEntity("till", {
  description: "Takes orders",
  message: z.object({
    item: z.enum(["bread", "milk"]).describe("What is wanted"),
    count: z.number(),
    note: z.string().optional(),
  }),
  handler(ctx, wake) {
    for (const { content } of wake.messages) ctx.reply(`Sold: ${JSON.stringify(content)}`)
  },
})
