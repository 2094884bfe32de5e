import { createHash } from "node:crypto"
import { expect, test } from "vitest"
import { z } from "zod"
import { defineEntity, tool } from "../src/index.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"

const A = "/agent/one"
const LONG = Array.from({ length: 10_000 }, (_, n) => `line ${n}`).join("\n")
const ID = createHash("sha256").update(LONG).digest("hex")

function setUp(calls: readonly { readonly tool: string; readonly input: Record<string, unknown> }[]) {
  const fetchAll = tool({
    name: "fetch_all",
    description: "Fetches",
    input: z.object({}),
    effect: "pure",
    execute: () => LONG,
  })
  const model = scriptedModel([...calls.map((call) => ({ calls: [call as never] })), "Done."])
  const agent = defineEntity("agent", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model: "scripted", tools: [...ctx.tools, fetchAll] })
      await ctx.agent.run()
    },
  })
  return createTestRouse({ entities: [agent], models: { scripted: model } })
}

test("a large result is attached, and the prompt shows its beginning and its name", async () => {
  const rouse = setUp([{ tool: "fetch_all", input: {} }])
  await rouse.spawn(A)
  await rouse.ask(A, "go")
  const output = String(rouse.rows(A, "tool_call")[0]?.output)
  expect(output.length).toBeLessThan(5_000)
  expect(output.startsWith("line 0\nline 1\n")).toBe(true)
  expect(output).toContain(`attachment ${ID}`)
  expect(rouse.rows(A, "attachment")).toMatchObject([
    { id: ID, name: "fetch_all.txt", mediaType: "text/plain; charset=utf-8", size: LONG.length },
  ])
})

test("the model reads the rest with read_attachment, in bounded parts", async () => {
  const rouse = setUp([
    { tool: "fetch_all", input: {} },
    { tool: "read_attachment", input: { id: ID, offset: 5, limit: 10 } },
    { tool: "read_attachment", input: { id: ID, offset: 20_000, limit: 1_000_000 } },
    { tool: "read_attachment", input: { id: ID, offset: LONG.length - 3 } },
    { tool: "read_attachment", input: { id: "0".repeat(64) } },
    { tool: "read_attachment", input: { id: "../secret" } },
    { tool: "read_attachment", input: { id: ID, offset: -1 } },
  ])
  await rouse.spawn(A)
  await rouse.ask(A, "go")
  const [, part, page, last, none, bad, negative] = rouse.rows(A, "tool_call")
  expect(part?.output).toEqual({ text: LONG.slice(5, 15), offset: 5, next: 15 })
  expect(page?.output).toMatchObject({ text: LONG.slice(20_000, 36_000), next: 36_000 })
  expect(last?.output).toMatchObject({ text: LONG.slice(-3), next: null })
  expect(none).toMatchObject({ status: "failed", error: expect.stringContaining("no attachment") as string })
  expect(bad).toMatchObject({ status: "failed", error: expect.stringContaining("id") as string })
  expect(negative).toMatchObject({ status: "failed", error: expect.stringContaining("offset") as string })
  expect(rouse.rows(A, "attachment")).toHaveLength(1)
})

test("a crash at any commit leaves the result with its attachment, or neither", async () => {
  const clean = setUp([{ tool: "fetch_all", input: {} }])
  await clean.spawn(A)
  await clean.ask(A, "go")
  for (let at = 1; at <= clean.commits; at++) {
    for (const when of ["before", "after"] as const) {
      const rouse = setUp([{ tool: "fetch_all", input: {} }])
      await rouse.spawn(A)
      rouse.crashAt(at, when)
      rouse.send(A, "go")
      await rouse.settle()
      expect(rouse.rows(A, "tool_call")).toMatchObject([{ status: "done" }])
      expect(rouse.rows(A, "attachment")).toHaveLength(1)
    }
  }
})
