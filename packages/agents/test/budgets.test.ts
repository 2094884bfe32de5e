import type { BudgetRequest } from "@rouse/protocol"
import { expect, test } from "vitest"
import { z } from "zod"
import type { EntityDefinition } from "../src/entity.ts"
import { defineEntity, tool } from "../src/index.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"
import type { Script, TestRouse } from "../src/testing.ts"

/** Budgets in the in-memory Rouse: an author's test sees what the server does. */

const A = "/agent/one"
const PRICE = { input: 1_000, output: 1_000 }
const LOOK: Script = (_, answers) => (answers < 1 ? { calls: [{ tool: "look", input: {} }] } : "Done.")

const look = tool({
  name: "look",
  description: "Looks",
  input: z.object({}),
  effect: "pure",
  execute: () => ({ seen: true }),
})

function agent(name: string, script: Script, more: object = {}): EntityDefinition {
  const model = scriptedModel(script)
  return defineEntity(name, {
    ...more,
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "Work.", model, tools: [look], maxOutputTokens: 10, price: PRICE })
      await ctx.agent.run()
    },
  })
}

function waiting(rouse: TestRouse, url: `/${string}/${string}` = A): BudgetRequest {
  const row = rouse.rows(url, "approval").find(({ status }) => status === "waiting")
  if (row === undefined) throw new Error(`${url} does not ask`)
  return row.input as unknown as BudgetRequest
}

test("used up, the run is suspended and asks; an answer lets it go on where it was", async () => {
  const rouse = createTestRouse({ entities: [agent("agent", LOOK)] })
  await rouse.spawn(A, { budget: { steps: 1 } })
  rouse.send(A, "go")
  await rouse.settle()
  expect(rouse.status(A)).toBe("suspended")
  const request = waiting(rouse)
  expect(request).toMatchObject({ exhausted: ["steps"], spent: { steps: 1, toolCalls: 1 }, extend: { steps: 1 } })
  rouse.decide(A, request.call, "allow", undefined, { steps: 2 })
  await rouse.settle()
  expect(rouse.rows(A, "run").at(-1)).toMatchObject({ status: "completed", reply: "Done." })
  expect(rouse.budget(A)).toMatchObject({ limits: { steps: 3 }, spent: { steps: 2 } })
})

test("a denied extension ends the run with the reason", async () => {
  const rouse = createTestRouse({ entities: [agent("agent", LOOK, { budget: { tokens: 0 } })] })
  await rouse.spawn(A)
  rouse.send(A, "go")
  await rouse.settle()
  rouse.decide(A, waiting(rouse).call, "deny", "too dear")
  await rouse.settle()
  expect(rouse.rows(A, "message").map(({ status }) => status)).toEqual(["dead", "dead"])
  expect(rouse.rows(A, "run").at(-1)?.error).toMatchObject({ code: "BUDGET_EXHAUSTED" })
})

test("a child's share is its parent's, who may answer for it and gets the rest back", async () => {
  const parent = defineEntity("parent", {
    handler(ctx, wake) {
      for (const { entity, call } of wake.budgets) ctx.answerBudget({ entity, call, decision: "allow" })
      if (wake.messages.length > 0) ctx.spawn("kid", "a", {}, { message: "go", budget: { steps: 1 } })
      if (wake.childFinished.length === 0) ctx.suspend()
      else ctx.reply(wake.childFinished[0]?.reply ?? null)
    },
  })
  const rouse = createTestRouse({ entities: [parent, agent("kid", LOOK)] })
  await rouse.spawn("/parent/one", { budget: { steps: 5, children: 1 } })
  const asked = rouse.send("/parent/one", "go")
  await rouse.settle()
  expect(rouse.rows("/parent/one", "message").find(({ id }) => id === asked)?.status).toBe("processed")
  expect(rouse.budget("/parent/one")).toMatchObject({ limits: { steps: 5 }, spent: { steps: 2 } })
  expect(rouse.budget("/kid/a")?.limits).toMatchObject({ steps: 2 })
})

test("the log warns at the part that was set", async () => {
  const rouse = createTestRouse({ entities: [agent("agent", LOOK)] })
  await rouse.spawn(A, { budget: { steps: 4, warnAt: 0.5 } })
  await rouse.ask(A, "go")
  expect(rouse.rows(A, "budget")).toMatchObject([{ status: "warned", resources: ["steps"], spent: { steps: 2 } }])
})

test("a crash around any commit charges each call once", async () => {
  for (const when of ["before", "after"] as const) {
    for (let at = 1; at <= 6; at++) {
      const rouse = createTestRouse({ entities: [agent("agent", LOOK)] })
      await rouse.spawn(A, { budget: { steps: 10 } })
      rouse.crashAt(at, when)
      expect(await rouse.ask(A, "go"), `${when} commit ${at}`).toBe("Done.")
      expect(rouse.budget(A)?.spent.steps, `${when} commit ${at}`).toBe(2)
    }
  }
})

test("the call that makes a summary is asked of the budget too, and made when there is more", async () => {
  const seen: string[] = []
  const model = scriptedModel((prompt) => {
    const summary = JSON.stringify(prompt[0]).includes("You summarise")
    seen.push(summary ? "summary" : "step")
    return summary ? "They talked." : { text: "Fine.", usage: { input: 900, output: 1 } }
  })
  const long = defineEntity("agent", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "Talk.", model, price: PRICE, compaction: { tokensMax: 500 } })
      await ctx.agent.run()
    },
  })
  const rouse = createTestRouse({ entities: [long] })
  await rouse.spawn(A, { budget: { steps: 1 } })
  expect(await rouse.ask(A, "one")).toBe("Fine.")
  const message = rouse.send(A, "two")
  await rouse.settle()
  expect(seen).toEqual(["step"])
  rouse.decide(A, waiting(rouse).call, "allow", undefined, { steps: 1 })
  await rouse.settle()
  expect(seen).toEqual(["step", "summary"])
  rouse.decide(A, waiting(rouse).call, "allow", undefined, { steps: 1 })
  await rouse.settle()
  expect(seen).toEqual(["step", "summary", "step"])
  expect(rouse.rows(A, "message").find(({ id }) => id === message)?.status).toBe("processed")
  expect(rouse.budget(A)).toMatchObject({ limits: { steps: 3 }, spent: { steps: 3 } })
})
