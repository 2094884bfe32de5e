import { defineEntity, tool } from "@rouse/agents"
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

export const assistant: EntityDefinition = defineEntity("assistant", {
  description: "Answers whatever it is asked",
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You help.", model: "rouse/echo", tools: [...ctx.tools, add, refund, broken] })
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
