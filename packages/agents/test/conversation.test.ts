import * as fc from "fast-check"
import { expect, test } from "vitest"
import { z } from "zod"
import { defineEntity, tool } from "../src/index.ts"
import type { ChangeEvent } from "@rouse/protocol"
import { conversation } from "../src/core/conversation.ts"
import { toPrompt } from "../src/core/prompt.ts"
import { renderMessage } from "../src/core/render.ts"
import { LiveRows } from "../src/core/rows.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"
import type { ScriptedAnswer } from "../src/testing.ts"
import { message } from "./support/backend.ts"
import { problemsOf } from "./support/validity.ts"

const A = "/agent/one"

/** What may happen to an agent: its model says things, people say things, its host crashes. */
const texts = fc.constantFrom("", " ", "Hello.", "Working on it.", "\n", "Done!")
const calls = fc.array(
  fc.record({
    tool: fc.constantFrom("ok", "fails", "missing", "ask", "once"),
    input: fc.constantFrom({}, { n: 1 }, "not json", { n: "x" }),
    id: fc.constantFrom("call_1", "call_2", "", "bad id!", "x".repeat(80)),
  }),
  { maxLength: 3 },
)
const answer: fc.Arbitrary<ScriptedAnswer> = fc.record(
  { text: texts, reasoning: texts, calls },
  { requiredKeys: ["text"] },
)
const story = fc.record({
  answers: fc.array(answer, { minLength: 1, maxLength: 6 }),
  messages: fc.array(fc.tuple(texts, fc.constantFrom("steer", "queue", "interrupt" as const)), {
    minLength: 1,
    maxLength: 4,
  }),
  crashes: fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom("before", "after" as const)), {
    maxLength: 1,
  }),
  decision: fc.constantFrom("allow", "deny" as const),
})

async function play({ answers, messages, crashes, decision }: Story): Promise<readonly ChangeEvent[]> {
  let said = 0
  const input = z.object({ n: z.number().optional() })
  const make = (name: string, execute: () => unknown, approval = false) =>
    tool({ name, description: name, input, effect: name === "once" ? "once" : "pure", approval, execute })
  const definition = defineEntity("agent", {
    attempts: 4,
    async handler(ctx) {
      const tools = [
        make("ok", () => ({ fine: true })),
        make("fails", () => Promise.reject(new Error(""))),
        make("once", () => ""),
        make("ask", () => "asked", true),
      ]
      ctx.useAgent({
        systemPrompt: "",
        model: scriptedModel(() => answers[said++ % answers.length] ?? "x"),
        tools,
        maxSteps: 8,
      })
      await ctx.agent.run()
    },
  })
  const rouse = createTestRouse({ entities: [definition], deltaMs: Infinity })
  for (const [at, when] of crashes) rouse.crashAt(at, when)
  await rouse.spawn(A)
  for (const [content, mode] of messages) {
    rouse.send(A, content, { mode: mode as "steer" })
    await rouse.settle()
    for (const row of rouse.rows(A, "approval")) {
      if (row.status === "waiting") rouse.decide(A, row.call, decision)
    }
    await rouse.settle()
  }
  return rouse.log(A)
}

type Story = typeof story extends fc.Arbitrary<infer S> ? S : never

test("any prefix of any log projects to a conversation that a provider accepts (P3)", async () => {
  await fc.assert(
    fc.asyncProperty(story, async (it) => {
      const rows = new LiveRows([])
      for (const event of await play(it)) {
        if (event.type !== "delta") rows.apply(event)
        const problems = problemsOf(conversation(rows))
        if (problems.length > 0)
          throw new Error(`after ${event.headers.operation} ${event.type} ${event.key}: ${problems.join("; ")}`)
      }
    }),
    { numRuns: 150 },
  )
})

test("a later prompt begins with the bytes of the one before (P4)", async () => {
  await fc.assert(
    fc.asyncProperty(story, async (it) => {
      const rows = new LiveRows([])
      let before: readonly string[] = []
      for (const event of await play({ ...it, crashes: [], messages: it.messages.map(([text]) => [text, "steer"]) })) {
        if (event.type === "step" && event.headers.operation === "insert") {
          rows.apply(event)
          const now = flat(toPrompt("system", conversation(withoutAnswers(rows, event.key))))
          expect(now.slice(0, before.length)).toEqual(before)
          before = now
        } else rows.apply(event)
      }
    }),
    { numRuns: 60 },
  )
})

/** A prompt as its smallest pieces in order: turns of the same role that grow are the same bytes to a provider. */
function flat(prompt: ReturnType<typeof toPrompt>): readonly string[] {
  return prompt.flatMap(({ role, content }) =>
    typeof content === "string" ? [`${role} ${content}`] : content.map((part) => `${role} ${JSON.stringify(part)}`),
  )
}

/** The rows as they were when a step's prompt was built: an insert holds the answer already when both were one commit. */
function withoutAnswers(rows: LiveRows, step: string): LiveRows {
  const kept = new LiveRows([])
  for (const collection of ["message", "step", "text", "reasoning", "tool_call"]) {
    for (const [key, value] of rows.entries(collection)) {
      if ((value as { step?: string } | null)?.step !== step) kept.put(collection, key, value)
    }
  }
  return kept
}

test("messages of every kind read in a stable way", () => {
  const render = (content: unknown, fields = {}): string =>
    renderMessage(message("m", content as never, fields).value as never)
  expect([
    render("hello"),
    render({ a: 1 }),
    render("  "),
    render("hi", { from: { kind: "agent", id: "/judge/one" } }),
    render({ url: "/child/a", outcome: "completed", reply: "yes" }, { kind: "childFinished" }),
    render({ url: "/child/a", outcome: "failed", reply: null, error: "no model" }, { kind: "childFinished" }),
    render({ call: "r1", decision: "deny", note: "no" }, { kind: "approval" }),
    render({ name: "refresh", payload: { all: true } }, { kind: "signal" }),
    render(null, { kind: "timeout" }),
  ]).toMatchInlineSnapshot(`
    [
      "hello",
      "{"a":1}",
      "(empty message)",
      "Message from /judge/one:
    hi",
      "Child /child/a completed. Reply:
    yes",
      "Child /child/a failed. Error: no model",
      "Tool call r1 was denied. Note: no",
      "Signal refresh from anna. Payload: {"all":true}",
      "A timeout was reached.",
    ]
  `)
})
