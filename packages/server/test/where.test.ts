import { checkWhere, type Json, matchesWhere, RouseError, type Where } from "@rouse/protocol"
import { describe, expect, test } from "vitest"

const value: Json = {
  action: "opened",
  draft: false,
  none: null,
  amount: 12,
  labels: ["bug", { name: "p1" }],
  user: { login: "mona", "a.b": 1 },
}

const HOLD: readonly Where[] = [
  {},
  { action: "opened" },
  { draft: false },
  { none: null },
  { "user.login": "mona", amount: 12 },
  { "labels.1.name": "p1" },
  { action: { in: ["closed", "opened"] } },
  { action: { ne: "closed" }, nothing: { ne: 1 } },
  { amount: { gt: 11, lte: 12 } },
  { action: { gte: "open", startsWith: "op", contains: "ene" } },
  { labels: { contains: "bug" } },
  { labels: { contains: { name: "p1" } } },
  { labels: { eq: ["bug", { name: "p1" }] } },
  { none: { exists: true }, nothing: { exists: false } },
  { or: [{ action: "closed" }, { amount: 12 }] },
  { not: { action: "closed" }, action: "opened" },
  { and: [{ action: "opened" }, { amount: 12 }] },
]
const DO_NOT: readonly Where[] = [
  { action: "closed" },
  { draft: null },
  { nothing: null },
  { "user.login.length": 4 },
  { "user.a.b": 1 },
  { "action.0": "o" },
  { toString: { exists: true } },
  { "user.constructor": { exists: true } },
  { amount: "12" },
  { amount: { gt: "11" } },
  { action: { gt: 1 } },
  { amount: { gt: 12 } },
  { action: { in: [] } },
  { none: { exists: false } },
  { amount: { startsWith: "1" } },
  { labels: { contains: "p1" } },
  { labels: { eq: { 0: "bug" } } },
  { or: [{ action: "closed" }, { amount: 13 }] },
  { not: {} },
  { and: [{ action: "opened" }, { amount: 13 }] },
  { action: "opened", amount: 13 },
]

describe("a predicate", () => {
  test.each(HOLD)("%j holds", (where) => expect(matchesWhere(checkWhere(where), value)).toBe(true))
  test.each(DO_NOT)("%j does not", (where) => expect(matchesWhere(checkWhere(where), value)).toBe(false))
})

const deep = (levels: number): unknown => (levels === 0 ? { a: 1 } : { not: deep(levels - 1) })
test.each([
  [null, "where"],
  [[], "where"],
  ["a", "where"],
  [{ "": 1 }, "where"],
  [{ a: [1] }, "where.a"],
  [{ a: {} }, "where.a"],
  [{ a: { near: 1 } }, "where.a.near"],
  [{ a: { in: 1 } }, "where.a.in"],
  [{ a: { gt: true } }, "where.a.gt"],
  [{ a: { exists: 1 } }, "where.a.exists"],
  [{ a: { startsWith: 1 } }, "where.a.startsWith"],
  [{ and: [] }, "where.and"],
  [{ or: {} }, "where.or"],
  [{ or: [1] }, "where.or[0]"],
  [{ not: 1 }, "where.not"],
  [deep(9), "nested"],
  [Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, 1])), "64"],
])("%j is refused at %s", (where, field) => {
  let refusal: unknown
  try {
    checkWhere(where)
  } catch (error) {
    refusal = error
  }
  expect(RouseError.is(refusal, "INVALID_ARGS") && refusal.message).toContain(field)
})
