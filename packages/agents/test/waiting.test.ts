import { ruleFor, stricter } from "@rouse/protocol"
import type { ApprovalRule, RuleFacts } from "@rouse/protocol"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { defineEntity, humanTool, tool, workerTool } from "../src/index.ts"
import type { Tool } from "../src/index.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"
import type { TestRouse } from "../src/testing.ts"

const A = "/waiter/a"
const CALL = "r000001-s0001-p000"

async function rouseOf(tools: readonly Tool[], steps: Parameters<typeof scriptedModel>[0]): Promise<TestRouse> {
  const waiter = defineEntity("waiter", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "Wait.", model: scriptedModel(steps), tools })
      await ctx.agent.run()
    },
  })
  const rouse = createTestRouse({ entities: [waiter] })
  await rouse.spawn(A)
  return rouse
}

const build = workerTool({ name: "build", description: "b", input: z.object({ ref: z.string() }), effect: "once" })
const calls = (...refs: readonly string[]) => ({ calls: refs.map((ref) => ({ tool: "build", input: { ref } })) })

test("a worker's call suspends the run; ended, it goes on, once for all of a step", async () => {
  const rouse = await rouseOf([build], [calls("a", "b"), "Built."])
  rouse.send(A, "build")
  await rouse.settle()
  expect(rouse.status(A)).toBe("suspended")
  expect(rouse.rows(A, "tool_call").map((row) => [row.status, row.backend])).toEqual([
    ["waiting", "worker"],
    ["waiting", "worker"],
  ])
  rouse.endCall(A, CALL, { output: { size: 1 } })
  await rouse.settle()
  expect(rouse.status(A)).toBe("suspended")
  rouse.send(A, "hurry")
  await rouse.settle()
  expect(rouse.status(A)).toBe("suspended")
  rouse.endCall(A, CALL.replace("p000", "p001"), { error: "no disk" })
  await rouse.settle()
  expect(rouse.rows(A, "run").map((run) => run.reply)).toEqual(["Built."])
  expect(rouse.rows(A, "tool_call").map((row) => row.status)).toEqual(["done", "failed"])
})

test("an interrupt takes a worker's call back", async () => {
  const rouse = await rouseOf([build], [calls("a"), "Built."])
  rouse.send(A, "build")
  await rouse.settle()
  rouse.signal(A, "interrupt")
  await rouse.settle()
  expect(rouse.rows(A, "tool_call").map((row) => row.status)).toEqual(["cancelled"])
  expect(rouse.rows(A, "tool_work")).toEqual([])
})

test("an edited input is what runs, and the model is told", async () => {
  const paid: number[] = []
  const pay = tool({
    name: "pay",
    description: "p",
    input: z.object({ cents: z.number() }),
    effect: "once",
    approval: { quorum: 1 },
    execute: ({ cents }) => paid.push(cents),
  })
  const rouse = await rouseOf([pay], [{ calls: [{ tool: "pay", input: { cents: 500 } }] }, "Paid."])
  rouse.send(A, "pay")
  await rouse.settle()
  rouse.allowEdited(A, CALL, { cents: 5 })
  await rouse.settle()
  expect(paid).toEqual([5])
  expect(rouse.rows(A, "tool_call")).toMatchObject([{ input: { cents: 500 }, edited: { cents: 5 }, status: "done" }])
})

test("a person's answer is the call's result, as the tool's own schema makes it", async () => {
  const answer = z.object({ size: z.string().refine((size) => size !== "huge", "nobody has that") })
  const ask = humanTool({ name: "ask", description: "a", answer, deadline: 1_000 })
  const question = { calls: [{ tool: "ask", input: { question: "Which?" } }] }
  const rouse = await rouseOf([ask], [question, "Thanks.", question, "Hm."])
  rouse.send(A, "ask")
  await rouse.settle()
  expect(rouse.rows(A, "approval")).toMatchObject([{ kind: "question", question: "Which?", deadlineMs: 1_000 }])
  rouse.answer(A, CALL, { size: "m" })
  await rouse.settle()
  expect(rouse.rows(A, "tool_call").at(-1)).toMatchObject({ status: "done", output: { size: "m" }, backend: "human" })
  rouse.send(A, "again")
  await rouse.settle()
  rouse.answer(A, "r000002-s0001-p000", { size: "huge" })
  await rouse.settle()
  expect(rouse.rows(A, "tool_call").at(-1)).toMatchObject({
    status: "failed",
    error: expect.stringContaining("nobody has that") as string,
  })
})

describe("rules", () => {
  const facts: RuleFacts = {
    tool: "pay_out",
    effect: "once",
    backend: undefined,
    type: "shop",
    tags: { tier: "prod" },
    askedBy: [{ kind: "user", id: "anna" }],
    input: { total: { cents: 500 } },
  }
  const matches = (rule: Partial<ApprovalRule>, over: Partial<RuleFacts> = {}) =>
    ruleFor([{ name: "r", require: {}, ...rule }], { ...facts, ...over }) !== undefined

  test.each<[boolean, Partial<ApprovalRule>]>([
    [true, {}],
    [true, { tool: "pay_*" }],
    [true, { tool: "*_o*t" }],
    [false, { tool: "pay" }],
    [false, { tool: "*pay_out*x" }],
    [false, { tool: "pay_out*out" }],
    [true, { effect: ["pure", "once"] }],
    [false, { effect: ["pure"] }],
    [false, { backend: ["worker"] }],
    [true, { tags: { tier: "pr*" } }],
    [false, { tags: { tier: "test" } }],
    [false, { tags: { team: "*" } }],
    [true, { askedBy: "user:*" }],
    [false, { askedBy: "agent:*" }],
    [true, { amount: { path: "total.cents", over: 499 } }],
    [false, { amount: { path: "total.cents", over: 500 } }],
    [false, { amount: { path: "cents", over: 0 } }],
    [false, { require: false }],
  ])("%s: %j", (expected, rule) => expect(matches(rule)).toBe(expected))

  test("what is no number is over every amount", () => {
    for (const cents of ["1", Number.NaN, null, [], {}]) {
      expect(matches({ amount: { path: "total.cents", over: 1e9 } }, { input: { total: { cents } } })).toBe(true)
    }
  })

  test("the first that matches counts, and of two lists the stricter", () => {
    const rules = [
      { name: "free", type: "shop", require: false },
      { name: "all", require: { quorum: 2 } },
    ] as const
    expect(ruleFor(rules, facts)).toBeUndefined()
    expect(ruleFor(rules, { ...facts, type: "bank" })).toEqual({ rule: "all", terms: { quorum: 2 } })
    expect(stricter({ quorum: 2, from: ["a", "b"], deadlineMs: 5 }, { from: ["b", "c"], deadlineMs: 9 })).toEqual({
      quorum: 2,
      from: ["b"],
      deadlineMs: 5,
    })
  })
})

test.each<[string, () => unknown]>([
  ["queue", () => workerTool({ name: "b", description: "", input: z.object({}), effect: "pure", queue: "a b" })],
  ["heartbeat", () => workerTool({ name: "b", description: "", input: z.object({}), effect: "pure", heartbeat: 5 })],
  ["expires", () => workerTool({ name: "b", description: "", input: z.object({}), effect: "pure", expires: -1 })],
  [
    "retry",
    () => workerTool({ name: "b", description: "", input: z.object({}), effect: "once", retry: { attempts: 2 } }),
  ],
  [
    "outputSchema",
    () => workerTool({ name: "b", description: "", input: z.object({}), effect: "pure", output: z.bigint() }),
  ],
  ["answer", () => humanTool({ name: "b", description: "", answer: 1 as never })],
  ["from", () => humanTool({ name: "b", description: "", answer: z.string(), assignee: [] })],
  ["escalateTo", () => humanTool({ name: "b", description: "", answer: z.string(), escalateTo: ["x"] })],
  [
    "quorum",
    () =>
      tool({
        name: "b",
        description: "",
        input: z.object({}),
        effect: "pure",
        approval: { quorum: 2, from: ["a"] },
        execute: () => 1,
      }),
  ],
])("a wrong %s is named", (field, make) => expect(make).toThrow(new RegExp(field)))
