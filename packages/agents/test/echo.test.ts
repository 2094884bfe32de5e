import type { LanguageModelV4Prompt } from "@ai-sdk/provider"
import { expect, test } from "vitest"
import { defineEntity } from "../src/index.ts"
import { answerOf } from "../src/core/echo-script.ts"
import { createTestRouse } from "../src/testing.ts"

const user = (text: string): LanguageModelV4Prompt => [{ role: "user", content: [{ type: "text", text }] }]

const said = (text: string) => answerOf(user(text)).pieces.filter((piece) => piece.kind !== "usage")

test("quotes a message without commands", () => {
  expect(said("hello")).toEqual([{ kind: "text", text: "You said: hello" }])
  expect(said("/support/one is an address")).toEqual([{ kind: "text", text: "You said: /support/one is an address" }])
})

test("says, thinks and calls what it is asked to", () => {
  expect(said('/call add {"a":1}\n/think hmm\n/say now\n/call list')).toEqual([
    { kind: "reasoning", text: "hmm" },
    { kind: "call", id: "echo_0_0", name: "add", input: '{"a":1}' },
    { kind: "text", text: "now" },
    { kind: "call", id: "echo_0_3", name: "list", input: "{}" },
  ])
  expect(said("/spawn child one do the work")).toEqual([
    { kind: "call", id: "echo_0_0", name: "spawn", input: '{"type":"child","id":"one","message":"do the work"}' },
  ])
  expect(said("/send /a/b good morning")).toEqual([
    { kind: "call", id: "echo_0_0", name: "send", input: '{"to":"/a/b","content":"good morning"}' },
  ])
  expect(answerOf(user("/fail 429"))).toMatchObject({ failStatus: 429 })
  expect(answerOf(user("/slow 20\n/say hi"))).toMatchObject({ slowMs: 20 })
})

test("spawns, is told of the child's end, and sums up", async () => {
  const handler = async (ctx: Parameters<Parameters<typeof defineEntity>[1]["handler"]>[0]) => {
    ctx.useAgent({ systemPrompt: "", model: "rouse/echo", tools: ctx.tools })
    await ctx.agent.run()
  }
  const rouse = createTestRouse({ entities: [defineEntity("parent", { handler }), defineEntity("child", { handler })] })
  await rouse.spawn("/parent/one")
  expect(await rouse.ask("/parent/one", "/spawn child kid /say forty-two\n/then\n/say spawned\n")).toBe("spawned")
  expect(rouse.rows("/parent/one", "run").map((run) => run.reply)).toEqual([
    "spawned",
    "You said: Child /child/kid completed. Reply:\nforty-two",
  ])
})

test("the same prompt gets the same answer and usage", () => {
  expect(answerOf(user("hello there"))).toEqual(answerOf(user("hello there")))
  expect(answerOf(user("hello there")).pieces.at(-1)).toEqual({ kind: "usage", input: 3, output: 6 })
})
