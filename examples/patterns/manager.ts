import { defineEntity } from "@rouse/agents"
import { z } from "zod"
import { MODEL, prompt } from "./model.ts"

/** Manager and workers: one agent splits the work, others do it side by side, and the first makes one answer of it. */

export const lead = defineEntity("lead", {
  description: "Takes a list of questions, has each looked into, and sums up",
  async handler(ctx, wake) {
    for (const { content } of wake.messages) {
      // Remembered, so that a retry spawns the same ones.
      const first = await ctx.step("first", () => ctx.children.length)
      for (const [n, question] of z.array(z.string()).parse(content).entries())
        ctx.spawn("researcher", `${ctx.entity.id}-${first + n}`, { question }, { message: "Find out." })
    }
    if (ctx.children.some(({ status }) => status === "running")) return ctx.suspend()
    const found = ctx.children.map(({ reply }) => `- ${typeof reply === "string" ? reply : "nothing was found"}`)
    ctx.useAgent({ systemPrompt: "You sum up what others found out.", model: MODEL })
    await ctx.agent.run(prompt(`Sum this up:\n${found.join("\n")}`, `Found: ${found.join(" ")}`))
  },
})

export const researcher = defineEntity("researcher", {
  description: "Looks into one question",
  args: z.object({ question: z.string() }),
  async handler(ctx) {
    const { question } = ctx.args
    ctx.useAgent({ systemPrompt: "Answer in one sentence.", model: MODEL })
    await ctx.agent.run(prompt(question, `what is known of "${question}"`))
  },
})
