import { expect, test } from "vitest"
import type { ChangeNotice, Reason, TimeoutNotice } from "../src/index.ts"
import { defineEntity } from "../src/index.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"

const worker = defineEntity("worker", { handler: (ctx) => ctx.reply("done") })

/** What every wake of a watcher was shown. */
interface Shown {
  readonly reasons: readonly Reason["kind"][]
  readonly changes: readonly ChangeNotice[]
  readonly timeouts: readonly TimeoutNotice[]
}

test("a handler observes an agent, and is roused by its runs with what they came to", async () => {
  const shown: Shown[] = []
  const watcher = defineEntity("watcher", {
    handler(ctx, wake) {
      shown.push({ reasons: wake.reasons.map(({ kind }) => kind), changes: wake.changes, timeouts: wake.timeouts })
      expect(ctx.observe("/worker/w")).toBe("worker.w")
    },
  })
  const rouse = createTestRouse({ entities: [worker, watcher] })
  await rouse.spawn("/watcher/a", { message: "begin" })
  await rouse.settle()
  await rouse.spawn("/worker/w")
  await rouse.ask("/worker/w", "go")
  expect(shown).toHaveLength(2)
  expect(shown[1]).toMatchObject({ reasons: ["change"], changes: [{ observation: "worker.w", count: 1 }] })
  expect(shown[1]?.changes[0]?.changes[0]).toMatchObject({ collection: "run", row: { reply: "done" } })
  expect(rouse.rows("/watcher/a", "subscription")).toHaveLength(1)
})

test("streams, conditions, a debounce and a timeout work as on a server", async () => {
  const shown: Shown[] = []
  const watcher = defineEntity("watcher", {
    handler(ctx, wake) {
      shown.push({ reasons: wake.reasons.map(({ kind }) => kind), changes: wake.changes, timeouts: wake.timeouts })
      ctx.observe("orders", { name: "large", where: { cents: { gt: 100 } }, debounce: 1_000, timeout: 60_000 })
    },
  })
  const rouse = createTestRouse({ entities: [watcher] })
  await rouse.spawn("/watcher/a", { message: "begin" })
  await rouse.settle()
  rouse.append("orders", { cents: 5 }, { cents: 500 })
  await rouse.settle()
  expect(shown).toHaveLength(1)
  rouse.append("orders", { cents: 700 })
  await rouse.advance(1_000)
  expect(shown[1]?.changes).toMatchObject([{ count: 2, changes: [{ row: { cents: 500 } }, { row: { cents: 700 } }] }])
  await rouse.advance(59_000)
  expect(shown).toHaveLength(2)
  await rouse.advance(2_000)
  expect(shown[2]).toMatchObject({ reasons: ["timeout"], timeouts: [{ observation: "large", timeout: 60_000 }] })
})

test("a set tells who joins and leaves", async () => {
  const seen: string[] = []
  const watcher = defineEntity("watcher", {
    handler(ctx, wake) {
      for (const { changes } of wake.changes) seen.push(...changes.map(({ operation, key }) => `${operation} ${key}`))
      ctx.observe({ type: "worker", tags: { team: "x" } }, { on: ["join", "leave"] })
    },
  })
  const rouse = createTestRouse({ entities: [worker, watcher] })
  await rouse.spawn("/watcher/a", { message: "begin" })
  await rouse.settle()
  await rouse.spawn("/worker/in", { tags: { team: "x" }, message: "go" })
  await rouse.spawn("/worker/out", { tags: { team: "y" }, message: "go" })
  await rouse.settle()
  expect(seen).toEqual(["join /worker/in"])
})

test("an observation is made once however often its wake is tried, and ends when it is asked to", async () => {
  let wakes = 0
  const watcher = defineEntity("watcher", {
    async handler(ctx, wake) {
      wakes += 1
      if (wake.changes.length > 0) ctx.unobserve("w")
      else ctx.observe("orders", { name: "w" })
      await ctx.commit()
    },
  })
  const rouse = createTestRouse({ entities: [watcher] })
  await rouse.spawn("/watcher/a", { message: "begin" })
  rouse.crashAt(2)
  await rouse.settle()
  expect(wakes).toBe(2)
  expect(rouse.log("/watcher/a").filter(({ type }) => type === "subscription")).toHaveLength(1)
  rouse.append("orders", 1)
  await rouse.settle()
  rouse.append("orders", 2)
  await rouse.settle()
  expect(wakes).toBe(3)
  expect(rouse.rows("/watcher/a", "subscription")).toEqual([])
})

test("what cannot be observed is refused by name, and fails the wake", async () => {
  const errors: string[] = []
  const watcher = defineEntity("watcher", {
    handler(ctx) {
      for (const ask of [
        () => ctx.observe("/watcher/a"),
        () => ctx.observe("/nobody"),
        () => ctx.observe("orders", { where: { a: { like: "b" } } }),
        () => ctx.observe("orders", { timeout: 1 }),
      ]) {
        try {
          ask()
        } catch (error) {
          errors.push((error as Error).message.split(":")[0] ?? "")
        }
      }
    },
  })
  const rouse = createTestRouse({ entities: [watcher] })
  await rouse.spawn("/watcher/a", { message: "begin" })
  await rouse.settle()
  expect(errors).toEqual(["source", "source", "where.a.like", "timeout"])
})

test("the model observes with a tool, is told in words, and can end it", async () => {
  const seen: string[] = []
  const watcher = defineEntity("watcher", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "You watch.", model: "m", tools: ctx.tools })
      await ctx.agent.run()
    },
  })
  const model = scriptedModel((prompt, answers) => {
    seen.push(JSON.stringify(prompt))
    if (answers === 0) return { calls: [{ tool: "observe", input: { source: "/worker/w" } }] }
    if (answers === 2) return { calls: [{ tool: "unobserve", input: { name: "worker.w" } }] }
    return "Fine."
  })
  const rouse = createTestRouse({ entities: [worker, watcher], models: { m: model } })
  await rouse.spawn("/worker/w")
  await rouse.spawn("/watcher/a")
  await rouse.ask("/watcher/a", "watch")
  expect(rouse.rows("/watcher/a", "subscription")).toHaveLength(1)
  await rouse.ask("/worker/w", "go")
  expect(seen.at(-1)).toContain("Observed by worker.w (/worker/w): 1 change.")
  expect(rouse.rows("/watcher/a", "subscription")).toEqual([])
})
