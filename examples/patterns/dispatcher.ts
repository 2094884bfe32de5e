import { defineEntity, type EntityDefinition } from "@rouse/agents"
import { z } from "zod"
import { MODEL, prompt, textOf } from "./model.ts"

/** A dispatcher: one address for customers, and behind it agents that each know one field. No process waits for their answers. */

const Desk = z.enum(["billing", "shipping"])

export const frontDesk = defineEntity("front-desk", {
  description: "Finds out who can help, asks there, and passes the answer on",
  async handler(ctx, wake) {
    const question = textOf(wake.messages)
    ctx.useAgent({ systemPrompt: `Answer with one word: ${Desk.options.join(" or ")}.`, model: MODEL })
    const guess = /invoice|refund|paid/i.test(question) ? "billing" : "shipping"
    const { text } = await ctx.agent.run(prompt(question, guess))
    const desk = Desk.parse(text.trim().toLowerCase())
    const url = ctx.spawn(desk, ctx.entity.id, {}, { wake: "never" })
    ctx.reply(await ctx.ask(url, question, { timeout: 600_000 }))
  },
})

export const [billing, shipping] = [deskFor("billing"), deskFor("shipping")]

function deskFor(desk: z.infer<typeof Desk>): EntityDefinition {
  return defineEntity(desk, {
    description: `Knows about ${desk}`,
    async handler(ctx, wake) {
      ctx.useAgent({ systemPrompt: `You know all about ${desk}. Answer in one sentence.`, model: MODEL })
      const asked = textOf(wake.messages)
      await ctx.agent.run(prompt(asked, `${desk} says: we look after "${asked}"`))
    },
  })
}
