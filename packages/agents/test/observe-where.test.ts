import { checkWhere, matchesWhere } from "@rouse/protocol"
import type { Json } from "@rouse/protocol"
import { addNotice, emptyNotice, foldChange, observationName, observed } from "@rouse/protocol/observe"
import fc from "fast-check"
import { describe, expect, test } from "vitest"

const ORDER = { id: "o1", cents: 500, state: "paid", customer: { plan: "pro", tags: ["eu", "new"] }, note: null }

describe("a condition", () => {
  test.each<[string, Record<string, Json>, boolean]>([
    ["is met by a row when it asks nothing", {}, true],
    ["compares a value", { state: "paid" }, true],
    ["compares a value that is another", { state: "sent" }, false],
    ["does not take a text for a number", { cents: "500" }, false],
    ["knows null from nothing", { note: null }, true],
    ["finds nothing where there is nothing", { nothing: null }, false],
    ["looks into objects", { "customer.plan": "pro" }, true],
    ["looks into lists", { "customer.tags.0": "eu" }, true],
    ["does not look into texts", { "state.length": 4 }, false],
    ["does not see what every object has", { "customer.constructor": { exists: true } }, false],
    ["asks all tests", { cents: { gt: 100, lte: 500 } }, true],
    ["asks all tests, and one is not met", { cents: { gt: 500 } }, false],
    ["orders texts", { state: { gte: "paid", lt: "pb" } }, true],
    ["does not order what is of two kinds", { state: { gt: 1 } }, false],
    ["finds a value in a list", { state: { in: ["sent", "paid"] } }, true],
    ["finds a value in no list", { state: { in: [] } }, false],
    ["asks whether a value exists", { note: { exists: true }, nothing: { exists: false } }, true],
    ["compares objects whole", { customer: { eq: { tags: ["eu", "new"], plan: "pro" } } }, true],
    ["compares lists in order", { "customer.tags": { eq: ["new", "eu"] } }, false],
    ["is met by what is not there", { nothing: { ne: 1 } }, true],
    ["and", { and: [{ state: "paid" }, { cents: 500 }] }, true],
    ["or", { or: [{ state: "sent" }, { cents: 500 }] }, true],
    ["not", { not: { state: "paid" } }, false],
    ["of the key", { $key: "k" }, true],
  ])("%s", (_, where, expected) => {
    checkWhere(where)
    expect(matchesWhere(where, ORDER, "k")).toBe(expected)
  })

  test.each<[unknown, string]>([
    ["text", "where: "],
    [{ a: [1] }, "where.a: "],
    [{ a: {} }, "where.a: "],
    [{ "a..b": 1 }, "where.a..b: "],
    [{ a: { near: 1 } }, "where.a.near: "],
    [{ a: { gt: true } }, "where.a.gt: "],
    [{ a: { in: "b" } }, "where.a.in: "],
    [{ a: { exists: 1 } }, "where.a.exists: "],
    [{ or: [] }, "where.or: "],
    [{ and: [{ not: 3 }] }, "where.and[0].not: "],
    [Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`a${n}`, 1])), "where: "],
  ])("%j is refused by name", (where, prefix) => {
    expect(() => checkWhere(where)).toThrow(prefix)
  })

  test("nests only so deep", () => {
    let where: Json = { a: 1 }
    for (let depth = 0; depth < 20; depth += 1) where = { not: where }
    expect(() => checkWhere(where)).toThrow("deep")
  })

  test("property: whatever passes the check can be asked of any row, and `not` is its opposite", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (where, row) => {
        try {
          checkWhere(where)
        } catch {
          return
        }
        const met = matchesWhere(where as never, row)
        expect(matchesWhere({ not: where }, row)).toBe(!met)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe("a message of a stream", () => {
  const change = (operation: string, more: Record<string, Json> = {}): Json => ({
    type: "notes",
    key: "n",
    value: { size: 3 },
    headers: { operation },
    ...more,
  })

  test("is a change of a row, or a value of its own", () => {
    expect(observed({}, change("insert"))).toEqual({
      collection: "notes",
      key: "n",
      operation: "insert",
      row: { size: 3 },
    })
    expect(observed({}, { plain: true })).toEqual({ row: { plain: true } })
    expect(observed({}, 7)).toEqual({ row: 7 })
    expect(observed({ on: ["notes"] }, { plain: true })).toBeUndefined()
    expect(observed({}, { headers: { control: "snapshot-start" } })).toBeUndefined()
  })

  test("is looked for by collection and operation", () => {
    expect(observed({ on: ["notes:update"] }, change("insert"))).toBeUndefined()
    expect(observed({ on: ["notes:update", "notes:insert"] }, change("insert"))).toBeDefined()
    expect(observed({}, { ...(change("insert") as object), type: "delta" })).toBeUndefined()
    expect(observed({ on: ["delta"] }, { ...(change("insert") as object), type: "delta" })).toBeDefined()
  })

  test("that deletes a row is judged by what it was, where that is known", () => {
    const { value: _, ...gone } = change("delete") as { value: Json }
    const where = { size: { gt: 5 } }
    expect(observed({ where }, gone)).toEqual({ collection: "notes", key: "n", operation: "delete" })
    expect(observed({ where }, { ...gone, old_value: { size: 3 } })).toBeUndefined()
    expect(observed({ where }, { ...gone, old_value: { size: 6 } })).toMatchObject({ row: { size: 6 } })
  })

  test("of the observer's own making does not count", () => {
    const own = change("insert", { headers: { operation: "insert", by: "/a/b" } })
    expect(observed({ except: "/a/b" }, own)).toBeUndefined()
    expect(observed({ except: "/a/c" }, own)).toBeDefined()
  })
})

describe("a notice", () => {
  const empty = emptyNotice("o", "s", "1" as never)

  test("counts all, shows the first, and leaves large rows out", () => {
    let notice = empty
    for (let n = 0; n < 100; n += 1) notice = foldChange(notice, { key: `k${n}`, row: n === 1 ? "x".repeat(9_000) : n })
    expect(notice.count).toBe(100)
    expect(notice.changes).toHaveLength(32)
    expect(notice.changes.slice(0, 3)).toEqual([{ key: "k0", row: 0 }, { key: "k1" }, { key: "k2", row: 2 }])
  })

  test("with another is one over both ranges", () => {
    const first = { ...foldChange(empty, { key: "a" }), to: "2" as never }
    const next = { ...foldChange({ ...empty, from: "2" as never }, { key: "b" }), to: "3" as never, count: 5 }
    expect(addNotice(first, next)).toEqual({ ...empty, to: "3", count: 6, changes: [{ key: "a" }, { key: "b" }] })
  })
})

test("each source has a name of its own that can stand in an address", () => {
  const names = [
    "/worker/one",
    "shared/board",
    "orders",
    { type: "worker" },
    { type: "worker", status: "idle" },
  ] as const
  expect(names.map(observationName)).toEqual(["worker.one", "shared.board", "orders", "set.worker", "set.worker.idle"])
  expect(observationName({ type: "worker", tags: { "team:x": "ä b" } })).toBe("set.worker.team.x-.b")
})
