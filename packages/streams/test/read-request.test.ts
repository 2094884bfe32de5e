import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { cacheControl } from "../src/core/caching.ts"
import { nextCursor, parseCursor } from "../src/core/cursor.ts"
import { readTag, tagMatches } from "../src/core/etag.ts"
import { parseRead } from "../src/core/read-request.ts"
import type { Offset } from "@rouse/protocol"

const read = (query: string) => parseRead(new URLSearchParams(query))
const offset = (value: string): Offset => value as Offset

describe("§5.5 to §5.7 a read's query", () => {
  test("reads from the start unless told otherwise", () => {
    expect(read("")).toEqual({ offset: "-1", live: "no" })
    expect(read("offset=now")).toEqual({ offset: "now", live: "no" })
    expect(read("cursor=12&foo=bar&live=sse&offset=ab_12")).toEqual({ offset: "ab_12", live: "sse", cursor: 12 })
  })

  test.each([
    "offset=",
    "offset=a&offset=b",
    "offset=a,b",
    "offset=a%20b",
    "offset=../x",
    "offset=a%00",
    `offset=${"a".repeat(257)}`,
  ])("%s is a bad offset", (query) =>
    expect(() => read(query)).toThrow(expect.objectContaining({ code: "BAD_OFFSET" })),
  )

  test.each(["live=sse", "live=long-poll", "live=", "live=true&offset=-1", "live=sse&live=sse&offset=-1"])(
    "%s is refused",
    (query) => {
      expect(() => read(query)).toThrow(expect.objectContaining({ code: "BAD_REQUEST" }))
    },
  )
})

describe("§8.1 cursors", () => {
  const NOW = Date.UTC(2026, 0, 1)
  const current = (NOW - Date.UTC(2024, 9, 9)) / 20_000

  test("count intervals of twenty seconds", () => {
    expect(nextCursor(undefined, NOW, 0)).toBe(current)
    expect(nextCursor(current - 1, NOW, 0.5)).toBe(current)
    expect(nextCursor(undefined, NOW + 20_000, 0)).toBe(current + 1)
  })

  test("step beyond the client's by one second to an hour", () => {
    expect(nextCursor(current, NOW, 0)).toBe(current + 1)
    expect(nextCursor(current + 5, NOW, 0.999999)).toBe(current + 5 + 180)
  })

  test("never go back, whatever the client sent", () => {
    fc.assert(
      fc.property(
        fc.option(fc.maxSafeNat()),
        fc.nat(),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (client, ms, random) => {
          const parsed = parseCursor(client === null ? null : String(client))
          const next = nextCursor(parsed, NOW + ms, random)
          expect(Number.isSafeInteger(next)).toBe(true)
          expect(next).toBeGreaterThanOrEqual(nextCursor(undefined, NOW + ms, 0))
          if (parsed !== undefined && parsed >= nextCursor(undefined, NOW + ms, 0)) expect(next).toBeGreaterThan(parsed)
        },
      ),
    )
  })

  test.each(["", "-1", "1.5", "x", "1e3", "9".repeat(16)])("%j is none", (value) =>
    expect(parseCursor(value)).toBeUndefined(),
  )
})

describe("§8.1 entity tags", () => {
  const tag = readTag("i", offset("a"), offset("b"), false)

  test("tell stream, range and end apart", () => {
    const others = [readTag("j", offset("a"), offset("b"), false), readTag("i", offset("b"), offset("b"), false)]
    expect(
      new Set([
        tag,
        ...others,
        readTag("i", offset("a"), offset("c"), false),
        readTag("i", offset("a"), offset("b"), true),
      ]).size,
    ).toBe(5)
  })

  test("match alone, in lists, weakly, and by star", () => {
    expect([tag, `W/${tag}`, `"x", ${tag}`, "*"].map((value) => tagMatches(value, tag))).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect([null, "", '"x"', tag.slice(1)].map((value) => tagMatches(value, tag))).toEqual([false, false, false, false])
  })
})

describe("§8.1 caching", () => {
  test("keeps what cannot change, asks again at an open tail", () => {
    expect(cacheControl({ upToDate: false, closed: false }, 0)).toBe("private, max-age=60, stale-while-revalidate=300")
    expect(cacheControl({ upToDate: true, closed: true }, 0)).toBe("private, max-age=60, stale-while-revalidate=300")
    expect(cacheControl({ upToDate: true, closed: false }, 0)).toBe("private, no-cache")
  })

  test("never beyond the stream's life", () => {
    expect(cacheControl({ upToDate: false, closed: false, ttlSeconds: 5 }, 0)).toBe("private, max-age=5")
    expect(cacheControl({ upToDate: false, closed: false, expiresAtMs: 2500 }, 0)).toBe("private, max-age=2")
    expect(cacheControl({ upToDate: false, closed: false, expiresAtMs: 1 }, 5000)).toBe("private, max-age=0")
  })
})
