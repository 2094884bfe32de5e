import { RouseError } from "@rouse/protocol"
import type { Usage } from "@rouse/protocol"
import { priceList, UNKNOWN_PRICE } from "./price-table.ts"
import type { Price, PriceEntry } from "./price-table.ts"

const MILLION = 1_000_000

/** What a model costs, and whether that is only a guess. */
export interface Priced {
  readonly price: Price
  readonly known: boolean
}

/**
 * Finds a model's price by its name as steps have it: `anthropic/claude-sonnet-4-5`, `gateway/openai/gpt-5`, `rouse/echo`.
 *
 * @param own Entries that come before the list's.
 */
export function priceOf(model: string, own: readonly PriceEntry[] = []): Priced {
  const names = endings(model)
  for (const entry of [...own, ...priceList().entries]) {
    if (entry.models.some((pattern) => names.some((name) => matches(pattern, name))))
      return { price: entry, known: true }
  }
  return { price: UNKNOWN_PRICE, known: false }
}

/** The usage with what it costs. */
export function withCost(usage: Usage, { price, known }: Priced): Usage {
  return { ...usage, usd: costOf(usage, price), ...(known ? {} : { unpriced: true as const }) }
}

/** US dollars, to a billionth: sums of them are shown, and compared with budgets. */
export function costOf(usage: Usage, price: Price): number {
  const { inputTokens, outputTokens, cachedInputTokens = 0, cacheWriteTokens = 0 } = usage
  const plain = Math.max(0, inputTokens - cachedInputTokens - cacheWriteTokens)
  const { input, output, cached = input, cacheWrite = input } = price
  const millionths = plain * input + cachedInputTokens * cached + cacheWriteTokens * cacheWrite + outputTokens * output
  return Math.round(millionths * 1_000) / (1_000 * MILLION)
}

/**
 * Reads entries from `ROUSE_PRICES`: a JSON list such as `[{ "models": ["llama*"], "input": 0.1, "output": 0.2 }]`.
 *
 * @throws {RouseError} `INVALID_ARGS` naming what is wrong.
 */
export function readPrices(text: string | undefined): readonly PriceEntry[] {
  if (text === undefined || text.trim() === "") return []
  let entries: unknown
  try {
    entries = JSON.parse(text)
  } catch (error) {
    throw new RouseError("INVALID_ARGS", "ROUSE_PRICES is not JSON", { cause: error })
  }
  if (!Array.isArray(entries)) throw new RouseError("INVALID_ARGS", "ROUSE_PRICES must be a JSON list of prices")
  entries.forEach((entry: Partial<PriceEntry> | null, i) => {
    if (!Array.isArray(entry?.models) || !entry.models.every((name) => typeof name === "string"))
      throw new RouseError("INVALID_ARGS", `ROUSE_PRICES[${i}].models must be a list of names`)
    checkPrice(entry, `ROUSE_PRICES[${i}]`)
  })
  return entries as readonly PriceEntry[]
}

/** @throws {RouseError} `INVALID_ARGS` naming the field that is not a price. */
export function checkPrice(price: unknown, where: string): void {
  if (typeof price !== "object" || price === null) throw new RouseError("INVALID_ARGS", `${where} must be a price`)
  const fields = price as Readonly<Record<string, unknown>>
  for (const name of ["input", "output", "cached", "cacheWrite"]) {
    const value = fields[name]
    if (value === undefined && (name === "cached" || name === "cacheWrite")) continue
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
      throw new RouseError("INVALID_ARGS", `${where}.${name} must be US dollars for a million tokens, 0 or more`)
  }
}

/** A name and what is behind each of its slashes. */
function endings(model: string): readonly string[] {
  const parts = model.split("/")
  return parts.map((_, i) => parts.slice(i).join("/"))
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}
