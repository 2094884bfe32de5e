import { expect, test } from "vitest"
import { readProviderError, redact } from "../src/core/provider-error.ts"
import { modelResolver, seenKeys } from "../src/runtime.ts"

const keys = { ANTHROPIC_API_KEY: "a-key", OPENAI_API_KEY: "o-key", GEMINI_API_KEY: "g-key" }

test.each([
  ["anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"],
  ["claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"],
  ["gpt-5", "openai/gpt-5"],
  ["o3-mini", "openai/o3-mini"],
  ["chatgpt-4o-latest", "openai/chatgpt-4o-latest"],
  ["openai/gpt-5", "openai/gpt-5"],
  ["gemini-2.5-pro", "google/gemini-2.5-pro"],
  ["rouse/echo", "rouse/echo"],
])("%s is %s", async (name, resolved) => {
  const found = await modelResolver({ env: keys })(name)
  expect(found.name).toBe(resolved)
  expect(found.model.specificationVersion).toBe("v4")
})

test("a name that fits nothing says which do", async () => {
  await expect(modelResolver({ env: keys })("llama")).rejects.toThrow(/no model "llama".*anthropic\/….*rouse\/echo/)
  await expect(modelResolver({ env: keys })("anthropic/")).rejects.toThrow("no model")
})

test("a missing key names the variable and the offline model", async () => {
  await expect(modelResolver({ env: {} })("claude-x")).rejects.toThrow(/set ANTHROPIC_API_KEY.*rouse\/echo/)
  await expect(
    modelResolver({ env: { OPENAI_API_KEY: "k" }, fallbackModel: "rouse/echo" })("claude-x"),
  ).rejects.toThrow(/key for openai/)
  await expect(modelResolver({ env: {} })("compatible/llama")).rejects.toThrow("OPENAI_COMPATIBLE_BASE_URL")
})

test("without any key a host may stand in another model", async () => {
  const found = await modelResolver({ env: {}, fallbackModel: "rouse/echo" })("claude-x")
  expect(found.name).toBe("rouse/echo")
})

test("keys that were seen are told by provider", () => {
  expect(seenKeys({})).toEqual([])
  expect(seenKeys(keys)).toEqual(["anthropic", "openai", "google"])
  expect(seenKeys({ OPENAI_COMPATIBLE_BASE_URL: "http://127.0.0.1:11434/v1" })).toEqual(["compatible"])
})

const NOW_MS = Date.parse("2026-01-01T00:00:00Z")
const api = (statusCode: number, message = "no", extra = {}): Error =>
  Object.assign(new Error(message), { statusCode, ...extra })

test.each([
  [api(429), { kind: "retry" }],
  [api(429, "slow", { responseHeaders: { "retry-after": "3" } }), { kind: "retry", retryAfterMs: 3_000 }],
  [
    api(503, "slow", { responseHeaders: { "retry-after": "Thu, 01 Jan 2026 00:00:09 GMT" } }),
    { kind: "retry", retryAfterMs: 9_000 },
  ],
  [api(429, "slow", { responseHeaders: { "retry-after-ms": "40" } }), { kind: "retry", retryAfterMs: 40 }],
  [api(408), { kind: "retry" }],
  [api(409), { kind: "retry" }],
  [api(500), { kind: "retry" }],
  [api(529), { kind: "retry" }],
  [
    api(429, "You exceeded your current quota", { responseBody: '{"error":{"code":"insufficient_quota"}}' }),
    { kind: "refused" },
  ],
  [api(400), { kind: "refused" }],
  [api(401), { kind: "refused" }],
  [api(403), { kind: "refused" }],
  [api(413, "request_too_large"), { kind: "overflow" }],
  [api(400, "maximum context length is 10"), { kind: "overflow" }],
  [api(200, "Failed to process successful response"), { kind: "retry" }],
  [new TypeError("terminated"), { kind: "retry" }],
  [{ type: "overloaded_error", message: "Overloaded" }, { kind: "retry" }],
  [{ type: "invalid_request_error", message: "prompt is too long: 9 tokens" }, { kind: "overflow" }],
  [{ type: "invalid_request_error", message: "bad" }, { kind: "refused" }],
  [Object.assign(new Error("no images"), { name: "AI_UnsupportedFunctionalityError" }), { kind: "refused" }],
  ["odd", { kind: "retry" }],
])("%o is read as %o", (error, expected) => {
  expect(readProviderError(error, NOW_MS, (text) => text)).toMatchObject(expected)
})

test("no secret gets into a message", () => {
  const text = readProviderError(
    api(401, "bad key hunter2-secret and sk-proj-abcdef123456 and Bearer xyz"),
    NOW_MS,
    (text) => redact(text, ["hunter2-secret"]),
  ).message
  expect(text).toBe("bad key [redacted] and [redacted] and [redacted] (401)")
})
