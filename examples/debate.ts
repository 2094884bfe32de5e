import { defineEntity, tool } from "@rouse/agents"
import { z } from "zod"

/**
 * A manager spawns a judge, the judge spawns two debaters and waits for both, and the verdict goes back up. Nobody calls anybody:
 * all of it is messages on logs, so any of the four may be killed at any time and the debate goes on.
 *
 * It runs on the offline model, which says what it is told to (docs/echo.md). Set `DEBATE_MODEL` to hear a real one.
 */

const MODEL = process.env["DEBATE_MODEL"] ?? "rouse/echo"
const OFFLINE = MODEL === "rouse/echo"
const Side = z.enum(["for", "against"])

const evidence = tool({
  name: "evidence",
  description: "Looks up what is known in favour of one side",
  input: z.object({ side: Side }),
  effect: "pure",
  execute: ({ side }) => EVIDENCE[side],
})

const EVIDENCE = {
  for: { claim: "Work that waits for a person waits four hours on average.", source: "the team's own logs" },
  against: { claim: "One in fifty unasked actions is regretted.", source: "the team's own logs" },
}

defineEntity("manager", {
  description: "Takes a topic, has it debated, and reports the verdict",
  async handler(ctx, wake) {
    for (const { kind, content } of wake.messages) {
      if (kind === "message")
        ctx.spawn(
          "judge",
          `${ctx.entity.id}-judge`,
          { topic: z.string().parse(content) },
          { message: "Hold the debate." },
        )
    }
    const verdict = wake.childFinished[0]
    if (verdict) ctx.reply(verdict.reply)
    else ctx.suspend()
  },
})

defineEntity("judge", {
  description: "Holds a debate between two sides and decides it",
  args: z.object({ topic: z.string() }),
  async handler(ctx, wake) {
    const { topic } = ctx.args
    if (wake.first) {
      for (const side of Side.options) {
        ctx.spawn("debater", `${ctx.entity.id}-${side}`, { topic, side }, { message: "Make your case." })
      }
    }
    const finished = ctx.children.filter((child) => child.status !== "running")
    if (finished.length < Side.options.length) return ctx.suspend()
    ctx.useAgent({ systemPrompt: `You judge a debate on: ${topic} Decide in one sentence.`, model: MODEL, tools: [] })
    await ctx.agent.run({ prompt: OFFLINE ? VERDICT : "Both sides have spoken. Who made the better case?" })
  },
})

defineEntity("debater", {
  description: "Argues one side of a topic",
  args: z.object({ topic: z.string(), side: Side }),
  async handler(ctx) {
    const { topic, side } = ctx.args
    ctx.useAgent({ systemPrompt: `Argue ${side} this, in three sentences: ${topic}`, model: MODEL, tools: [evidence] })
    await ctx.agent.run(OFFLINE ? { prompt: CASE[side] } : {})
  },
})

/** What the offline model is told to do: it has no opinions of its own. */
const CASE = {
  for: `/think What is the cost of asking? I should look for a figure.
/call evidence {"side":"for"}
/then
/say **Yes, within bounds.** Whoever asks for every step waits for every answer, and our own logs say that is four hours. What can be undone, and stays under a limit, is cheaper to mend than to discuss.`,
  against: `/think What goes wrong when nobody is asked?
/call evidence {"side":"against"}
/then
/say **No, not without asking.** One in fifty unasked actions is regretted, and the one is never the cheap one. A question costs a minute; trust, once spent, is not refunded.`,
}

const VERDICT = `/think Both rest on the same logs. Which of the two limits the damage and keeps the speed?
/say The case **for** is the better one, with the other's caution built in: let them act within a budget, and have them ask at its edge.`
