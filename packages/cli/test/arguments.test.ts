import { RouseError } from "@rouse/protocol"
import { describe, expect, test } from "vitest"
import {
  collectBudget,
  collectExtension,
  collectTag,
  isLoopback,
  parseAddress,
  parseJson,
  parseJsonObject,
  parsePort,
  parseServerUrl,
  parseSpawnTarget,
  parseTime,
} from "../src/core/arguments.ts"

describe("what was typed", () => {
  test("an address, with or without its first slash", () => {
    expect(parseAddress("/assistant/one")).toEqual({ url: "/assistant/one", type: "assistant", id: "one" })
    expect(parseAddress("assistant/one").url).toBe("/assistant/one")
  })

  test("a spawn target is a type or an address", () => {
    expect(parseSpawnTarget("assistant")).toEqual({ type: "assistant" })
    expect(parseSpawnTarget("/assistant/one")).toEqual({ type: "assistant", id: "one" })
    expect(parseSpawnTarget("/assistant")).toEqual({ type: "assistant" })
  })

  test("tags keep what follows the first =", () => {
    expect(collectTag("query=a=b", { team: "x" })).toEqual({ team: "x", query: "a=b" })
    expect(collectTag("empty=", {})).toEqual({ empty: "" })
  })

  test("values", () => {
    expect(parseJsonObject("--args", '{"a":1}')).toEqual({ a: 1 })
    expect(parseJson("--payload", "null")).toBeNull()
    expect(parsePort("0")).toBe(0)
    expect(parseServerUrl("http://localhost:1/")).toBe("http://localhost:1")
  })

  test.each<[string, () => unknown, RegExp]>([
    ["address", () => parseAddress("assistant"), /"assistant" is not an address: write \/type\/id/],
    ["address with more", () => parseAddress("/a/b/c"), /not an address/],
    ["address of capitals", () => parseAddress("/Assistant/one"), /not an address/],
    ["spawn target", () => parseSpawnTarget("a/b/c"), /neither a type nor an address/],
    ["spawn target with an empty id", () => parseSpawnTarget("/a/"), /neither a type nor an address/],
    ["tag", () => collectTag("team", {}), /--tag must be name=value, not "team"/],
    ["tag without a name", () => collectTag("=x", {}), /--tag must be name=value/],
    ["args", () => parseJsonObject("--args", "{bad"), /--args is not JSON .*quote it/],
    ["args of a list", () => parseJsonObject("--args", "[1]"), /--args must be a JSON object/],
    ["port", () => parsePort("70000"), /--port must be a whole number from 0 to 65535, not "70000"/],
    ["negative port", () => parsePort("-1"), /--port/],
    ["port in words", () => parsePort("http"), /--port/],
    [
      "server",
      () => parseServerUrl("localhost:4437"),
      /the server \(--url or ROUSE_URL\) must be an http\(s\) address/,
    ],
  ])("a wrong %s names the argument and the rule", (_what, parse, message) => {
    expect(parse).toThrow(message)
    expect(parse).toThrow(RouseError)
  })

  test("only loopback addresses are loopback", () => {
    expect(["127.0.0.1", "localhost", "::1", "127.9.9.9"].map(isLoopback)).toEqual([true, true, true, true])
    expect(["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.com", ""].map(isLoopback)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ])
  })
})

test("budgets are names and numbers", () => {
  expect(collectBudget("steps=3,tokens=10", collectBudget("usd=2"))).toEqual({ usd: 2, steps: 3, tokens: 10 })
  expect(collectExtension("usd=0.5")).toEqual({ usd: 0.5 })
  for (const bad of ["usd", "usd=", "usd=-1", "euros=2", "usd=two"]) expect(() => collectBudget(bad)).toThrow(/usd=2/)
  expect(() => collectExtension("depth=2")).toThrow(/--extend/)
})

test("times are ISO 8601, or ago", () => {
  const nowMs = Date.UTC(2026, 0, 2)
  expect(parseTime("--since", "12h", nowMs)).toBe("2026-01-01T12:00:00.000Z")
  expect(parseTime("--since", "2026-01-01T00:00:00Z", nowMs)).toBe("2026-01-01T00:00:00.000Z")
  expect(() => parseTime("--since", "soon", nowMs)).toThrow(/--since/)
})
