import { beforeEach, expect, test } from "vitest"
import { z } from "zod"
import { createTestRouse, recordSession, replaySession, scriptedModel, type SessionRecording } from "../src/testing.ts"
import { defineEntity, tool } from "../src/index.ts"
import type { EntityDefinition } from "../src/entity.ts"
import { clearRegistry } from "../src/runtime.ts"

let ran: string[] = []
beforeEach(() => {
  ran = []
  clearRegistry()
})

const refund = tool({
  name: "refund",
  description: "Refunds",
  input: z.object({ order: z.string(), cents: z.number() }),
  effect: "once",
  execute: ({ order }) => {
    ran.push(`refund ${order}`)
    return { ok: true, n: ran.length }
  },
})
const look = tool({
  name: "look",
  description: "Looks an order up",
  input: z.object({ order: z.string() }),
  effect: "pure",
  execute: ({ order }) => {
    ran.push(`look ${order}`)
    return { order, cents: 500 }
  },
})

function support(greeting = "You are support."): EntityDefinition {
  clearRegistry()
  return defineEntity("support", {
    async handler(ctx) {
      const day = await ctx.step("day", () => {
        ran.push("day")
        return "Monday"
      })
      ctx.useAgent({ systemPrompt: `${greeting} It is ${day}.`, model: "any", tools: [...ctx.tools, refund, look] })
      await ctx.agent.run()
      ctx.send("/audit/all", "done")
    },
  })
}

const call = (name: string, input: object) => ({ calls: [{ tool: name, input: input as never }] })
const script = [
  call("look", { order: "o1" }),
  call("refund", { order: "o1", cents: 500 }),
  "Refunded.",
  "You are welcome.",
]

async function recorded(): Promise<SessionRecording> {
  const audit = defineEntity("audit", { handler: () => undefined })
  const rouse = createTestRouse({ entities: [support(), audit], models: { any: scriptedModel(script) } })
  await rouse.spawn("/audit/all")
  await rouse.spawn("/support/a")
  await rouse.ask("/support/a", "Refund o1")
  await rouse.ask("/support/a", "Thanks")
  ran = []
  return JSON.parse(JSON.stringify(recordSession(rouse.log("/support/a")))) as SessionRecording
}

test("a session that is replayed is the same, and touches nothing", async () => {
  const recording = await recorded()
  expect(recording.runs.map((run) => run.reply)).toEqual(["Refunded.", "You are welcome."])
  const result = await replaySession(recording, { entities: [support("You are very polite.")] })
  expect(result.runs).toMatchObject([{ same: true }, { same: true }])
  expect(result).toMatchObject({ same: true, missing: [] })
  expect(result.effects.map((effect) => effect.kind)).toEqual(["send", "send"])
  expect(ran).toEqual([])
})

test("another model's calls are answered from the recording, and those that are not in it are told", async () => {
  const recording = await recorded()
  const model = scriptedModel([
    call("refund", { cents: 500, order: "o1" }),
    call("refund", { order: "o1", cents: 900 }),
    "Twice!",
    "Bye.",
  ])
  const result = await replaySession(recording, { entities: [support()], model })
  expect(result.same).toBe(false)
  expect(result.missing).toEqual([{ name: "refund", input: { order: "o1", cents: 900 }, asked: false }])
  expect(result.runs[0]).toMatchObject({
    same: false,
    before: { reply: "Refunded.", steps: 3 },
    after: { reply: "Twice!", steps: 3 },
    calls: [
      { in: "before", name: "look" },
      { in: "both", name: "refund", input: { order: "o1", cents: 500 } },
      { in: "after", name: "refund", input: { order: "o1", cents: 900 } },
    ],
  })
  const calls = result.recording.runs[0]?.steps.flatMap((step) => step.calls)
  expect(calls?.map(({ status, output }) => [status, output])).toEqual([
    ["done", { ok: true, n: 3 }],
    ["failed", undefined],
  ])
  expect(ran).toEqual([])
})

test("a call that is not in the recording may end the replay, or be asked when it is pure", async () => {
  const recording = await recorded()
  const other = () =>
    scriptedModel([call("look", { order: "o2" }), call("refund", { order: "o2", cents: 1 }), "Hm.", "Bye."])
  const stopped = await replaySession(recording, { entities: [support()], model: other(), missing: "stop" })
  expect(stopped.missing).toHaveLength(1)
  expect(stopped.runs.map((run) => run.after?.status)).toEqual(["interrupted", undefined])
  expect(ran).toEqual([])
  const asked = await replaySession(recording, { entities: [support()], model: other(), missing: "pure" })
  expect(asked.missing.map((missing) => missing.asked)).toEqual([true, false])
  expect(ran).toEqual(["look o2"])
})

test("what is no recording is refused, and so is one whose type has no handler", async () => {
  const recording = await recorded()
  await expect(replaySession({} as SessionRecording)).rejects.toMatchObject({ code: "BAD_REQUEST" })
  await expect(replaySession(recording, { entities: [] })).rejects.toMatchObject({ code: "UNKNOWN_TYPE" })
})
