import { defineEntity, tool } from "@rouse/agents"
import { z } from "zod"
import { payments } from "./payments.ts"

const refund = tool({
  name: "refund",
  description: "Refund an order",
  input: z.object({ order: z.string(), cents: z.number().int().positive() }),
  effect: "reconcilable",
  approval: ({ cents }) => cents > 10_000,
  execute: ({ order, cents }, { idempotencyKey }) => payments.refund(order, cents, idempotencyKey),
  reconcile: ({ order }, { idempotencyKey }) => payments.findRefund(order, idempotencyKey),
})

export const support = defineEntity("support", {
  description: "Answers customers and refunds orders",
  args: z.object({ customer: z.string() }),
  state: { notes: { schema: z.object({ id: z.string(), text: z.string() }), key: "id" } },
  async handler(ctx, wake) {
    const note = tool({
      name: "note",
      description: "Remember something about this customer",
      input: z.object({ text: z.string() }),
      effect: "idempotent",
      execute: ({ text }, { idempotencyKey }) => {
        const id = idempotencyKey
        if (ctx.state.notes.get(id) === undefined) ctx.state.notes.insert({ id, text })
        return { noted: text }
      },
    })
    ctx.useAgent({
      systemPrompt: `You are a support agent. The customer is ${ctx.args.customer}.`,
      model: "claude-sonnet-4-5",
      tools: [...ctx.tools, refund, note],
    })
    if (wake.first) ctx.tag("customer", ctx.args.customer)
    await ctx.agent.run()
  },
})
