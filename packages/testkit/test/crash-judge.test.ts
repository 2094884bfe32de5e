import type { ChangeEvent } from "@rouse/protocol"
import type { Turn } from "@rouse/agents/runtime"
import { describe, expect, test } from "vitest"
import { EffectBook } from "../src/crash/core/effect-book.ts"
import { judge } from "../src/crash/core/judge.ts"
import { refusals } from "../src/crash/core/provider-rules.ts"
import { SeededRandom } from "../src/crash/core/random.ts"
import { summaryOf } from "../src/crash/core/summary.ts"
import { SENT, call, event, historyWith, message, note, run, step, wake } from "./support/history.ts"
import type { Faults } from "./support/history.ts"

const entry = { key: "k1", ref: "m1.s0c0", tool: "mail", effect: "once", executions: 1, effects: 1, asked: 0 } as const

const replaceLast =
  (type: string, value: object) =>
  (log: ChangeEvent[]): ChangeEvent[] => {
    const at = log.findLastIndex((one) => one.type === type)
    return log.map((one, index) => (index === at ? { ...one, value: value as never } : one))
  }
const without =
  (type: string, status: string) =>
  (log: ChangeEvent[]): ChangeEvent[] =>
    log.filter((one) => one.type !== type || (one.value as { status?: string }).status !== status)
const and =
  (...more: ChangeEvent[]) =>
  (log: ChangeEvent[]): ChangeEvent[] => [...log, ...more]

test("a history in order breaks no promise", () => {
  expect(judge(historyWith())).toEqual([])
  const summary = summaryOf(historyWith(), [], { target: "rouse", seed: 1, kills: 0 })
  expect(summary).toMatchObject({
    sent: 1,
    settled: 1,
    lost: 0,
    duplicated: 0,
    unknown: 0,
    byClass: { once: { calls: 1, executions: 1, duplicated: 0 } },
  })
})

describe("the judge finds", () => {
  const faults: Readonly<Record<string, readonly [rule: string, what: RegExp, faults: Faults]>> = {
    "an accepted message that is on no log": [
      "P1",
      /on no log/,
      { agent: (log) => log.filter(({ type }) => type !== "message") },
    ],
    "a message that is there twice": [
      "P1",
      /2 times/,
      { agent: and(event("insert", "message", "m000000002", message("processed", { id: "m000000002" }))) },
    ],
    "a message that was never settled": ["P1", /0 terminal events/, { agent: without("message", "processed") }],
    "a message that was settled twice": [
      "P1",
      /2 terminal events/,
      { agent: and(event("update", "message", "m000000001", message("processed"))) },
    ],
    "a message that came back to life": [
      "P1",
      /ended taken/,
      { agent: and(event("update", "message", "m000000001", message("taken"))) },
    ],
    "a message that was dead-lettered": ["P1", /ended dead/, { agent: replaceLast("message", message("dead")) }],
    "a message under another key than was answered": [
      "P1",
      /was answered m000000009/,
      { history: { sent: [{ ...SENT, key: "m000000009" }] } },
    ],
    "another answer to the same request": [
      "P1",
      /sent again/,
      { history: { sent: [{ ...SENT, repeatedKey: "m000000002" }] } },
    ],
    "a run that is left running": ["P1", /closed 0 times/, { agent: without("run", "completed") }],
    "a run that closed twice": [
      "P1",
      /closed 2 times/,
      { agent: and(event("update", "run", "r000001", run("completed"))) },
    ],
    "a once tool that ran again": [
      "P2",
      /ran again/,
      { history: { effects: [{ ...entry, executions: 2, effects: 2 }] } },
    ],
    "a once tool that began again": [
      "P2",
      /began 2 times/,
      { agent: replaceLast("tool_call", call("done", { attempts: 2 })) },
    ],
    "a result of a tool that never ran": ["P2", /never ran/, { history: { effects: [] } }],
    "an effect that no log intended": [
      "P2",
      /no such call/,
      { history: { effects: [entry, { ...entry, key: "k2", ref: "m9.s0c0" }] } },
    ],
    "a call left open": ["P2", /has no result/, { agent: without("tool_call", "done") }],
    "a reconcilable effect that was had again": [
      "P2",
      /had its effect again/,
      {
        agent: (log) =>
          log.map((one) =>
            one.type === "tool_call" ? { ...one, value: { ...(one.value as object), name: "charge" } } : one,
          ),
        history: {
          effects: [{ ...entry, tool: "charge", effect: "reconcilable", executions: 2, effects: 2, asked: 1 }],
        },
      },
    ],
    "the same work under two keys": [
      "P2",
      /is the work/,
      {
        agent: and(
          event(
            "insert",
            "tool_call",
            "r000001-s0002-p001",
            call("done", { id: "r000001-s0002-p001", step: "r000001-s0002", index: 1, idempotencyKey: "k2" }),
          ),
        ),
        history: { effects: [entry, { ...entry, key: "k2" }] },
      },
    ],
    "a send that arrived twice": [
      "P2",
      /arrived 2 times/,
      { sink: and(...note("m000000003", { ref: "m1.after", nonce: "n" })) },
    ],
    "a send that never arrived": [
      "P2",
      /m1.before never arrived/,
      { sink: (log) => log.filter(({ key }) => key !== "m000000001") },
    ],
    "a step that was computed again": [
      "P2",
      /another step result/,
      {
        sink: (log) => [
          ...log.filter(({ key }) => key !== "m000000002"),
          ...note("m000000002", { ref: "m1.after", nonce: "other" }),
        ],
      },
    ],
    "a row that was made twice": [
      "P2",
      /which exists/,
      { agent: and(event("insert", "step", "r000001-s0001", step())) },
    ],
    "a step that is left open": [
      "P3",
      /running at the end/,
      {
        agent: and(
          event(
            "update",
            "step",
            "r000001-s0002",
            step({ id: "r000001-s0002", index: 2, messages: [], status: "running" }),
          ),
        ),
      },
    ],
    "a wake that never ended": ["rest", /wake w1 ended not at all/, { agent: (log) => log.slice(0, -1) }],
    "an epoch that did not grow": [
      "P6",
      /epoch 1 follows/,
      { agent: (log) => log.toSpliced(3, 0, event("insert", "wake", "w1", wake({ attempt: 2 }))) },
    ],
    "an entity that is left running": [
      "rest",
      /a lease or a wake/,
      { history: { rest: historyWith().rest.map((one) => ({ ...one, dueAtMs: 1 })) } },
    ],
    "a timer that is left": ["rest", /still due/, { history: { nextDueAtMs: 5 } }],
  }
  test.each(Object.entries(faults))("%s", (_name, [rule, what, fault]) => {
    const found = judge(historyWith(fault))
    expect(
      found.some((one) => one.rule === rule && what.test(one.what)),
      JSON.stringify(found, null, 2),
    ).toBe(true)
  })
})

test("an unknown outcome of a once tool is in order when the model was told of it", () => {
  const unknown = historyWith({ agent: replaceLast("tool_call", call("unknown", { resolved: "unknown" })) })
  expect(judge(unknown)).toEqual([])
  expect(summaryOf(unknown, [], { target: "rouse", seed: 1, kills: 0 }).unknown).toBe(1)
})

test("a worker's call that was given up is in order after as many lost workers as the documents say, and not before", () => {
  const lost = (times: number) => ({ name: "weigh", effect: "pure", backend: "worker", attempts: times }) as const
  const ended = (times: number) =>
    judge(
      historyWith({
        agent: (log) =>
          log.map((one) => {
            if (one.type !== "tool_call") return one
            const error = `its worker was lost, ${times} times`
            const end = (one.value as { status: string }).status === "done" ? { status: "failed", error } : {}
            return { ...one, value: { ...(one.value as object), ...lost(times), ...end } }
          }),
        history: { effects: [{ ...entry, tool: "weigh", effect: "pure" }] },
      }),
    ).filter(({ what }) => /has no result/.test(what))
  expect(ended(5)).toEqual([])
  expect(ended(4)).toHaveLength(1)
})

describe("providers refuse", () => {
  const user: Turn = { role: "user", texts: ["hello"] }
  const said: Turn = { role: "assistant", parts: [{ kind: "text", text: "hi" }] }
  const asked: Turn = { role: "assistant", parts: [{ kind: "call", id: "c1", name: "look", input: {} }] }
  const result: Turn = { role: "tool", results: [{ id: "c1", name: "look", outcome: { kind: "value", value: 1 } }] }
  const orphan: Turn = { role: "tool", results: [{ id: "c9", name: "look", outcome: { kind: "value", value: 1 } }] }

  test.each<readonly [string, readonly Turn[], RegExp]>([
    ["nothing", [], /no message/],
    ["an assistant who speaks first", [said, user], /first message/],
    ["an assistant who speaks last", [user, said], /last message/],
    ["two users in a row", [user, user], /user follows user/],
    ["a call without a result", [user, asked, user], /calls without results/],
    ["a result without a call", [user, said, result], /results without calls/],
    ["a result of another call", [user, asked, orphan], /c9, which was not called/],
    ["a call id that comes again", [user, asked, result, asked, result], /a second time/],
    ["a blank text", [user, { role: "assistant", parts: [{ kind: "text", text: " " }] }, user], /blank/],
    ["an empty question", [{ role: "user", texts: [] }], /empty user/],
    [
      "nothing but reasoning",
      [user, { role: "assistant", parts: [{ kind: "reasoning", text: "hm" }] }, user],
      /nothing said/,
    ],
    ["half a result", [user, asked, { role: "tool", results: [] }], /empty tool|with 0 results/],
  ])("%s", (_name, turns, what) => {
    expect(refusals(turns).join("; ")).toMatch(what)
  })

  test("not a conversation in order", () => {
    expect(refusals([user, said, user, asked, result])).toEqual([])
  })
})

test("the ledger counts effects once by key where the backend honours keys, and every time where it does not", () => {
  const book = new EffectBook()
  for (const effect of ["pure", "idempotent", "reconcilable", "once"] as const) {
    for (let i = 0; i < 2; i += 1) book.record({ key: effect, ref: "r", tool: "t", effect })
  }
  expect(book.find("absent")).toBeUndefined()
  expect(book.find("once")).toMatchObject({ executions: 2 })
  expect(book.report().map(({ effects, asked }) => [effects, asked])).toEqual([
    [1, 0],
    [1, 0],
    [2, 0],
    [2, 1],
  ])
})

test("a seed makes the same choices, and another seed others", () => {
  const choices = (seed: number): readonly number[] =>
    Array.from(
      { length: 20 },
      (
        (random) => () =>
          random.below(1_000)
      )(new SeededRandom(seed)),
    )
  expect(choices(7)).toEqual(choices(7))
  expect(choices(7)).not.toEqual(choices(8))
})
