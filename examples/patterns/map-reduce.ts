import { defineEntity } from "@rouse/agents"
import { z } from "zod"
import { MODEL, prompt, textOf } from "./model.ts"

/** Map and reduce: a child for each document, however many there are, and one count of all their words. */

const Counts = z.record(z.string(), z.int())

export const wordCount = defineEntity("word-count", {
  description: "Takes a list of documents and counts their words, each document in an agent of its own",
  async handler(ctx, wake) {
    for (const { content } of wake.messages)
      for (const [n, text] of z.array(z.string()).parse(content).entries())
        ctx.spawn("mapper", `${ctx.entity.id}-${n}`, {}, { message: text })
    if (ctx.children.some(({ status }) => status === "running")) return ctx.suspend()
    const total: Record<string, number> = {}
    for (const { reply } of ctx.children)
      for (const [word, count] of Object.entries(Counts.parse(reply))) total[word] = (total[word] ?? 0) + count
    ctx.reply(total)
  },
})

export const mapper = defineEntity("mapper", {
  description: "Has a model read one document, and counts the words of what it says",
  async handler(ctx, wake) {
    ctx.useAgent({ systemPrompt: "Say what the text says, in plain words.", model: MODEL })
    const document = textOf(wake.messages)
    const { text } = await ctx.agent.run(prompt(document, document))
    const words = text.toLowerCase().match(/\p{L}+/gu) ?? []
    ctx.reply(Object.fromEntries([...Map.groupBy(words, (word) => word)].map(([word, all]) => [word, all.length])))
  },
})
