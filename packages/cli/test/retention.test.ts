import { describe, expect, test } from "vitest"
import { collectRetention } from "../src/core/retention.ts"

const DAY_MS = 86_400_000

describe("a rule of retention", () => {
  test.each([
    ["entities/=90d", { prefix: "entities/", keepMs: 90 * DAY_MS }],
    ["events/=100MB", { prefix: "events/", keepBytes: 100 * 1024 ** 2 }],
    ["a/b=7d, 1gb", { prefix: "a/b", keepMs: 7 * DAY_MS, keepBytes: 1024 ** 3 }],
    ["=30m", { prefix: "", keepMs: 1_800_000 }],
    ["x=0h", { prefix: "x", keepMs: 0 }],
  ])("%s", (text, rule) => {
    expect(collectRetention(text)).toEqual([rule])
    const before = collectRetention("other/=1d")
    expect(collectRetention(text, before)).toEqual([...before, rule])
  })

  test.each([
    ["entities/", /must be prefix=age/],
    ["", /must be prefix=age/],
    ["a=", /must be prefix=age/],
    ["a=7", /must be prefix=age/],
    ["a=7y", /must be prefix=age/],
    ["a=-7d", /must be prefix=age/],
    ["a=7d,8d", /must be prefix=age/],
    ["a=7d,", /must be prefix=age/],
    ["a=1d=2d", /must be prefix=age/],
    ["a b=1d", /must be prefix=age/],
    ["a".repeat(500), /must be prefix=age.*…"/],
    ["/entities/=1d", /no slash in front: write entities\/=/],
  ])("%j is refused", (text, message) => {
    expect(() => collectRetention(text)).toThrow(message)
  })

  test("two for one prefix, or too many, are refused", () => {
    expect(() => collectRetention("a=1d", collectRetention("a=2d"))).toThrow(/two rules for "a"/)
    const many = Array.from({ length: 100 }, (_, n) => ({ prefix: String(n) }))
    expect(() => collectRetention("a=1d", many)).toThrow(/at most 100/)
  })
})
