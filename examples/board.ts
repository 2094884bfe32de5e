import { defineEntity, defineShared } from "@rouse/agents"
import { z } from "zod"

/**
 * A board of tasks that a planner, some workers and people share. The planner puts tasks on it; each worker takes the next that nobody
 * has, does it, and says what came of it. Whoever dies in between loses its claim, and another goes on; nobody does a task that another
 * has done.
 *
 * It runs on the offline model, which says what it is told to (docs/echo.md). Set `BOARD_MODEL` to have a real one.
 */

const MODEL = process.env["BOARD_MODEL"] ?? "rouse/echo"

export const board = defineShared("board", {
  collections: {
    tasks: {
      schema: z.object({
        id: z.string(),
        title: z.string(),
        kind: z.enum(["write", "check"]),
        result: z.string().optional(),
      }),
      key: "id",
      indexes: ["kind"],
    },
    totals: { schema: z.object({ id: z.string(), done: z.int() }), key: "id" },
  },
})

defineEntity("planner", {
  description: "Takes a list of titles, puts them on the board, and sends workers to it",
  args: z.object({ board: z.string(), workers: z.int().min(1).max(20) }),
  async handler(ctx, wake) {
    const { tasks, totals } = ctx.shared(ctx.args.board, board)
    for (const { content } of wake.messages) {
      const titles = z.array(z.string()).parse(content)
      await totals.insert({ id: "all", done: 0 })
      await tasks.insert(...titles.map((title, n) => ({ id: `t${n}`, title, kind: "write" as const })))
      for (let n = 0; n < ctx.args.workers; n++)
        ctx.spawn("worker", `${ctx.entity.id}-w${n}`, { board: ctx.args.board }, { message: "There is work." })
    }
    if (ctx.children.some((child) => child.status === "running")) return ctx.suspend()
    const total = await totals.get("all")
    ctx.reply(total?.value.done ?? 0)
  },
})

defineEntity("worker", {
  description: "Does tasks of a board until there are none",
  args: z.object({ board: z.string() }),
  async handler(ctx) {
    const { tasks, totals } = ctx.shared(ctx.args.board, board)
    ctx.useAgent({ systemPrompt: "Do the task in one sentence.", model: MODEL })
    for (;;) {
      const [task] = await tasks.claim({ where: { kind: "write" }, leaseMs: 120_000 })
      if (!task) return
      const { text } = await ctx.agent.run({ prompt: task.value.title })
      await tasks.complete(task, { result: text })
      await totals.increment("all", "done")
    }
  },
})

defineEntity("clerk", {
  description: "Looks after the board for people, with tools made of its schema",
  args: z.object({ board: z.string() }),
  async handler(ctx) {
    const space = ctx.shared(ctx.args.board, board)
    ctx.useAgent({
      systemPrompt: "You look after a board of tasks.",
      model: MODEL,
      tools: space.tools({ collections: ["tasks"] }),
    })
    await ctx.agent.run()
  },
})
