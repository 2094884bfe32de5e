import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { parseAppend } from "../src/core/append-request.ts"
import { parseCreate } from "../src/core/create-request.ts"
import { parseRfc3339 } from "../src/core/rfc3339.ts"
import { isJson, isText, parseMediaType } from "../src/core/media-type.ts"

const NOW = Date.UTC(2026, 0, 1)
const create = (headers: Record<string, string>) => parseCreate(new Headers(headers), NOW)
const append = (headers: Record<string, string>) => parseAppend(new Headers(headers))

describe("a content type", () => {
  test.each([
    ["text/plain", "text/plain"],
    [" Text/PLAIN ", "text/plain"],
    ["application/json;charset=UTF-8", "application/json; charset=UTF-8"],
    ["application/json ;  charset=utf-8", "application/json; charset=utf-8"],
    ["application/json;", "application/json"],
    ["application/vnd.a+json", "application/vnd.a+json"],
  ])("%s is %s", (value, expected) => expect(parseMediaType(value)).toBe(expected))

  test.each([
    "",
    "text",
    "text/",
    "/plain",
    "text/pl ain",
    "text/plain\u0000",
    "text/plain, text/html",
    "a/b; ü",
    `a/${"b".repeat(300)}`,
  ])("%j is none", (value) => expect(parseMediaType(value)).toBeUndefined())

  test("decides on JSON mode and on how events carry it", () => {
    expect([isJson("application/json; charset=utf-8"), isJson("application/x-ndjson"), isJson("text/json")]).toEqual([
      true,
      false,
      false,
    ])
    expect([isText("text/html"), isText("application/json"), isText("application/octet-stream")]).toEqual([
      true,
      true,
      false,
    ])
  })
})

describe("§5.1 create", () => {
  test("says what the headers say", () => {
    expect(create({})).toEqual({ closed: false })
    expect(create({ "content-type": "Text/Plain" })).toEqual({ contentType: "text/plain", closed: false })
    expect(create({ "stream-closed": "TRUE", "stream-ttl": "0" })).toMatchObject({ closed: true, ttlSeconds: 0 })
    expect(create({ "stream-closed": "yes" }).closed).toBe(false)
  })

  test.each(["", "01", "+1", "1.0", "1e3", "-1", "1, 2", "0x1", "99999999999", "9".repeat(400)])(
    "Stream-TTL %j is refused",
    (ttl) => {
      expect(() => create({ "stream-ttl": ttl })).toThrow(/Stream-TTL/)
    },
  )

  test.each([
    "",
    "tomorrow",
    "2030-01-01",
    "2030-13-01T00:00:00Z",
    "2030-01-01T00:00:00",
    "1893456000",
    "2025-12-31T23:59:59Z",
  ])("Stream-Expires-At %j is refused", (value) =>
    expect(() => create({ "stream-expires-at": value })).toThrow(/Stream-Expires-At/),
  )

  test("takes one lifetime", () => {
    expect(create({ "stream-expires-at": "2030-01-01T01:00:00.5+01:00" }).expiresAtMs).toBe(Date.UTC(2030, 0, 1) + 500)
    expect(() => create({ "stream-ttl": "1", "stream-expires-at": "2030-01-01T00:00:00Z" })).toThrow(
      /cannot be combined/,
    )
  })
})

describe("a moment", () => {
  test("is what Date reads of what Date wrote", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true }),
        (date) => {
          expect(parseRfc3339(date.toISOString())).toBe(date.getTime())
        },
      ),
    )
  })

  test("may have an offset and a fraction", () => {
    expect(parseRfc3339("1970-01-01t00:00:00.1239z")).toBe(123)
    expect(parseRfc3339("1969-12-31T23:30:00-00:30")).toBe(0)
  })

  test.each([
    "2023-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "2030-04-31T00:00:00Z",
    "2030-01-00T00:00:00Z",
    "2030-01-01T24:00:00Z",
    "2030-01-01T00:60:00Z",
    "2030-01-01T00:00:60Z",
    "2030-01-01T00:00:00+24:00",
    "2030-01-01 00:00:00Z",
    "+02030-01-01T00:00:00Z",
  ])("%s is none", (value) => expect(parseRfc3339(value)).toBeUndefined())
})

describe("§5.2.1 producers", () => {
  const all = { "producer-id": "p", "producer-epoch": "0", "producer-seq": "7" }

  test("come whole", () => {
    expect(append(all).producer).toEqual({ id: "p", epoch: 0, seq: 7 })
    expect(append({}).producer).toBeUndefined()
    for (const name of Object.keys(all)) {
      const { [name as keyof typeof all]: _, ...rest } = all
      expect(() => append(rest)).toThrow(/together or not at all/)
    }
  })

  test("have whole numbers that a double can hold", () => {
    expect(append({ ...all, "producer-seq": String(Number.MAX_SAFE_INTEGER) }).producer?.seq).toBe(
      Number.MAX_SAFE_INTEGER,
    )
    for (const value of ["", "-1", "1.5", "1e3", "1abc", "9007199254740992", "0, 0"]) {
      expect(() => append({ ...all, "producer-seq": value })).toThrow(/Producer-Seq/)
      expect(() => append({ ...all, "producer-epoch": value })).toThrow(/Producer-Epoch/)
    }
    expect(() => append({ ...all, "producer-id": "" })).toThrow(/Producer-Id/)
    expect(() => append({ ...all, "producer-id": "p".repeat(257) })).toThrow(/Producer-Id/)
  })
})

test("whatever the headers hold, they are read or refused by name", () => {
  const value = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    maxLength: 30,
  })
  const headers = fc.dictionary(
    fc.constantFrom(
      "content-type",
      "stream-ttl",
      "stream-expires-at",
      "stream-closed",
      "stream-seq",
      "producer-id",
      "producer-epoch",
      "producer-seq",
    ),
    value,
  )
  fc.assert(
    fc.property(headers, (given) => {
      for (const parse of [create, append]) {
        try {
          parse(given)
        } catch (error) {
          expect(error).toMatchObject({ code: "BAD_REQUEST", details: { field: expect.any(String) } })
        }
      }
    }),
  )
})
