import { MaterializedState } from "@durable-streams/state"
import type { ChangeEvent } from "@durable-streams/state"
import { frameJson, parseJson } from "@rouse/store"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { membersOf } from "../src/core/json-text.ts"
import { LiveRows } from "../src/core/live-rows.ts"
import { checkRules, ruleOf } from "../src/core/retention-rule.ts"
import { parseStateMessage, splitBatch } from "../src/core/state-message.ts"
import { refusal } from "./refusal.ts"

const SIZE_MAX = 1_000_000
const encoder = new TextEncoder()
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** JSON as people indent it. */
const spaced = (value: unknown): string => JSON.stringify(value, null, 2)

const change: fc.Arbitrary<ChangeEvent> = fc.record({
  type: fc.constantFrom("a", "b", "1 a", 'q"'),
  key: fc.constantFrom("k", "l", "ak", "\\"),
  value: fc.jsonValue({ maxDepth: 2 }).map((value): unknown => JSON.parse(JSON.stringify(value))),
  headers: fc.record({
    operation: fc.constantFrom("insert" as const, "update" as const, "upsert" as const, "delete" as const),
  }),
})
const batches = fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 12 })

/** What a reader holds, in the order in which it last changed. */
function replayed(given: readonly (readonly unknown[])[]): unknown[] {
  const state = new MaterializedState()
  const order = new Map<string, unknown[]>()
  for (const event of given.flat() as ChangeEvent[]) {
    if ("control" in event.headers) continue
    state.apply(event)
    const id = JSON.stringify([event.type, event.key])
    order.delete(id)
    if (event.headers.operation !== "delete") order.set(id, [event.type, event.key])
  }
  return [...order.values()].map(([type, key]) => [type, key, state.get(type as string, key as string)])
}

function folded(given: readonly (readonly unknown[])[], from?: Uint8Array): LiveRows {
  const rows = new LiveRows(SIZE_MAX)
  if (from !== undefined) rows.apply(from)
  for (const batch of given) rows.apply(frameJson(batch))
  return rows
}

const rowsOf = (rows: LiveRows): unknown[] => {
  const data = rows.frame()
  return replayed([data.length === 0 ? [] : parseJson([data])])
}

describe("JSON text", () => {
  test("is split into the messages that were put together, however they are spelled", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.boolean(), (values, wide) => {
        const messages = values.map((value) => (wide ? spaced(value) : JSON.stringify(value)))
        const batch = messages.map((message) => `${message}${wide ? "\n,\n" : ","}`).join("")
        expect(splitBatch(batch)).toEqual(messages)
      }),
    )
  })

  test("of an object has the members that parsing finds", () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue()).filter((value) => !("__proto__" in value))
    fc.assert(
      fc.property(object, fc.boolean(), (value, wide) => {
        const members = [...(membersOf(wide ? spaced(value) : JSON.stringify(value)) ?? [])]
        const parsed = JSON.parse(JSON.stringify(value)) as object
        expect(members.map(([name, member]) => [name, JSON.parse(member)])).toEqual(Object.entries(parsed))
      }),
    )
    expect(membersOf("[1]")).toBeUndefined()
    expect(membersOf('{"a":1,"a":2}')?.get("a")).toBe("2")
  })

  test.each(["1", '"x"', "[]", "{}", '{"headers":1}', '{"headers":{}}', '{"type":"a","key":"k","value":1}'])(
    "%s is no message of the State Protocol",
    (message) => expect(parseStateMessage(message)).toBeUndefined(),
  )

  test.each([
    [{ type: "", key: "k", value: 1, headers: { operation: "insert" } }],
    [{ type: "a", key: 1, value: 1, headers: { operation: "insert" } }],
    [{ type: "a", key: "k", value: 1, headers: { operation: "replace" } }],
  ])("%j is none either", (message) => expect(parseStateMessage(JSON.stringify(message))).toBeUndefined())
})

describe("live rows", () => {
  test("are what the ecosystem's own reader holds", () => {
    fc.assert(
      fc.property(batches, (given) => {
        expect(rowsOf(folded(given))).toEqual(replayed(given))
      }),
    )
  })

  test("of a snapshot and what followed are those of the whole", () => {
    fc.assert(
      fc.property(batches, fc.nat(12), fc.nat(12), (given, a, b) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b)]
        const base = folded(given.slice(0, first)).frame()
        const later = folded(given.slice(first, second), base.length === 0 ? undefined : base).frame()
        const rows = folded(given.slice(second), later.length === 0 ? undefined : later)
        expect(text(rows.frame())).toBe(text(folded(given).frame()))
      }),
    )
  })

  test("keep the spelling of values, and the other headers", () => {
    const rows = new LiveRows(SIZE_MAX)
    rows.apply(
      encoder.encode(
        '{"headers":{"operation":"update","txid":"t"},"value":{"a":1e400,"a": 12345678901234567890},"key":"k","type":"n"},',
      ),
    )
    expect(text(rows.frame())).toBe(
      '{"type":"n","key":"k","value":{"a":1e400,"a": 12345678901234567890},"headers":{"operation":"insert","txid":"t"}},',
    )
  })

  test("begin anew at a reset, and pass over the marks of a snapshot", () => {
    const mark = (control: string): unknown => ({ headers: { control } })
    const insert = (key: string): unknown => ({ type: "a", key, value: 1, headers: { operation: "insert" } })
    const rows = folded([[insert("old"), mark("reset"), mark("snapshot-start"), insert("new"), mark("snapshot-end")]])
    expect(rowsOf(rows)).toEqual([["a", "new", 1]])
  })

  test("are bounded, and refused of other messages", () => {
    const insert = { type: "a", key: "k", value: "x".repeat(100), headers: { operation: "insert" } }
    expect(refusal(() => new LiveRows(100).apply(frameJson([insert])))).toBe("TOO_LARGE")
    expect(refusal(() => new LiveRows(SIZE_MAX).apply(frameJson([1])))).toBe("BAD_REQUEST")
  })

  test("are the same when much more was folded than is live", () => {
    const rows = new LiveRows(SIZE_MAX)
    const value = "x".repeat(200_000)
    for (let n = 0; n < 60; n += 1) {
      rows.apply(frameJson([{ type: "a", key: `k${n % 2}`, value: n + value, headers: { operation: "update" } }]))
    }
    expect(rowsOf(rows)).toEqual([
      ["a", "k0", 58 + value],
      ["a", "k1", 59 + value],
    ])
  })

  test("may be told how changes make a row", () => {
    const rows = new LiveRows(SIZE_MAX, (type, before, next) =>
      type === "sum" ? String(Number(before ?? 0) + Number(next)) : undefined,
    )
    const add = (type: string, value: number): unknown => ({ type, key: "k", value, headers: { operation: "update" } })
    rows.apply(frameJson([add("sum", 2), add("last", 2), add("sum", 3), add("last", 3)]))
    expect(rowsOf(rows)).toEqual([
      ["sum", "k", 5],
      ["last", "k", 3],
    ])
  })
})

test("a rule that makes no sense is refused by its name", () => {
  for (const rule of [
    { prefix: "", keepMs: -1 },
    { prefix: "", keepBytes: Number.NaN },
    { prefix: "", keepMs: Infinity },
  ]) {
    expect(refusal(() => checkRules([rule]))).toBe("BAD_REQUEST")
  }
})

test("the rule of a stream is the one that names most of its path", () => {
  const rules = [{ prefix: "a/" }, { prefix: "a/b/", keepMs: 1 }, { prefix: "c" }]
  expect(ruleOf(rules, "a/b/c")).toBe(rules[1])
  expect(ruleOf(rules, "a/c")).toBe(rules[0])
  expect(ruleOf(rules, "b")).toBeUndefined()
})
