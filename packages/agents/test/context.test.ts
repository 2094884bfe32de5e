import { expect, test } from "vitest"
import { z } from "zod"
import { defineEntity } from "../src/index.ts"
import type { Context } from "../src/index.ts"
import { createTestRouse } from "../src/testing.ts"

const A = "/agent/one"
const rows = { items: { schema: z.object({ id: z.string(), n: z.number() }), key: "id" } }

/** Runs `act` in a handler and returns what it threw, or what it replied. */
async function during(act: (ctx: Context<unknown, typeof rows>) => unknown): Promise<unknown> {
  const definition = defineEntity("agent", {
    state: rows,
    async handler(ctx) {
      try {
        ctx.reply(((await act(ctx)) ?? null) as never)
      } catch (error) {
        ctx.reply((error as Error).message)
      }
    },
  })
  const rouse = createTestRouse({ entities: [definition] })
  await rouse.spawn(A)
  return rouse.ask(A, "go")
}

test.each<readonly [string, (ctx: Context<unknown, typeof rows>) => unknown, string]>([
  ["a send to no address", (ctx) => ctx.send("nobody", "hi"), "/type/id"],
  ["a send with two times", (ctx) => ctx.send(A, "hi", { after: 1, at: "2026-01-01" }), "after or at, not both"],
  ["a send in the past", (ctx) => ctx.send(A, "hi", { after: -1 }), "after: must be milliseconds from now"],
  ["a send at no time", (ctx) => ctx.send(A, "hi", { at: "soon" }), 'at: "soon" is not a time'],
  ["a message that is not JSON", (ctx) => ctx.send(A, (() => 1) as never), "content cannot be written as JSON"],
  ["a spawn of no type", (ctx) => ctx.spawn("No Type"), 'type: "No Type" is not a type\'s name'],
  ["a spawn with a bad id", (ctx) => ctx.spawn("agent", "a b"), 'id: "a b" is not an id'],
  ["a step without a name", (ctx) => ctx.step("", () => 1), "step: name must be a text"],
  [
    "a step whose result is not JSON",
    (ctx) => ctx.step("x", () => 10n),
    'the result of step "x" cannot be written as JSON',
  ],
  [
    "a row of the wrong shape",
    (ctx) => ctx.state.items.insert({ id: "a", n: "x" as never }),
    "state.items.n: Invalid input",
  ],
  ["a row without its key", (ctx) => ctx.state.items.insert({ id: "", n: 1 }), "state.items.id: a row needs its key"],
  ["an update of nothing", (ctx) => ctx.state.items.update("a", (row) => row), 'there is no row "a"'],
  ["an agent without options", (ctx) => ctx.agent.run(), "call ctx.useAgent"],
  [
    "a model of another kind",
    (ctx) => ctx.useAgent({ systemPrompt: "", model: {} as never }),
    "AI SDK model of version v4",
  ],
])("%s is refused by name", async (_, act, rule) => {
  expect(await during(act)).toContain(rule)
})

test("an insert of an existing row, and an update that changes the key, are refused", async () => {
  const insert = await during((ctx) => [1, 2].map((n) => ctx.state.items.insert({ id: "a", n })))
  expect(insert).toContain('there is a row "a" already')
  const rename = await during((ctx) => {
    ctx.state.items.insert({ id: "a", n: 1 })
    return ctx.state.items.update("a", (row) => ({ ...row, id: "b" }))
  })
  expect(rename).toContain("cannot change a row's key")
})

test("rows are copies, and reads see the writes above them", async () => {
  const seen = await during((ctx) => {
    ctx.state.items.insert({ id: "b", n: 1 })
    ctx.state.items.insert({ id: "a", n: 1 })
    const row = ctx.state.items.get("a")
    if (row) row.n = 100
    const deleted = [ctx.state.items.delete("b"), ctx.state.items.delete("b")]
    return {
      list: ctx.state.items.list(),
      updated: ctx.state.items.update("a", (it) => ({ ...it, n: it.n + 1 })),
      deleted,
    }
  })
  expect(seen).toEqual({ list: [{ id: "a", n: 1 }], updated: { id: "a", n: 2 }, deleted: [true, false] })
})

test("a child without an id gets one from the wake, at once", async () => {
  expect(await during((ctx) => [ctx.spawn("agent"), ctx.spawn("agent")])).toEqual([
    "/agent/agent.one.w1.0",
    "/agent/agent.one.w1.1",
  ])
})

test("tags are set and removed with the commit", async () => {
  const definition = defineEntity("agent", {
    handler(ctx) {
      ctx.tag("a", "1")
      ctx.tag("b", "2")
      ctx.tag("a", null)
    },
  })
  const rouse = createTestRouse({ entities: [definition] })
  await rouse.spawn(A, { tags: { a: "0" } })
  await rouse.ask(A, "go")
  expect(rouse.tags(A)).toEqual({ b: "2" })
})
