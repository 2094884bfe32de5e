import type { LiveRow } from "@rouse/store"
import fc from "fast-check"
import { expect, test } from "vitest"
import { Recent } from "../src/core/recent.ts"
import { orderRows } from "../src/core/snapshot-order.ts"

const row = (collection: string, key: string, value: object): LiveRow => ({
  collection,
  key,
  json: JSON.stringify(value),
})
const names = (rows: readonly LiveRow[]): string[] => rows.map(({ collection, key }) => `${collection} ${key}`)
const sorted = (rows: readonly LiveRow[]): LiveRow[] =>
  rows.toSorted((a, b) => (`${a.collection}\n${a.key}` < `${b.collection}\n${b.key}` ? -1 : 1))

test("rows stand as they came about: run by run, and what waits last", () => {
  const happened = [
    row("entity", "self", {}),
    row("notes", "n", {}),
    row("message", "m1", { status: "processed", run: "r1" }),
    row("step", "r1-s1", { run: "r1", startedAt: "1" }),
    row("reasoning", "r1-s1-p0", { step: "r1-s1", index: 0 }),
    row("tool_call", "r1-s1-p1", { step: "r1-s1", index: 1 }),
    row("approval", "r1-s1-p1", { call: "r1-s1-p1" }),
    row("child", "/t/c", { at: "2" }),
    row("step", "r1-s2", { run: "r1", startedAt: "3" }),
    row("text", "r1-s2-p0", { step: "r1-s2", index: 0 }),
    row("run", "r1", { endedAt: "4" }),
    row("message", "m2", { status: "cancelled" }),
    row("message", "m4", { status: "taken", run: "r2" }),
    row("step", "r2-s1", { run: "r2", startedAt: "6" }),
    row("run", "r2", {}),
    row("message", "m3", { status: "accepted" }),
    row("message", "m5", { status: "accepted" }),
    row("approval", "gone", {}),
    row("child", "/t/d", { at: "7" }),
  ]
  expect(names(orderRows(sorted(happened)))).toEqual(names(happened))
})

test("no row is lost or told twice, whatever they say of each other", () => {
  const key = fc.constantFrom("a", "b", "c", "d")
  const rows = fc.uniqueArray(
    fc.record({
      collection: fc.constantFrom("message", "run", "step", "text", "tool_call", "approval", "child", "tag", "own"),
      key,
      value: fc.record({
        run: key,
        step: key,
        index: fc.nat(3),
        at: key,
        startedAt: key,
        status: fc.constantFrom("accepted", "processed"),
      }),
    }),
    { selector: (each) => `${each.collection} ${each.key}` },
  )
  fc.assert(
    fc.property(rows, (given) => {
      const stored = sorted(given.map((each) => row(each.collection, each.key, each.value)))
      expect(sorted(orderRows(stored))).toEqual(stored)
    }),
  )
})

test("ten thousand messages in as many runs are ordered in one go", () => {
  const rows = Array.from({ length: 10_000 }, (_, n) => [
    row("message", `m${String(n).padStart(5, "0")}`, { status: "processed", run: `r${n}` }),
    row("run", `r${n}`, {}),
  ]).flat()
  expect(orderRows(sorted(rows))).toHaveLength(20_000)
})

test("the text so far is that since the step last began, and what was settled or taken back is not told", () => {
  const event = (type: string, key: string, operation: "insert" | "update" | "delete", value?: object): never =>
    ({ type, key, ...(value && { value }), headers: { operation } }) as never
  const delta = (part: string, at: number, text: string): never =>
    event("delta", part, "update", { run: "r", step: "s2", index: 0, kind: "text", at, text })
  const recent = new Recent(["s2"])
  recent.before([
    delta("p2", 5, "!"),
    event("text", "p1", "insert", { step: "s2" }),
    event("wake", "w", "update", { n: 2 }),
  ])
  expect(recent.done).toBe(false)
  recent.before([
    delta("p2", 0, "Bye"),
    delta("p2", 0, "Hi "),
    delta("p2", 3, "all"),
    delta("p1", 0, "x"),
    delta("p3", 0, "y"),
  ])
  recent.before([delta("p4", 0, "lost"), event("step", "s2", "update", {}), event("wake", "w", "insert", { n: 1 })])
  expect(recent.done).toBe(true)
  recent.before([event("delta", "p3", "delete")])
  expect(recent.changes().map(({ type, key, value }) => [type, key, (value as { text?: string }).text])).toEqual([
    ["delta", "p2", "Hi al!"],
    ["delta", "p3", "y"],
    ["wake", "w", undefined],
  ])
})
