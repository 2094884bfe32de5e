import { defineEntity, humanTool, tool, workerTool } from "@rouse/agents"
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
