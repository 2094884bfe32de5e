import { defineEntity, tool } from "@rouse/agents"
import { z } from "zod"
import { offline } from "./offline.ts"

/** What stands for the shop's own services: they honour the key that comes with a call. */
const orders: Record<string, { item: string; cents: number; status: string } | undefined> = {
  "1042": { item: "Moka pot", cents: 4_900, status: "delivered on Monday" },
  "2077": { item: "Espresso machine", cents: 48_900, status: "delivered yesterday" },
}
const refunds = new Map<string, { order: string; cents: number; refund: string }>()

const findOrder = tool({
  name: "find_order",
  description: "Looks an order up by its number",
  input: z.object({ order: z.string() }),
  effect: "pure",
  execute: ({ order }) => orders[order] ?? { status: "unknown" },
})

const refund = tool({
  name: "refund",
  description: "Pays the price of an order back",
  input: z.object({ order: z.string(), cents: z.int().positive() }),
  effect: "idempotent",
  approval: ({ cents }) => cents > 10_000,
  execute: ({ order, cents }, { idempotencyKey }) => {
    const done = refunds.get(idempotencyKey) ?? { order, cents, refund: `R-${order}` }
    refunds.set(idempotencyKey, done)
    return done
  },
})

export const support = defineEntity("support", {
  description: "Helps the customers of a coffee shop",
  args: z.object({ customer: z.string() }),
  message: z.string().min(1),
  async handler(ctx) {
    ctx.useAgent({
      systemPrompt: `You help ${ctx.args.customer}, a customer of a coffee shop. Look orders up before you answer. Write Markdown.`,
      model: process.env["ANTHROPIC_API_KEY"] ? "claude-sonnet-4-5" : offline,
      tools: [findOrder, refund],
    })
    await ctx.agent.run()
  },
})
