import fc from "fast-check"
import { expect, test } from "vitest"
import { estimate } from "../src/core/estimate.ts"
import { priceList } from "../src/core/price-table.ts"
import { costOf, priceOf, readPrices, withCost } from "../src/core/pricing.ts"

test.each([
  ["anthropic/claude-sonnet-4-5", 3, true],
  ["claude-sonnet-4-5-20250929", 3, true],
  ["gateway/openai/gpt-5", 1.25, true],
  ["openai/gpt-5-mini", 0.25, true],
  ["openai/gpt-5-2025-08-07", 1.25, true],
  ["google/gemini-2.5-flash-lite", 0.1, true],
  ["google/gemini-2.5-flash", 0.3, true],
  ["rouse/echo", 1, true],
  ["openai/gpt-5-of-next-year", 15, false],
  ["compatible/llama-4", 15, false],
])("the price of %s", (model, input, known) => {
  expect(priceOf(model)).toMatchObject({ price: { input }, known })
})

test("own entries come before the list", () => {
  const own = readPrices('[{ "models": ["llama-*"], "input": 1, "output": 2 }]')
  expect(priceOf("compatible/llama-4", own)).toMatchObject({ price: { input: 1 }, known: true })
})

test.each([
  ["{", /not JSON/],
  ["{}", /must be a JSON list/],
  ['[{ "models": "x" }]', /\[0\]\.models/],
  ['[{ "models": ["x"], "input": -1, "output": 1 }]', /\[0\]\.input/],
  ['[{ "models": ["x"], "input": 1 }]', /\[0\]\.output/],
])("bad prices are refused: %s", (text, message) => {
  expect(() => readPrices(text)).toThrow(message)
})

test("cached tokens and cache writes have their own price, and are parts of the input", () => {
  const price = { input: 10, output: 100, cached: 1, cacheWrite: 20 }
  const usage = { inputTokens: 1_000_000, outputTokens: 0, cachedInputTokens: 500_000, cacheWriteTokens: 250_000 }
  expect(costOf(usage, price)).toBe(2.5 + 0.5 + 5)
  expect(costOf(usage, { input: 10, output: 100 })).toBe(10)
})

test("a model without a price is flagged, and not free", () => {
  expect(withCost({ inputTokens: 1_000_000, outputTokens: 0 }, priceOf("who/knows"))).toMatchObject({
    usd: 15,
    unpriced: true,
  })
  expect(withCost({ inputTokens: 1, outputTokens: 0 }, priceOf("rouse/echo")).unpriced).toBeUndefined()
})

test("property: what is held covers the prompt and the longest answer", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 400 }), fc.nat(5_000), (text, maxOutputTokens) => {
      const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text }] }]
      const held = estimate("s", { prompt, maxOutputTokens }, { input: 1, output: 1 })
      expect(held.tokens).toBeGreaterThanOrEqual(Math.ceil(text.length / 4) + maxOutputTokens)
      expect(held.usd).toBeCloseTo(held.tokens / 1_000_000, 9)
    }),
  )
})

test("the list has a date, and every model once", () => {
  expect(priceList().asOf).toMatch(/^\d{4}-\d{2}-\d{2}$/)
  const models = priceList().entries.flatMap((entry) => entry.models)
  expect(new Set(models).size).toBe(models.length)
})
