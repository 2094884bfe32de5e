import { applyChanges, emptyTimeline } from "@rouse/client"
import type { ChangeEvent, Json, Offset, Row, UsageTime } from "@rouse/protocol"
import { describe, expect, test } from "vitest"
import { compareTimelines } from "../src/core/compare.ts"
import { unsent } from "../src/core/draft.ts"
import { filterIn, isNarrowed, isSameFilter, queryOf } from "../src/core/list-filter.ts"
import { momentAt, momentsOf, prependEntries, timeOfEvent } from "../src/core/log-entries.ts"
import { dollars } from "../src/core/money.ts"
import { ruleText } from "../src/core/rule-text.ts"
import { agentSearch, spendSearch } from "../src/core/searches.ts"
import { spendPlot } from "../src/core/spend-plot.ts"
import { cellOf, changedFields, collectionCounts, tableOf } from "../src/core/table.ts"
import { timeUntil } from "../src/core/time.ts"

const event = (type: string, key = "k", value: Json = { at: "2026-11-23T12:00:00Z" }): ChangeEvent => ({
  type,
  key,
  value,
  headers: { operation: "insert" },
})
const at = (offset: string): Offset => offset as Offset

test("what was written while a message was being sent is the next draft", () => {
  expect(unsent("first", "first")).toBe("")
  expect(unsent("first\nsecond", "first")).toBe("second")
  expect(unsent("second", "first")).toBe("second")
  expect(unsent("", "first")).toBe("")
})

describe("a log that is read back from its end", () => {
  const late = prependEntries([], [{ offset: at("5"), events: [event("run"), event("step")] }])

  test("is numbered from 1 when all of it is there, and goes on below it when more comes before", () => {
    expect(late.map(({ n, offset }) => [n, offset])).toEqual([
      [1, "5"],
      [2, "5"],
    ])
    const all = prependEntries(late, [
      { offset: at("1"), events: [event("entity")] },
      { offset: at("3"), events: [event("message"), event("wake")] },
    ])
    expect(all.map(({ n, offset }) => [n, offset])).toEqual([
      [-2, "1"],
      [-1, "3"],
      [0, "3"],
      [1, "5"],
      [2, "5"],
    ])
  })

  test("has a moment for each commit that wrote more than a piece of text", () => {
    const entries = prependEntries(
      [],
      [
        { offset: at("1"), events: [event("message"), event("wake")] },
        { offset: at("2"), events: [event("delta")] },
        { offset: at("3"), events: [event("delta"), event("text")] },
      ],
    )
    const moments = momentsOf(entries)
    expect(moments.map(({ offset, entry }) => [offset, entry.event.type])).toEqual([
      ["1", "message"],
      ["3", "text"],
    ])
    expect(["0", "1", "2", "3", "9"].map((offset) => momentAt(moments, offset))).toEqual([-1, 0, 0, 1, 1])
  })

  test("tells the time of an event as far as its row does", () => {
    expect(timeOfEvent(event("run", "r", { startedAt: "2026-01-01", endedAt: "2026-01-02" }))).toBe("2026-01-02")
    expect(timeOfEvent(event("notes", "n", "text"))).toBeUndefined()
    expect(timeOfEvent(event("notes", "n", { at: 5 }))).toBeUndefined()
  })
})

describe("rows as a table", () => {
  const row = (collection: string, key: string, value: Json): Row => ({ collection, key, value })

  test("has what says most first, and no column that repeats the key", () => {
    const rows = [row("run", "r1", { id: "r1", attempt: 1, status: "completed", reply: "yes" })]
    expect(tableOf(rows).columns).toEqual(["status", "reply", "attempt"])
    expect(cellOf(rows[0]!.value, "reply")).toBe("yes")
  })

  test("has columns that most rows have, and one for what is no object", () => {
    const rows = [row("c", "a", { x: 1 }), row("c", "b", { x: 1, y: null }), row("c", "d", { y: 2, x: 0 })]
    expect(tableOf(rows).columns).toEqual(["x", "y"])
    expect(tableOf([row("c", "a", 5)]).columns).toEqual([])
    expect(cellOf(5, undefined)).toBe("5")
  })

  test("is counted by collection, the author's first", () => {
    const rows = [row("run", "1", 1), row("notes", "1", 1), row("notes", "2", 1)]
    expect(collectionCounts(rows, (name) => name === "run")).toEqual([
      { name: "notes", count: 2 },
      { name: "run", count: 1 },
    ])
    expect(changedFields({ a: 1, b: { c: 1 } }, { a: 1, b: { c: 2 }, d: 0 })).toEqual(["b", "d"])
    expect(changedFields(undefined, { a: 1 })).toEqual([])
  })
})

describe("two timelines", () => {
  const message = (id: string, content: string) =>
    event("message", id, { id, kind: "message", from: { kind: "user", id: "ann" }, content, status: "accepted" })
  const timeline = (...events: readonly ChangeEvent[]) => applyChanges(emptyTimeline(), events)

  test("part where they first differ, also in what one item says", () => {
    const a = timeline(message("1", "hi"), message("2", "here"))
    const b = timeline(message("1", "hi"), message("2", "there"), message("3", "more"))
    const compared = compareTimelines(a, b)
    expect([compared.same, compared.left, compared.right].map((items) => items.length)).toEqual([1, 1, 2])
    expect(compareTimelines(a, a)).toMatchObject({ left: [], right: [] })
    expect(compareTimelines(emptyTimeline(), b).right).toHaveLength(3)
  })
})

describe("filters and addresses", () => {
  test("the search asks for words and a tag", () => {
    expect(queryOf({ type: "clerk", search: " order tag:tier=gold  7 " })).toEqual({
      type: "clerk",
      text: "order 7",
      tag: "tier=gold",
    })
    expect(queryOf({ search: "tag:" })).toEqual({})
  })

  test("what is no filter is left out of an address", () => {
    expect(filterIn({ type: "clerk", status: "asleep", search: 5, at: "x" })).toEqual({ type: "clerk" })
    expect(isNarrowed({ search: "  " })).toBe(false)
    expect(isSameFilter({ search: "" }, {})).toBe(true)
    expect(agentSearch({ view: "secrets", at: "1_2", with: "" })).toEqual({ at: "1_2" })
    expect(spendSearch({ by: "model", range: "2d", of: "euro" })).toEqual({ by: "model" })
  })
})

describe("spend over time", () => {
  const time = (period: string, key: string, usd: number): UsageTime => ({
    period,
    key,
    usd,
    calls: 1,
    inputTokens: 10,
    outputTokens: 5,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    unpriced: 0,
  })
  const untilMs = Date.parse("2026-11-23T12:30:00Z")

  test("has every hour of a day, group on group", () => {
    const times = [time("2026-11-23T11", "a", 1), time("2026-11-23T11", "b", 2), time("2026-11-23T12", "a", 4)]
    const plot = spendPlot(times, ["a", "b"], "usd", { sinceMs: untilMs - 86_400_000, untilMs })
    expect(plot.stepSeconds).toBe(3_600)
    expect(plot.starts).toHaveLength(25)
    expect(plot.groups.map(({ amounts }) => amounts.slice(-2))).toEqual([
      [1, 4],
      [2, 0],
    ])
    expect(plot.groups[1]?.stacked.slice(-2)).toEqual([3, 4])
  })

  test("has days of a month, hours of today among them", () => {
    const times = [time("2026-11-20", "a", 1), time("2026-11-23T09", "a", 2), time("2026-11-23T10", "a", 3)]
    const plot = spendPlot(times, ["a"], "tokens", { sinceMs: untilMs - 30 * 86_400_000, untilMs })
    expect(plot.stepSeconds).toBe(86_400)
    expect(plot.groups[0]?.amounts.at(-1)).toBe(30)
    expect(plot.groups[0]?.amounts.at(-4)).toBe(15)
  })

  test("dollars have as many digits as say something", () => {
    expect([0, 0.000_312, 0.42, 12.3, 1_204.4].map(dollars)).toEqual(["$0", "$0.00031", "$0.42", "$12.30", "$1,204"])
  })
})

describe("what is to come", () => {
  test("times until, and rules, in words", () => {
    const now = Date.parse("2026-11-23T12:00:00Z")
    const lefts = [-5, 500, 12_000, 240_000, 3 * 3_600_000, 6 * 86_400_000]
    expect(lefts.map((left) => timeUntil(now + left, now))).toEqual(["now", "now", "in 12s", "in 4m", "in 3h", "in 6d"])
    expect(timeUntil(Number.NaN, now)).toBe("")
    expect(ruleText({ cron: "0 9 * * 1" })).toBe("0 9 * * 1 UTC")
    expect(ruleText({ every: 3_600_000 })).toBe("every 1 h 00 m")
    expect(ruleText({ at: "2027-01-01T00:00:00Z" })).toBe("once")
    expect(ruleText(undefined)).toBe("once, sent for later")
  })
})
