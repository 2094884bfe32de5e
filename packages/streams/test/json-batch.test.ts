import * as fc from "fast-check"
import { joinJson } from "@rouse/store"
import { describe, expect, test } from "vitest"
import { batchOfJson } from "../src/core/json-batch.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const batch = (text: string, allowEmpty = false): string =>
  decoder.decode(batchOfJson(encoder.encode(text), allowEmpty))

describe("§7.1 JSON mode", () => {
  test.each([
    ['{"a":1}', '{"a":1},'],
    [" [1, 2] ", "1, 2,"],
    ["[[1,2],[3]]", "[1,2],[3],"],
    ["[[[1]]]", "[[1]],"],
    ["[[]]", "[],"],
    ['"[]"', '"[]",'],
    ["null", "null,"],
    ["\n{\n}\r\n", "{\n},"],
  ])("%j is kept as %j", (body, kept) => expect(batch(body)).toBe(kept))

  test("keeps numbers and keys that parsing would change", () => {
    expect(batch('[1e400, 12345678901234567890, {"a":1,"a":2}, 1.0]')).toBe(
      '1e400, 12345678901234567890, {"a":1,"a":2}, 1.0,',
    )
  })

  test("flattens exactly one level, whatever the messages and the white space", () => {
    const space = fc.constantFrom("", " ", "\n", "\t \r\n")
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { minLength: 1, maxLength: 5 }),
        space,
        space,
        (messages, before, inside) => {
          const body = `${before}[${inside}${messages.map((message) => JSON.stringify(message)).join(`${inside},`)}${inside}]${before}`
          const kept = batchOfJson(encoder.encode(body), false)
          expect(JSON.parse(decoder.decode(joinJson([kept, kept])))).toEqual(
            JSON.parse(JSON.stringify([...messages, ...messages])),
          )
        },
      ),
    )
  })

  test("an empty array makes an empty stream and is no append", () => {
    expect(batch(" [ ] ", true)).toBe("")
    expect(() => batch("[]")).toThrow(expect.objectContaining({ code: "BAD_REQUEST" }))
  })

  test.each(["", "{", "[1,]", "1 2", "undefined", "{'a':1}", "\ufeff1", "[1]]", "NaN"])("%j is not JSON", (body) => {
    expect(() => batch(body, true)).toThrow(expect.objectContaining({ code: "BAD_JSON" }))
  })

  test("bytes that are not UTF-8 are not JSON", () => {
    expect(() => batchOfJson(new Uint8Array([0x22, 0xff, 0x22]), true)).toThrow(
      expect.objectContaining({ code: "BAD_JSON" }),
    )
  })

  test("depth does not break it", () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000)
    expect(batch(deep)).toBe(deep.slice(1, -1) + ",")
  })
})
