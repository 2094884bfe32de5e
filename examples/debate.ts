import { defineEntity } from "@rouse/agents"
import { z } from "zod"

/**
 * A manager spawns a judge, the judge spawns two debaters and waits for both, and the verdict goes back up. Nobody calls anybody:
 * all of it is messages on logs, so any of the four may be killed at any time and the debate goes on.
 */

const MODEL = process.env["DEBATE_MODEL"] ?? "rouse/echo"

defineEntity("manager", {
  description: "Takes a topic, has it debated, and reports the verdict",
  async handler(ctx, wake) {
    for (const { content } of wake.messages) {
      ctx.spawn("judge", `${ctx.entity.id}-judge`, { topic: String(content) }, { message: "Hold the debate." })
    }
    const verdict = wake.childFinished[0]
    if (verdict) ctx.reply(`Verdict: ${String(verdict.reply)}`)
    else ctx.suspend()
  },
})

defineEntity("judge", {
  description: "Holds a debate between two sides and decides it",
  args: z.object({ topic: z.string() }),
  async handler(ctx, wake) {
    const { topic } = ctx.args
    if (wake.first) {
      for (const side of ["for", "against"] as const) {
        ctx.spawn("debater", `${ctx.entity.id}-${side}`, { topic, side }, { message: `Argue ${side}: ${topic}` })
      }
    }
    const finished = ctx.children.filter((child) => child.status !== "running")
    if (finished.length < 2) return ctx.suspend()
    const cases = finished.map((child) => `${child.url} argued: ${String(child.reply)}`).join("\n")
    ctx.useAgent({ systemPrompt: "You judge debates. Decide in one sentence.", model: MODEL, tools: [] })
    await ctx.agent.run({ prompt: `The topic is: ${topic}\n${cases}\nWho made the better case?` })
  },
})

defineEntity("debater", {
  description: "Argues one side of a topic",
  args: z.object({ topic: z.string(), side: z.enum(["for", "against"]) }),
  async handler(ctx) {
    const { topic, side } = ctx.args
    ctx.useAgent({ systemPrompt: `Argue ${side} "${topic}" in three sentences.`, model: MODEL, tools: [] })
    await ctx.agent.run()
  },
})
