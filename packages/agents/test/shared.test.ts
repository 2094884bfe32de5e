import { expect, test } from "vitest"
import { z } from "zod"
import { defineEntity, defineShared } from "../src/index.ts"
import { createTestRouse } from "../src/testing.ts"

const board = defineShared("board", {
  collections: { tasks: { schema: z.object({ id: z.string(), n: z.number().optional() }), key: "id", indexes: ["n"] } },
})

const worker = defineEntity("worker", {
  async handler(ctx) {
    const { tasks } = ctx.shared("b1", board)
    await tasks.insert({ id: `of-${ctx.entity.id}` })
    await tasks.increment("total", "n")
    const [row] = await tasks.claim({ where: { n: 7 } })
    if (row) await tasks.complete(row)
    const stale = await ctx.step("look", async () => await tasks.get("total"))
    await tasks.increment("total", "n")
    await expect(tasks.update("total", stale?.version, { n: 0 })).rejects.toMatchObject({ code: "CONFLICT" })
    ctx.reply(row?.key ?? null)
  },
})
const filler = defineEntity("filler", {
  async handler(ctx) {
    await ctx.shared("b1", board).tasks.insert({ id: "total" }, { id: "a", n: 7 }, { id: "b", n: 7 })
  },
})

test.each(Array.from({ length: 16 }, (_, n) => n))(
  "a worker that crashes at commit %i does each thing once",
  async (n) => {
    const rouse = createTestRouse({ entities: [worker, filler] })
    await rouse.spawn("/filler/f", { message: "go" })
    await rouse.settle()
    await rouse.spawn("/worker/w")
    rouse.crashAt(rouse.commits + 1 + Math.floor(n / 2), n % 2 === 0 ? "before" : "after")
    expect(await rouse.ask("/worker/w", "go")).toBe("a")
    expect(rouse.sharedRows("b1", "tasks")).toMatchObject([
      { key: "a", done: true },
      { key: "b", value: { n: 7 } },
      { key: "of-w" },
      { key: "total", value: { n: 2 } },
    ])
  },
)

test("what cannot be a shared space is refused by name", async () => {
  const schema = z.object({ id: z.string() })
  expect(() => defineShared("x", { collections: { tools: { schema, key: "id" } } })).toThrow(
    "collections.tools is taken",
  )
  expect(() => defineShared("x", { collections: { a: { schema: z.object({ at: z.date() }), key: "at" } } })).toThrow(
    "a.schema",
  )
  expect(() => defineShared("x", { collections: { a: { schema, key: "" } } })).toThrow("collections.a.key")
})
