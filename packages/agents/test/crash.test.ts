import { describe, expect, test } from "vitest"
import { z } from "zod"
import { defineEntity, tool } from "../src/index.ts"
import type { Tool, ToolContext } from "../src/index.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"
import type { TestRouse } from "../src/testing.ts"
import { problemsOf } from "./support/validity.ts"
import { conversation } from "../src/core/conversation.ts"
import { LiveRows } from "../src/core/rows.ts"

/** What the world outside saw: the judge of effects. */
class World {
  readonly effects: { readonly tool: string; readonly key: string }[] = []
  readonly asked: string[] = []
  /** Called at the two moments of a tool: before its effect, and between the effect and the result. */
  at: (moment: string) => void = () => undefined

  count(tool: string): number {
    return this.effects.filter((effect) => effect.tool === tool).length
  }

  keys(tool: string): ReadonlySet<string> {
    return new Set(this.effects.filter((effect) => effect.tool === tool).map((effect) => effect.key))
  }
}

function toolsOf(world: World): readonly Tool[] {
  const input = z.object({ n: z.number() })
  const act =
    (name: string) =>
    async ({ n }: { n: number }, { idempotencyKey, signal }: ToolContext) => {
      world.at(`${name}:${n}:start`)
      if (signal.aborted) await new Promise(() => undefined)
      world.effects.push({ tool: name, key: idempotencyKey })
      await Promise.resolve()
      world.at(`${name}:${n}:end`)
      if (signal.aborted) await new Promise(() => undefined)
      return { did: name, n }
    }
  const common = (name: string) => ({ name, description: name, input, execute: act(name) })
  return [
    tool({ ...common("pure"), effect: "pure" }),
    tool({ ...common("idempotent"), effect: "idempotent" }),
    tool({
      ...common("reconcilable"),
      effect: "reconcilable",
      reconcile: (_, { idempotencyKey }) => {
        world.asked.push(idempotencyKey)
        const done = world.effects.some((effect) => effect.tool === "reconcilable" && effect.key === idempotencyKey)
        return done ? { did: "reconcilable", n: -1 } : undefined
      },
    }),
    tool({ ...common("once"), effect: "once" }),
    tool({ ...common("alone"), effect: "once", parallel: false }),
  ]
}

const model = () =>
  scriptedModel([
    {
      text: "Working.",
      reasoning: "Let me see.",
      calls: ["pure", "idempotent", "reconcilable", "once"].map((name) => ({ tool: name, input: { n: 1 } })),
    },
    {
      calls: [
        { tool: "send", input: { to: "/sink/one", content: "from the model" } },
        { tool: "spawn", input: { type: "sink", id: "child", message: "hello child" } },
        { tool: "alone", input: { n: 2 } },
        { tool: "pure", input: { n: 2 } },
        { tool: "missing", input: {} },
      ],
    },
    "All done.",
    "And the child is done.",
  ])

async function play(world: World, before: (rouse: TestRouse) => void): Promise<TestRouse> {
  const worker = defineEntity("worker", {
    state: { notes: { schema: z.object({ id: z.string(), n: z.number() }), key: "id" } },
    async handler(ctx, wake) {
      if (wake.messages.length > 0) {
        const seen = ctx.state.notes.get("count")
        if (seen === undefined) ctx.state.notes.insert({ id: "count", n: 1 })
        else ctx.state.notes.update("count", (row) => ({ ...row, n: row.n + 1 }))
        ctx.send("/sink/one", "before")
        await ctx.step("think", () => {
          world.effects.push({ tool: "step", key: wake.id })
          ctx.send("/sink/one", "in a step")
          return 42
        })
        ctx.spawn("sink", undefined, {}, { message: "quiet", wake: "never" })
        ctx.state.notes.update("count", (row) => ({ ...row, n: row.n + 10 }))
        await ctx.commit()
        ctx.state.notes.update("count", (row) => ({ ...row, n: row.n + 100 }))
      }
      ctx.useAgent({ systemPrompt: "Work.", model: "scripted", tools: [...ctx.tools, ...toolsOf(world)] })
      await ctx.agent.run()
      if (wake.messages.length > 0) ctx.send("/sink/one", "after")
      ctx.tag("done", "yes")
    },
  })
  const sink = defineEntity("sink", { handler: (ctx) => ctx.reply("ok") })
  const rouse = createTestRouse({ entities: [worker, sink], models: { scripted: model() } })
  await rouse.spawn("/worker/one")
  await rouse.spawn("/sink/one")
  before(rouse)
  rouse.send("/worker/one", "go")
  await rouse.settle()
  return rouse
}

function check(rouse: TestRouse, world: World, clean: { readonly keys: ReadonlySet<string> }): void {
  // P1: settled once.
  const settled = rouse
    .log("/worker/one")
    .filter((event) => event.type === "message" && (event.value as { status: string }).status === "processed")
  expect(settled.map((event) => event.key)).toHaveLength(new Set(settled.map((event) => event.key)).size)
  expect(rouse.rows("/worker/one", "message").map((row) => row.status)).toEqual(["processed", "processed"])
  expect(rouse.rows("/worker/one", "run").map((row) => row.status)).toEqual(["completed", "completed"])
  expect(rouse.rows("/worker/one", "memo")).toEqual([])
  expect(rouse.tags("/worker/one")).toEqual({ done: "yes" })
  // P2: no effect twice, none guessed.
  expect(rouse.rows("/worker/one", "notes")).toEqual([{ id: "count", n: 111 }])
  const calls = rouse.rows("/worker/one", "tool_call")
  expect(calls).toHaveLength(9)
  for (const call of calls) {
    expect(["done", "unknown", "failed"]).toContain(call.status)
    if (call.status === "unknown") expect(call.effect).toBe("once")
    if (call.effect === "once") {
      expect(world.effects.filter((effect) => effect.key === call.idempotencyKey).length).toBeLessThanOrEqual(1)
      if (call.status === "done") expect(world.keys(call.name)).toContain(call.idempotencyKey)
    }
  }
  for (const name of ["pure", "idempotent", "reconcilable"]) {
    for (const key of world.keys(name)) expect(clean.keys).toContain(key)
  }
  expect(world.keys("pure").size).toBe(2)
  expect(world.keys("idempotent").size).toBe(1)
  expect(world.count("reconcilable")).toBe(1)
  // Sends and spawns exactly once.
  const inbox = rouse.rows("/sink/one", "message").map((row) => row.content)
  expect([...inbox].map(String).sort()).toEqual(["after", "before", "from the model", "in a step"])
  expect(rouse.rows("/worker/one", "child")).toHaveLength(2)
  expect(rouse.rows("/sink/child", "message").map((row) => row.content)).toEqual(["hello child"])
  // P3, at every prefix of the log.
  const rows = new LiveRows([])
  for (const event of rouse.log("/worker/one")) {
    if (event.type !== "delta") rows.apply(event)
    expect(problemsOf(conversation(rows))).toEqual([])
  }
}

const cleanWorld = new World()
const clean = await play(cleanWorld, () => undefined)
const keys = new Set(cleanWorld.effects.map((effect) => effect.key))

test("without a crash", () => {
  check(clean, cleanWorld, { keys })
  expect(cleanWorld.count("once") + cleanWorld.count("alone") + cleanWorld.count("step")).toBe(3)
  expect(clean.rows("/worker/one", "tool_call").filter((call) => call.status === "unknown")).toEqual([])
})

describe("a crash at a commit", () => {
  const commits = Array.from({ length: clean.commits }, (_, i) => i + 1)
  test.each(commits.flatMap((n) => [[n, "before"] as const, [n, "after"] as const]))(
    "%i, %s it is written",
    async (n, when) => {
      const world = new World()
      const rouse = await play(world, (it) => it.crashAt(n, when))
      check(rouse, world, { keys })
    },
  )
})

describe("a crash in a tool", () => {
  const moments = ["pure:1", "idempotent:1", "reconcilable:1", "once:1", "alone:2", "pure:2"].flatMap((name) => [
    `${name}:start`,
    `${name}:end`,
  ])
  test.each(moments)("at %s", async (moment) => {
    const world = new World()
    let crashed = 0
    const rouse = await play(world, (it) => {
      world.at = (now) => {
        if (now === moment && crashed++ === 0) it.crash()
      }
    })
    expect(crashed).toBeGreaterThan(0)
    check(rouse, world, { keys })
    expect(world.count("step")).toBe(1)
    const call = rouse
      .rows("/worker/one", "tool_call")
      .find((row) => row.status === "unknown" && moment.startsWith(row.name))
    if (moment.startsWith("once") || moment.startsWith("alone")) expect(call).toBeDefined()
    if (moment.startsWith("reconcilable")) expect(world.asked).toHaveLength(1)
  })
})
