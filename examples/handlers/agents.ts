import { defineEntity, tool } from "@rouse/agents"
import { z } from "zod"

const weigh = tool({
  name: "weigh",
  description: "Says what a parcel weighs, in grams",
  input: z.object({ parcel: z.string() }),
  effect: "pure",
  execute: ({ parcel }) => ({ grams: parcel.length * 100 }),
})

/** One definition: it runs in the server's process, behind a webhook or in a worker, and cannot tell which. */
export const parcels = defineEntity("parcels", {
  description: "Answers questions about parcels",
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You answer questions about parcels.", model: "rouse/echo", tools: [weigh] })
    await ctx.agent.run()
  },
})
