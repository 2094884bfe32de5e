import type { LanguageModelV4CallOptions } from "@ai-sdk/provider"
import type { ModelReservation } from "@rouse/protocol"
import { costOf } from "./pricing.ts"
import type { Price } from "./price-table.ts"

/** Characters a token has, on the short side: an estimate should rather be too large. */
const CHARS_A_TOKEN = 3.5

/** What an answer is taken to have at most when the author does not say. */
const OUTPUT_TOKENS = 1_024

/** What a model call may use: its prompt, and the longest answer that the author allows. */
export function estimate(step: string, call: LanguageModelV4CallOptions, price: Price): ModelReservation {
  const inputTokens = tokensOf(JSON.stringify([call.prompt, call.tools ?? []]).length)
  const outputTokens = call.maxOutputTokens ?? OUTPUT_TOKENS
  return { step, usd: costOf({ inputTokens, outputTokens }, price), tokens: inputTokens + outputTokens }
}

export function tokensOf(chars: number): number {
  return Math.ceil(chars / CHARS_A_TOKEN)
}
