import { SUMMARY_KEY, isPast, isRunAfter, summaryOf } from "@rouse/protocol"
import type { Json, SummaryRow } from "@rouse/protocol"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { forgetPast, tokensMaxOf, tokensNow, watermark } from "../src/core/compaction.ts"
import { SUMMARY_HEAD, conversation } from "../src/core/conversation.ts"
import { LiveRows } from "../src/core/rows.ts"
import { fitted } from "../src/core/source.ts"
import { transcript } from "../src/core/transcript.ts"
import type { Compaction, ContextSource } from "../src/index.ts"
import { defineEntity, tool } from "../src/index.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"
import type { Script, TestRouse } from "../src/testing.ts"
import { problemsOf } from "./support/validity.ts"

const A = "/agent/one"

const SUMMARY: SummaryRow = {
  kind: "summary",
  through: "r000002",
  before: "2026-01-02T00:00:00.000Z",
  after: "r000002-s0001",
  text: "What was.",
  by: "digest",
  why: "rows",
  at: "2026-01-02T00:00:00.000Z",
}

describe("what is past", () => {
  const table: readonly (readonly [string, string, Json, boolean])[] = [
    ["run", "r000002", {}, true],
    ["run", "r000003", {}, false],
    ["step", "r000001-s0001", { run: "r000001" }, true],
    ["text", "r000003-s0001-p000", { run: "r000003" }, false],
    ["tool_call", "r000002-s0001-p000", { run: "r000002" }, true],
    ["attachment", "f".repeat(64), { run: "r000001" }, true],
    ["context", "summary", { kind: "summary" }, false],
    ["context", "r000001-s0001:facts", { kind: "source", run: "r000001" }, true],
    ["message", "m1", { status: "processed", run: "r000001" }, true],
    ["message", "m2", { status: "dead", run: "r000001" }, false],
    ["message", "m3", { status: "accepted" }, false],
    ["message", "m4", { status: "processed", run: "r000003" }, false],
    ["approval", "r000001-s0001-p000", { status: "allowed" }, true],
    ["approval", "r000001-s0001-p000", { status: "waiting" }, false],
    ["child", "/c/1", { status: "completed", wake: "finished", at: "2026-01-01T00:00:00.000Z" }, true],
    ["child", "/c/2", { status: "running", wake: "finished", at: "2026-01-01T00:00:00.000Z" }, false],
    ["child", "/c/3", { status: "completed", wake: "finished", at: "2026-01-03T00:00:00.000Z" }, false],
    ["entity", A, {}, false],
    ["schedule", "s1", {}, false],
    ["notes", "n1", { run: "r000001" }, false],
  ]
  test.each(table)("%s %s %j: %s", (collection, key, value, past) => {
    expect(isPast(collection, key, value, SUMMARY)).toBe(past)
  })

  test("runs are compared by number, also past their width", () => {
    expect(isRunAfter("r1000000", "r999999")).toBe(true)
    expect(isRunAfter("r000002", "r000002")).toBe(false)
  })
})

describe("the watermark", () => {
  const rows = new LiveRows([])
  for (let n = 1; n <= 5; n++) {
    rows.put("run", `r00000${n}`, { id: `r00000${n}` })
    rows.put("text", `r00000${n}-s0001-p000`, { run: `r00000${n}` })
  }

  test("leaves the newest runs that fit, and always the one under way", () => {
    expect(watermark(rows, "r000005", { runs: 9, rows: 0 })).toBe("r000004")
    expect(watermark(rows, "r000005", { runs: 9, rows: 4 })).toBe("r000003")
    expect(watermark(rows, "r000005", { runs: 3, rows: 99 })).toBe("r000002")
    expect(watermark(rows, "r000005", { runs: 9, rows: 10 })).toBeUndefined()
    // Not on disk yet: all that are there are over.
    expect(watermark(rows, "r000006", { runs: 1, rows: 0 })).toBe("r000005")
    expect(watermark(new LiveRows([]), "r000001", { runs: 1, rows: 0 })).toBeUndefined()
  })
})

test("what older steps used says nothing once they were summarised", () => {
  const rows = new LiveRows([])
  const step = { run: "r000001", usage: { inputTokens: 90, outputTokens: 10 } }
  rows.put("step", "r000001-s0001", { ...step, id: "r000001-s0001" })
  expect(tokensNow(rows)).toBe(100)
  rows.put("context", SUMMARY_KEY, { ...SUMMARY, after: "r000001-s0001" })
  expect(tokensNow(rows)).toBe(0)
})

test("the default follows the model's window, and no prompt is longer than is sensible", () => {
  expect(tokensMaxOf("anthropic/claude-sonnet-4-5")).toBe(120_000)
  expect(tokensMaxOf("google/gemini-2.5-pro")).toBe(120_000)
  expect(tokensMaxOf("compatible/llama")).toBe(76_800)
})

test("a source is cut to its tokens, the same way every time, and never within a character", () => {
  expect(fitted("short", 10)).toEqual({ text: "short", tokens: 2 })
  expect(fitted("abcdefgh123", 2)).toEqual({ text: "abcdefgh\n[cut: about 2 of 3 tokens are shown]", tokens: 2 })
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (text, tokens) => {
      const cut = fitted(text, tokens)
      expect(cut).toEqual(fitted(text, tokens))
      expect(cut.tokens).toBeLessThanOrEqual(tokens)
      expect(new TextDecoder().decode(new TextEncoder().encode(cut.text))).toBe(cut.text)
    }),
  )
})

test("a transcript keeps what is newest, in bounds", () => {
  const rows = new LiveRows([])
  for (let n = 1; n <= 9; n++) {
    const run = `r00000${n}`
    rows.put("message", `m${n}`, { kind: "message", from: { kind: "user", id: "a" }, content: `ask ${n}\nplease` })
    rows.put("step", `${run}-s0001`, { run, messages: [`m${n}`] })
    rows.put("text", `${run}-s0001-p000`, { run, step: `${run}-s0001`, index: 0, text: "x".repeat(50) })
  }
  const text = transcript(rows, "r000008", { charsMax: 120, entryCharsMax: 20 })
  expect(text).toBe(
    `…\nuser: ask 7 ⏎ please\nassistant: ${"x".repeat(20)}…\nuser: ask 8 ⏎ please\nassistant: ${"x".repeat(20)}…`,
  )
})

interface Setup {
  readonly script?: Script
  readonly compaction?: Compaction | false
  readonly sources?: () => readonly ContextSource[]
}

function setUp({ script = () => ({ text: "Fine." }), compaction, sources = () => [] }: Setup) {
  const model = scriptedModel(script)
  const look = tool({
    name: "look",
    description: "Looks",
    input: z.object({}),
    effect: "pure",
    execute: () => ({ seen: true }),
  })
  const agent = defineEntity("agent", {
    async handler(ctx) {
      for (const source of sources()) ctx.useContext(source)
      ctx.useAgent({
        systemPrompt: "Be brief.",
        model: "scripted",
        tools: [look, ...ctx.tools],
        ...(compaction === undefined ? {} : { compaction }),
      })
      await ctx.agent.run()
    },
  })
  return { model, rouse: createTestRouse({ entities: [agent], models: { scripted: model } }) }
}

function summaries(rouse: TestRouse): readonly SummaryRow[] {
  return rouse.log(A).flatMap((event) => (event.type === "context" ? (summaryOf(event.value) ?? []) : []))
}

describe("when rows pile up", () => {
  test("live rows stay few, the log keeps all, and run keys go on", async () => {
    const { rouse, model } = setUp({ compaction: { rowsMax: 24 } })
    await rouse.spawn(A)
    let most = 0
    for (let n = 1; n <= 40; n++) {
      await rouse.ask(A, `ask ${n}`)
      most = Math.max(
        most,
        ["run", "step", "text", "message"].reduce((sum, name) => sum + rouse.rows(A, name).length, 0),
      )
    }
    expect(most).toBeLessThanOrEqual(28)
    expect(rouse.rows(A, "run").at(-1)?.id).toBe("r000040")
    expect(rouse.rows(A, "context")).toHaveLength(1)
    expect(rouse.log(A).filter((event) => event.type === "run" && event.headers.operation === "insert")).toHaveLength(
      40,
    )
    expect(rouse.log(A).filter((event) => event.headers.operation === "delete" && event.type !== "memo")).toEqual([])
    const prompt = JSON.stringify(model.calls.at(-1)?.prompt)
    expect(prompt).toContain(SUMMARY_HEAD.slice(0, 20))
    expect(prompt).toContain("user: ask 30")
  })

  test("false turns it off", async () => {
    const { rouse } = setUp({ compaction: false })
    await rouse.spawn(A)
    for (let n = 1; n <= 60; n++) await rouse.ask(A, `ask ${n}`)
    expect(rouse.rows(A, "run")).toHaveLength(60)
  })

  test("a handler without a model keeps few rows too", async () => {
    const plain = defineEntity("plain", { handler: (ctx) => ctx.reply("ok") })
    const rouse = createTestRouse({ entities: [plain] })
    await rouse.spawn("/plain/one")
    for (let n = 1; n <= 150; n++) await rouse.ask("/plain/one", n)
    expect(rouse.rows("/plain/one", "run").length).toBeLessThanOrEqual(31)
    expect(rouse.rows("/plain/one", "run").at(-1)?.id).toBe("r000150")
    expect(rouse.rows("/plain/one", "context")).toMatchObject([{ text: "" }])
  })

  test("a bound that makes no sense is refused", async () => {
    const { rouse } = setUp({ compaction: { rowsMax: 0 } })
    await rouse.spawn(A)
    await expect(rouse.ask(A, "hi")).rejects.toThrow(/compaction.rowsMax/)
  })
})

const SUMMARISE: Script = (prompt, answers) => {
  const asksForSummary = JSON.stringify(prompt[0]).includes("You summarise")
  if (asksForSummary) return { text: "They talked.", usage: { input: 50, output: 5 } }
  return answers % 2 === 0 && prompt.at(-1)?.role === "user"
    ? { calls: [{ tool: "look", input: {} }], usage: { input: 600, output: 10 } }
    : { text: "Fine.", usage: { input: 700, output: 10 } }
}

describe("when the conversation is long", () => {
  test("the model writes a summary, in a step of its own", async () => {
    const { rouse, model } = setUp({ script: SUMMARISE, compaction: { tokensMax: 500 } })
    await rouse.spawn(A)
    for (const text of ["one", "two", "three"]) await rouse.ask(A, text)
    expect(summaries(rouse)[0]).toMatchObject({ through: "r000001", text: "They talked.", by: "model", why: "tokens" })
    expect(rouse.rows(A, "step").filter((step) => step.purpose === "summary")[0]).toMatchObject({
      usage: { inputTokens: 50, outputTokens: 5 },
      messages: [],
    })
    const asked = model.calls.find((call) => JSON.stringify(call.prompt[0]).includes("You summarise"))
    expect(JSON.stringify(asked?.prompt)).toContain("user: one")
    expect(asked?.tools).toBeUndefined()
    expect(JSON.stringify(model.calls.at(-1)?.prompt)).toContain("They talked.")
  })

  test("a model that gives none leaves a digest", async () => {
    const { rouse } = setUp({
      script: (prompt) =>
        JSON.stringify(prompt[0]).includes("You summarise")
          ? { status: 400 }
          : { text: "Fine.", usage: { input: 900, output: 1 } },
      compaction: { tokensMax: 500 },
    })
    await rouse.spawn(A)
    for (const text of ["one", "two", "three"]) expect(await rouse.ask(A, text)).toBe("Fine.")
    expect(summaries(rouse)[0]).toMatchObject({ by: "digest", text: "user: one\nassistant: Fine." })
  })
})

describe("a crash around a compaction", () => {
  const play = async (compaction: Compaction, before: (rouse: TestRouse) => void): Promise<TestRouse> => {
    const { rouse } = setUp({ script: SUMMARISE, compaction })
    await rouse.spawn(A)
    before(rouse)
    for (const text of ["one", "two", "three", "four"]) {
      rouse.send(A, text)
      await rouse.settle()
    }
    return rouse
  }
  const check = (rouse: TestRouse): void => {
    expect(summaries(rouse).length).toBeGreaterThan(0)
    const sent = rouse.log(A).filter((event) => event.type === "message" && event.headers.operation === "insert")
    expect(sent).toHaveLength(4)
    for (const { key } of sent) {
      const last = rouse.log(A).findLast((event) => event.type === "message" && event.key === key)
      expect(last?.value).toMatchObject({ status: "processed" })
    }
    // P3 at every prefix: for who applies summaries, and for who keeps everything.
    const [live, all] = [new LiveRows([]), new LiveRows([])]
    for (const event of rouse.log(A)) {
      if (event.type === "delta") continue
      all.apply(event)
      live.apply(event)
      const summary = event.key === SUMMARY_KEY ? summaryOf(event.value) : undefined
      if (summary) forgetPast(live, summary)
      expect(problemsOf(conversation(live))).toEqual([])
      expect(problemsOf(conversation(all))).toEqual([])
    }
    expect([...live.keys("step")]).toEqual(rouse.rows(A, "step").map((step) => step.id))
  }

  for (const [name, compaction] of [
    ["by rows", { rowsMax: 12, tokensMax: 1_000_000 }],
    ["by tokens", { tokensMax: 500 }],
  ] as const) {
    test(`${name}: at every commit, before and after it is written`, async () => {
      const clean = await play(compaction, () => undefined)
      check(clean)
      for (let at = 1; at <= clean.commits; at++) {
        for (const when of ["before", "after"] as const) check(await play(compaction, (it) => it.crashAt(at, when)))
      }
    })
  }
})

/** A prompt as its smallest pieces in order. Where a provider may cache is no content. */
function flat(prompt: readonly { readonly role: string; readonly content: unknown }[]): readonly string[] {
  return prompt.flatMap(({ role, content }) =>
    (Array.isArray(content) ? content : [content]).map(
      (part) =>
        `${role} ${JSON.stringify(part, (key, value: unknown) => (key === "providerOptions" ? undefined : value))}`,
    ),
  )
}

test("a prompt begins with the bytes of the last one; only a summary moves them, and says so (P4)", async () => {
  const story = fc.record({
    texts: fc.array(fc.constantFrom("", "hi", "more\nlines", "x".repeat(60)), { minLength: 3, maxLength: 14 }),
    uses: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
    facts: fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 4 }),
    rowsMax: fc.constantFrom(12, 20, 1_000),
    tokensMax: fc.constantFrom(500, 1_000_000),
  })
  let moved = 0
  await fc.assert(
    fc.asyncProperty(story, async ({ texts, uses, facts, rowsMax, tokensMax }) => {
      let turn = 0
      const { rouse, model } = setUp({
        compaction: { rowsMax, tokensMax },
        sources: () => [
          { name: "facts", tokens: 5, load: () => facts[turn % facts.length] ?? "" },
          { name: "rules", priority: 9, tokens: 5, load: () => "Always be kind to everyone." },
        ],
        script: (prompt) => {
          if (JSON.stringify(prompt[0]).includes("You summarise")) return { text: "S".repeat(turn + 1) }
          return uses[turn % uses.length] && prompt.at(-1)?.role === "user"
            ? { calls: [{ tool: "look", input: {} }], usage: { input: 600, output: 1 } }
            : { text: "Fine.", usage: { input: 600, output: 1 } }
        },
      })
      await rouse.spawn(A)
      for (const text of texts) {
        await rouse.ask(A, text)
        turn += 1
      }
      const prompts = model.calls.map((call) => flat(call.prompt)).filter((it) => !it[0]?.includes("You summarise"))
      let moves = 0
      prompts.forEach((prompt, i) => {
        const before = prompts[i - 1] ?? []
        if (JSON.stringify(prompt.slice(0, before.length)) === JSON.stringify(before)) return
        moves += 1
        expect(prompt[1]).toContain("Summary of the conversation")
        expect(prompt[0]).toBe(before[0])
      })
      expect(moves).toBeLessThanOrEqual(summaries(rouse).length)
      moved += moves
    }),
    { numRuns: 40 },
  )
  expect(moved).toBeGreaterThan(0)
})

describe("useContext", () => {
  test("is shown by priority, written when it changes, and shown again after a summary", async () => {
    let weather = "sun"
    const { rouse, model } = setUp({
      compaction: { rowsMax: 12 },
      sources: () => [
        { name: "weather", tokens: 10, load: async () => weather },
        { name: "rules", priority: 5, tokens: 2, load: () => "Never say anything bad." },
      ],
    })
    await rouse.spawn(A)
    await rouse.ask(A, "one")
    await rouse.ask(A, "two")
    expect(rouse.rows(A, "context")).toMatchObject([
      { name: "rules", text: "Never sa\n[cut: about 2 of 6 tokens are shown]", tokens: 2 },
      { name: "weather", text: "sun" },
    ])
    weather = "rain"
    await rouse.ask(A, "three")
    const texts = flat(model.calls.at(-1)?.prompt ?? [])
    expect(texts[1]).toContain("Context rules:")
    expect(texts[2]).toContain("Context weather:\\nsun")
    expect(texts.at(-2)).toContain("Context weather:\\nrain")
    for (let n = 0; n < 6; n++) await rouse.ask(A, "on")
    const late = JSON.stringify(model.calls.at(-1)?.prompt)
    expect(late.match(/Context weather/g)).toHaveLength(1)
    expect(late).toContain("rain")
  })

  test.each([
    [{ name: "no spaces", tokens: 1, load: () => "" }, /name/],
    [{ name: "a", tokens: 0, load: () => "" }, /tokens/],
    [{ name: "a", tokens: 1, load: "x" }, /load/],
    [{ name: "a", tokens: 1, load: () => 7 }, /must return a text/],
  ])("refuses %j", async (source, rule) => {
    const { rouse } = setUp({ sources: () => [source as never] })
    await rouse.spawn(A)
    await expect(rouse.ask(A, "hi")).rejects.toThrow(rule)
  })
})
