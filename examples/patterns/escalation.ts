import { defineEntity, humanTool } from "@rouse/agents"
import { z } from "zod"
import { MODEL } from "./model.ts"

/**
 * Escalation to a person: the agent answers what it can, and asks the team where it cannot. After a quarter of an hour the managers are
 * asked instead, and when they do not answer either, the agent says so. Nothing runs meanwhile.
 */

export const helpline = defineEntity("helpline", {
  description: "Answers customers, and asks the team what it cannot answer",
  args: z.object({
    patienceMs: z
      .int()
      .positive()
      .default(15 * 60_000),
  }),
  async handler(ctx) {
    const askTeam = humanTool({
      name: "ask_team",
      description: "Ask the team when you do not know, or may not decide",
      answer: z.object({ answer: z.string() }),
      deadline: ctx.args.patienceMs,
      escalateTo: ["manager"],
    })
    ctx.useAgent({ systemPrompt: "You answer customers.", model: MODEL, tools: [...ctx.tools, askTeam] })
    await ctx.agent.run()
  },
})
