import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { parseStreamPath, PATH_BYTES_MAX } from "../src/core/path.ts"

const parse = (path: string): string => parseStreamPath(path, "/v1/stream")

describe("a stream's path", () => {
  test("is what follows the base path, decoded once", () => {
    expect(parse("/v1/stream/a")).toBe("a")
    expect(parse("/v1/stream/entities/chat/one")).toBe("entities/chat/one")
    expect(parse("/v1/stream/gr%C3%BC%C3%9Fe")).toBe("grüße")
    expect(parse("/v1/stream/a%252Fb")).toBe("a%2Fb")
    expect(parse("/v1/stream/x__ds")).toBe("x__ds")
  })

  test.each([
    ["/v1/stream", "NOT_FOUND"],
    ["/v1/streams/a", "NOT_FOUND"],
    ["/v1/other/a", "NOT_FOUND"],
    ["/v1/stream/", "BAD_REQUEST"],
    ["/v1/stream/a//b", "BAD_REQUEST"],
    ["/v1/stream/a/", "BAD_REQUEST"],
    ["/v1/stream/a/../b", "BAD_REQUEST"],
    ["/v1/stream/./b", "BAD_REQUEST"],
    ["/v1/stream/%2e%2E/b", "BAD_REQUEST"],
    ["/v1/stream/a%2Fb", "BAD_REQUEST"],
    ["/v1/stream/a%5Cb", "BAD_REQUEST"],
    ["/v1/stream/a%00b", "BAD_REQUEST"],
    ["/v1/stream/a%0Ab", "BAD_REQUEST"],
    ["/v1/stream/a%7Fb", "BAD_REQUEST"],
    ["/v1/stream/%", "BAD_REQUEST"],
    ["/v1/stream/%C3", "BAD_REQUEST"],
    ["/v1/stream/__ds/subscriptions/a", "BAD_REQUEST"],
    ["/v1/stream/%5F_ds/a", "BAD_REQUEST"],
  ])("%s is refused with %s", (path, code) => {
    expect(() => parse(path)).toThrow(expect.objectContaining({ code }))
  })

  test("is bounded in bytes, not in characters", () => {
    expect(parse(`/v1/stream/${"a".repeat(PATH_BYTES_MAX)}`)).toHaveLength(PATH_BYTES_MAX)
    expect(() => parse(`/v1/stream/${"a".repeat(PATH_BYTES_MAX + 1)}`)).toThrow("longer than 1024 bytes")
    expect(() => parse(`/v1/stream/${"%C3%BC".repeat(PATH_BYTES_MAX / 2 + 1)}`)).toThrow("longer than 1024 bytes")
  })

  test("whatever it is, is refused or is safe", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        let path: string
        try {
          path = parse(`/v1/stream/${text}`)
        } catch (error) {
          expect(error).toMatchObject({ name: "RouseError" })
          return
        }
        for (const segment of path.split("/")) expect(["", ".", ".."]).not.toContain(segment)
        expect(Array.from(path).every((char) => char >= " " && char !== "\\")).toBe(true)
        expect(parse(`/v1/stream/${path.split("/").map(encodeURIComponent).join("/")}`)).toBe(path)
      }),
    )
  })
})
