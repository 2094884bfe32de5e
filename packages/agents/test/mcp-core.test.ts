import * as fc from "fast-check"
import { expect, test } from "vitest"
import { mcpToolName } from "../src/core/mcp-names.ts"
import { countMessage, mcpEffect, mcpLoss, mcpNext } from "../src/core/mcp-policy.ts"
import { mcpOutput, mcpResourceOutput } from "../src/core/mcp-results.ts"

test("names are safe, kept when they can be, and never shared by two tools", () => {
  expect(mcpToolName("files", "read_file")).toBe("files_read_file")
  expect(mcpToolName("files", "read file")).toMatch(/^files_read_file_[0-9a-z]{7}$/)
  const name = fc.string({ minLength: 1, maxLength: 200, unit: "binary" })
  fc.assert(
    fc.property(name, name, (a, b) => {
      const [one, two] = [mcpToolName("s", a), mcpToolName("s", b)]
      expect(one).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
      expect(one === two).toBe(a === b)
    }),
  )
})

test("what is not said to be safe is once", () => {
  expect(mcpEffect(undefined)).toBe("once")
  expect(mcpEffect({ idempotentHint: false, readOnlyHint: false })).toBe("once")
  expect(mcpEffect({ idempotentHint: true })).toBe("idempotent")
  expect(mcpEffect({ idempotentHint: false, readOnlyHint: true })).toBe("pure")
})

test("a failed call is read by its codes", () => {
  expect(mcpLoss({ code: "REQUEST_TIMEOUT" })).toBe("timeout")
  expect(mcpLoss({ code: "CONNECTION_CLOSED" })).toBe("lost")
  expect(mcpLoss({ code: "NOT_CONNECTED" })).toBe("refused")
  expect(mcpLoss({ code: -32602 })).toBe("answered")
  expect(mcpLoss({ code: "CLIENT_HTTP_FAILED", data: { status: 404 } })).toBe("refused")
  expect(mcpLoss({ code: "CLIENT_HTTP_FAILED", data: { status: 502 } })).toBe("lost")
  expect(mcpLoss({ code: "CLIENT_HTTP_FAILED", data: { status: 429 } })).toBe("answered")
  expect(mcpLoss(new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } }))).toBe("refused")
  expect(mcpLoss(new TypeError("fetch failed", { cause: { code: "ECONNRESET" } }))).toBe("lost")
  expect(mcpLoss("what?")).toBe("answered")
})

test("what may have happened is only done again when that is safe", () => {
  for (const effect of ["pure", "idempotent", "reconcilable", "once"] as const) {
    const safe = effect === "pure" || effect === "idempotent"
    expect(mcpNext("refused", effect, 1, 3)).toBe("again")
    expect(mcpNext("refused", effect, 3, 3)).toBe("fail")
    expect(mcpNext("lost", effect, 1, 3)).toBe(safe ? "again" : "unknown")
    expect(mcpNext("lost", effect, 3, 3)).toBe("unknown")
    expect(mcpNext("timeout", effect, 1, 3)).toBe("unknown")
    expect(mcpNext("answered", effect, 1, 3)).toBe("fail")
  }
})

test("messages are counted by the second", () => {
  let window = countMessage({ startedAtMs: 0, messages: 0 }, 5_000)
  expect(window).toEqual({ startedAtMs: 5_000, messages: 1 })
  window = countMessage(window, 5_999)
  expect(window.messages).toBe(2)
  expect(countMessage(window, 6_000).messages).toBe(1)
})

test("answers are shown as values, texts, or parts without their bytes", () => {
  expect(mcpOutput({ content: [{ type: "text", text: "{}" }], structuredContent: { a: 1 } })).toEqual({ a: 1 })
  expect(
    mcpOutput({
      content: [
        { type: "text", text: "a" },
        { type: "text", text: "b" },
      ],
    }),
  ).toBe("a\nb")
  expect(mcpOutput({})).toBe("")
  expect(
    mcpOutput({
      content: [
        { type: "image", data: btoa("12345"), mimeType: "image/png" },
        { type: "resource", resource: { uri: "a://b", text: "c" } },
        { type: "resource_link", uri: "a://d", name: "d" },
      ],
      structuredContent: [1],
    }),
  ).toEqual({
    structured: [1],
    content: [
      { type: "image", mimeType: "image/png", bytes: 5, omitted: true },
      { type: "resource", uri: "a://b", text: "c" },
      { type: "resource_link", uri: "a://d", name: "d" },
    ],
  })
  const many = mcpOutput({ content: Array.from({ length: 5_000 }, () => ({ type: "image", data: "" })) })
  expect((many as readonly unknown[]).length).toBe(1_001)
  expect(mcpResourceOutput([{ uri: "a://b", blob: btoa("123") }])).toEqual([
    { type: "resource", uri: "a://b", bytes: 3, omitted: true },
  ])
})
