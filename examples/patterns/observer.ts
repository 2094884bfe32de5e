import { defineEntity } from "@rouse/agents"
import { z } from "zod"
import { MODEL, prompt } from "./model.ts"

/**
 * A reactive observer: it is asked nothing. Orders that an app writes to a stream rouse it when they are large, many at once as one wake; a
 * silence of an hour rouses it too.
 */

const Order = z.object({ id: z.string(), cents: z.int() })
const LARGE_CENTS = 10_000

export const auditor = defineEntity("auditor", {
  description: "Looks at large orders as they come",
  args: z.object({ orders: z.string() }),
  state: { flagged: { schema: z.object({ id: z.string(), why: z.string() }), key: "id" } },
  async handler(ctx, wake) {
    const where = { cents: { gte: LARGE_CENTS } }
    ctx.observe(ctx.args.orders, { name: "large", where, debounce: 200, timeout: 3_600_000 })
    for (const { changes } of wake.changes)
      for (const { row } of changes) {
        const { id, cents } = Order.parse(row)
        ctx.useAgent({ systemPrompt: "Say in a few words what to check about this order.", model: MODEL })
        const { text } = await ctx.agent.run(prompt(`Order ${id}: ${cents} cents`, `check the buyer of ${id}`))
        if (!ctx.state.flagged.get(id)) ctx.state.flagged.insert({ id, why: text })
      }
    if (wake.timeouts.length > 0) ctx.tag("quiet", "no large order for an hour")
    else if (wake.changes.length > 0) ctx.tag("quiet", null)
  },
})
