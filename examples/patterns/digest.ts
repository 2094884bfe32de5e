import { defineEntity } from "@rouse/agents"
import { z } from "zod"
import { MODEL, prompt } from "./model.ts"

/** A scheduled digest: news is collected as it comes, and summed up for its reader every working day at nine. */

export const digest = defineEntity("digest", {
  description: "Collects news and sends its reader a digest",
  args: z.object({
    reader: z.templateLiteral(["/", z.string(), "/", z.string()]),
    timezone: z.string().default("UTC"),
  }),
  state: { news: { schema: z.object({ id: z.string(), text: z.string() }), key: "id" } },
  async handler(ctx, wake) {
    const { reader, timezone } = ctx.args
    const { news } = ctx.state
    ctx.schedule("daily", { cron: "0 9 * * 1-5", timezone }, "It is time.")
    for (const [n, { content, schedule }] of wake.messages.entries())
      if (schedule === undefined) news.insert({ id: `${wake.id}-${n}`, text: z.string().parse(content) })
    const all = news.list()
    if (!wake.messages.some(({ schedule }) => schedule !== undefined) || all.length === 0) return
    ctx.useAgent({ systemPrompt: "Sum up the news in three sentences.", model: MODEL })
    const lines = all.map(({ text }) => text)
    const { text } = await ctx.agent.run(prompt(lines.join("\n"), `Today: ${lines.join("; ")}`))
    ctx.send(reader, text)
    for (const { id } of all) news.delete(id)
  },
})

export const inbox = defineEntity("inbox", {
  description: "Whoever reads the digest",
  handler: (ctx, wake) => ctx.reply(wake.messages.length),
})
