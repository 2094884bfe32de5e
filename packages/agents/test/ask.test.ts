import type { EntityUrl, Json, RouseError } from "@rouse/protocol"
import { expect, test } from "vitest"
import { z } from "zod"
import { defineEntity } from "../src/index.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"

/** `ctx.ask` and the tool `ask`, over the in-memory Rouse. */

const ASKER = "/asker/a"
const HELPER: EntityUrl = "/helper/h"
const helper = defineEntity("helper", {
  attempts: 2,
  handler(ctx, wake) {
    const content = wake.messages[0]?.content
    if (content === "break") throw new Error("no idea")
    ctx.reply({ said: content ?? null })
  },
})

async function rouseWith(
  handler: (ctx: Parameters<Parameters<typeof defineEntity>[1]["handler"]>[0], content: Json) => Promise<void>,
): Promise<ReturnType<typeof createTestRouse>> {
  const asker = defineEntity("asker", {
    attempts: 3,
    state: { notes: { schema: z.object({ id: z.string(), text: z.string() }), key: "id" } },
    handler: (ctx, wake) => handler(ctx as never, wake.messages.map((message) => message.content).join("+")),
  })
  const rouse = createTestRouse({ entities: [asker, helper] })
  await rouse.spawn(ASKER)
  await rouse.spawn(HELPER)
  return rouse
}

const failureOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "no failure",
    (error: RouseError) => error.code,
  )

test("a reply is returned, typed, and what came before the question is done once", async () => {
  let runs = 0
  let steps = 0
  const rouse = await rouseWith(async (ctx, content) => {
    runs += 1
    const token = await ctx.step("token", () => (steps += 1))
    ctx.send("/helper/notes", "a note")
    const reply = await ctx.ask(HELPER, `${String(content)}?`, { schema: z.object({ said: z.string() }) })
    const again = await ctx.ask(HELPER, `${reply.said}!`)
    ctx.reply({ token, reply: reply.said, again })
  })
  await rouse.spawn("/helper/notes")
  expect(await rouse.ask(ASKER, "why")).toEqual({ token: 1, reply: "why?", again: { said: "why?!" } })
  expect([runs, steps]).toEqual([3, 1])
  expect(rouse.rows(HELPER, "message").map((row) => row.content)).toEqual(["why?", "why?!"])
  expect(rouse.rows("/helper/notes", "message")).toHaveLength(1)
  expect(rouse.rows(ASKER, "memo")).toEqual([])
  expect(rouse.rows(ASKER, "run")).toHaveLength(1)
  expect(await rouse.ask(ASKER, "who")).toMatchObject({ token: 2, reply: "who?" })
})

test("several are asked at once", async () => {
  const rouse = await rouseWith(async (ctx) => {
    ctx.reply(await Promise.all(["one", "two", "three"].map((id) => ctx.ask(`/helper/${id}`, id))))
  })
  for (const id of ["one", "two", "three"]) await rouse.spawn(`/helper/${id}`)
  expect(await rouse.ask(ASKER, "go")).toEqual([{ said: "one" }, { said: "two" }, { said: "three" }])
})

test("a message that comes meanwhile is not shown to a handler that goes on, and has a run of its own", async () => {
  const shown: Json[] = []
  const rouse = await rouseWith(async (ctx, content) => {
    shown.push(content)
    for (const { content: said } of ctx.messages) ctx.send("/helper/before", said)
    if (shown.length === 1) rouse.send(ASKER, "more")
    const answer = await ctx.ask("/helper/slow", "well?")
    for (const { content: said } of ctx.messages) ctx.send("/helper/after", said)
    ctx.reply(answer)
  })
  for (const id of ["slow", "before", "after"]) await rouse.spawn(`/helper/${id}`)
  await rouse.ask(ASKER, "first")
  expect([shown[0], shown[1]]).toEqual(["first", "first"])
  expect(shown.at(-1)).toBe("more")
  for (const id of ["before", "after"])
    expect(rouse.rows(`/helper/${id}`, "message").map(({ content }) => content)).toEqual(["first", "more"])
  expect(rouse.rows("/helper/slow", "message")).toHaveLength(2)
  expect(rouse.rows(ASKER, "message").every(({ status }) => status === "processed")).toBe(true)
})

test("a message that steers joins the agent loop that comes after the answer", async () => {
  const model = scriptedModel(["Both."])
  const rouse = await rouseWith(async (ctx) => {
    if (rouse.rows(ASKER, "message").length === 1) rouse.send(ASKER, "and this")
    await ctx.ask("/helper/slow", "well?")
    ctx.useAgent({ systemPrompt: "Help.", model })
    await ctx.agent.run()
  })
  await rouse.spawn("/helper/slow")
  expect(await rouse.ask(ASKER, "first")).toBe("Both.")
  expect(JSON.stringify(model.calls[0]?.prompt)).toContain("and this")
  expect(rouse.rows(ASKER, "run")).toHaveLength(1)
})

test("what cannot be answered is told: nobody there, failed, not as it should be", async () => {
  const codes: Record<string, string> = {}
  const rouse = await rouseWith(async (ctx) => {
    codes["absent"] = await failureOf(ctx.ask("/helper/none", "x"))
    codes["failed"] = await failureOf(ctx.ask(HELPER, "break"))
    codes["shape"] = await failureOf(ctx.ask(HELPER, "x", { schema: z.string() }))
    codes["itself"] = await failureOf(ctx.ask(ASKER, "x"))
    codes["url"] = await failureOf(ctx.ask("nobody", "x"))
    codes["timeout"] = await failureOf(ctx.ask(HELPER, "x", { timeout: -1 }))
    codes["in a step"] = await failureOf(ctx.step("s", () => ctx.ask(HELPER, "x")))
    ctx.reply(codes)
  })
  await rouse.ask(ASKER, "go")
  expect(codes).toEqual({
    absent: "UNKNOWN_ENTITY",
    failed: "HANDLER_FAILED",
    shape: "INVALID_ARGS",
    itself: "INVALID_ARGS",
    url: "INVALID_ARGS",
    timeout: "INVALID_ARGS",
    "in a step": "INVALID_ARGS",
  })
})

test("the deadline comes once, and a late reply is nothing", async () => {
  const outcomes: string[] = []
  const slow = defineEntity("slow", {
    handler: (ctx, wake) =>
      wake.messages.some((message) => message.content === "now") ? ctx.reply("late") : ctx.suspend(),
  })
  const asker = defineEntity("asker", {
    async handler(ctx) {
      outcomes.push(await failureOf(ctx.ask("/slow/s", "x", { timeout: 5_000 })))
    },
  })
  const rouse = createTestRouse({ entities: [slow, asker] })
  await rouse.spawn("/slow/s")
  await rouse.spawn(ASKER)
  rouse.send(ASKER, "go")
  await rouse.settle()
  expect([rouse.status(ASKER), outcomes]).toEqual(["suspended", []])
  await rouse.advance(5_000)
  expect([rouse.status(ASKER), outcomes]).toEqual(["idle", ["TIMED_OUT"]])
  rouse.send("/slow/s", "now")
  await rouse.settle()
  expect([rouse.status(ASKER), outcomes]).toEqual(["idle", ["TIMED_OUT"]])
})

test.each([1, 2, 3, 4, 5, 6, 7, 8])("a crash at commit %i asks nobody twice", async (at) => {
  for (const when of ["before", "after"] as const) {
    const rouse = await rouseWith(async (ctx) => {
      const one = await ctx.ask(HELPER, "one")
      await ctx.step("between", () => 1)
      ctx.reply([one, await ctx.ask(HELPER, "two")])
    })
    rouse.crashAt(at, when)
    expect(await rouse.ask(ASKER, "go")).toEqual([{ said: "one" }, { said: "two" }])
    expect(rouse.rows(HELPER, "message").map((row) => row.content)).toEqual(["one", "two"])
  }
})

test("a model asks, and reads the reply as the call's result", async () => {
  const steps = [
    {
      calls: [
        { tool: "ask", input: { to: HELPER, message: "which?" } },
        { tool: "ask", input: { to: "/helper/none", message: "?" } },
      ],
    },
    "Thanks.",
  ]
  const asker = defineEntity("asker", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "Ask.", model: scriptedModel(steps), tools: ctx.tools })
      await ctx.agent.run()
    },
  })
  const rouse = createTestRouse({ entities: [asker, helper] })
  await rouse.spawn(ASKER)
  await rouse.spawn(HELPER)
  expect(await rouse.ask(ASKER, "go")).toBe("Thanks.")
  expect(rouse.rows(ASKER, "tool_call").map((row) => [row.status, row.output ?? row.error])).toEqual([
    ["done", { said: "which?" }],
    ["failed", "there is no entity /helper/none"],
  ])
})
