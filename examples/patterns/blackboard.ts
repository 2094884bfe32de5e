import { defineEntity, defineShared } from "@rouse/agents"
import { z } from "zod"
import { MODEL, prompt } from "./model.ts"

/**
 * A debate on a blackboard: nobody sends anybody anything. Each speaker watches the board for what the other side writes, and answers it
 * there; the chair watches for the last point, and decides.
 */

const Side = z.enum(["for", "against"])

export const blackboard = defineShared("blackboard", {
  collections: {
    points: {
      schema: z.object({ id: z.string(), side: Side, round: z.int().positive(), text: z.string() }),
      key: "id",
    },
  },
})

/** From the beginning: what is written between the first look at the board and the end of that wake is told too. */
const EVERY = { on: "points:insert", from: "beginning" } as const

export const chair = defineEntity("chair", {
  description: "Has a topic debated, and decides",
  args: z.object({ rounds: z.int().min(1).max(10) }),
  async handler(ctx, wake) {
    const { rounds } = ctx.args
    const board = ctx.entity.id
    const { points } = ctx.shared(board, blackboard)
    ctx.observe(`shared/${board}`, { ...EVERY, where: { side: "against", round: rounds } })
    for (const { content } of wake.messages)
      for (const side of Side.options) {
        const args = { board, side, rounds, topic: z.string().parse(content) }
        ctx.spawn("speaker", `${board}-${side}`, args, { wake: "never", message: "Take your place." })
      }
    const said = (await points.list()).map(({ value }) => value)
    if (said.length < rounds * Side.options.length) return ctx.suspend()
    ctx.useAgent({ systemPrompt: "You chair a debate. Decide in one sentence.", model: MODEL })
    const all = said.toSorted((a, b) => a.round - b.round).map(({ side, text }) => `${side}: ${text}`)
    await ctx.agent.run(prompt(`Who has it?\n${all.join("\n")}`, `After ${all.length} points, "for" has it.`))
  },
})

export const speaker = defineEntity("speaker", {
  description: "Argues one side of a topic",
  args: z.object({ board: z.string(), side: Side, rounds: z.int(), topic: z.string() }),
  async handler(ctx) {
    const { board, side, rounds, topic } = ctx.args
    const { points } = ctx.shared(board, blackboard)
    ctx.observe(`shared/${board}`, { ...EVERY, where: { side: { ne: side } } })
    const said = (await points.list()).map(({ value }) => value)
    const mine = said.filter((point) => point.side === side).length
    const theirs = said.length - mine
    const isMyTurn = side === "for" ? mine === theirs : mine < theirs
    if (!isMyTurn || mine >= rounds) return
    ctx.useAgent({ systemPrompt: `Argue ${side}, in one sentence: ${topic}`, model: MODEL })
    const last = said.findLast((point) => point.side !== side)?.text ?? topic
    const { text } = await ctx.agent.run(prompt(`Answer this: ${last}`, `Point ${mine + 1} ${side}.`))
    await points.insert({ id: `${mine + 1}-${side}`, side, round: mine + 1, text })
  },
})
