/** What `step` and `in-flight` run on `rouse start`: agents whose model and tools take no time, or a known one. */
import { defineEntity, type EntityDefinition, tool, type Tool } from "@rouse/agents"
import { scriptedModel } from "@rouse/agents/testing"
import { z } from "zod"

/** Steps of one run: the last one has no tool call. */
const STEPS = 20
/** How long the slow model takes to begin its answer. */
const SLOW_MS = 5_000
const PRICE = { input: 1, output: 1 }

/** When the model was asked, milliseconds; and what the model and tools took since, which is not the platform's. */
interface Book {
  readonly askedAt: number[]
}

function look(effect: "pure" | "once"): Tool {
  return tool({ name: "look", description: "Looks", input: z.object({}), effect, execute: () => ({ seen: true }) })
}

/** An agent of many steps that replies with the milliseconds from each model call to the next. */
function stepping(name: string, effect: "pure" | "once", more: object = {}): EntityDefinition {
  return defineEntity(name, {
    ...more,
    async handler(ctx) {
      const book: Book = { askedAt: [] }
      const model = scriptedModel((_, answers) => {
        book.askedAt.push(performance.now())
        return answers < STEPS - 1 ? { calls: [{ tool: "look", input: {} }] } : "Done."
      })
      ctx.useAgent({
        systemPrompt: "You are a bench.",
        model,
        tools: [look(effect)],
        price: PRICE,
        maxOutputTokens: 10,
      })
      await ctx.agent.run()
      ctx.reply(book.askedAt.slice(1).map((at, n) => at - (book.askedAt[n] ?? at)))
    },
  })
}

export const pureSteps: EntityDefinition = stepping("pure", "pure")
export const onceSteps: EntityDefinition = stepping("once", "once")
export const budgetSteps: EntityDefinition = stepping("budget", "pure", { budget: { usd: 1_000 } })

/** Its model takes five seconds to answer. */
export const slow: EntityDefinition = defineEntity("slow", {
  async handler(ctx) {
    const model = scriptedModel(() => ({
      text: "At last.",
      before: () => new Promise((resolve) => setTimeout(resolve, SLOW_MS)),
    }))
    ctx.useAgent({ systemPrompt: "You are a bench.", model })
    await ctx.agent.run()
  },
})

/** Keeps everything live. */
export const keeping: EntityDefinition = defineEntity("keeping", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You are a bench.", model: "rouse/echo", compaction: false })
    await ctx.agent.run()
  },
})
