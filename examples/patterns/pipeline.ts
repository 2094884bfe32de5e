import { defineEntity, defineShared } from "@rouse/agents"
import { z } from "zod"
import { MODEL, prompt, textOf } from "./model.ts"

/**
 * A pipeline: a piece of work goes through stages, each an agent that hands it on and is done. `/draft/{name}` makes `/edit/{name}`, which
 * makes `/publish/{name}`; as many pieces as there are names are under way at once, and what is finished stands on one shelf.
 */

const Piece = z.object({ name: z.string(), text: z.string() })

export const shelf = defineShared("shelf", { collections: { pieces: { schema: Piece, key: "name" } } })

export const draft = defineEntity("draft", {
  description: "Writes about what it is told",
  async handler(ctx, wake) {
    ctx.useAgent({ systemPrompt: "Write one paragraph about it.", model: MODEL })
    const topic = textOf(wake.messages)
    const { text } = await ctx.agent.run(prompt(`Write about ${topic}`, `something about ${topic}`))
    ctx.spawn("edit", ctx.entity.id, {}, { wake: "never", message: text })
  },
})

export const edit = defineEntity("edit", {
  description: "Makes a text better",
  async handler(ctx, wake) {
    ctx.useAgent({ systemPrompt: "Make the text shorter and clearer.", model: MODEL })
    const written = textOf(wake.messages)
    const { text } = await ctx.agent.run(prompt(written, `${written}, edited`))
    ctx.spawn("publish", ctx.entity.id, {}, { wake: "never", message: text })
  },
})

export const publish = defineEntity("publish", {
  description: "Puts what is finished on the shelf",
  async handler(ctx, wake) {
    const { pieces } = ctx.shared("shelf", shelf)
    await pieces.insert({ name: ctx.entity.id, text: textOf(wake.messages) })
  },
})
