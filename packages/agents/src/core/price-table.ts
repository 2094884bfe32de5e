/** US dollars for a million tokens. Without `cached` and `cacheWrite` those cost what input does. */
export interface Price {
  readonly input: number
  readonly output: number
  readonly cached?: number
  readonly cacheWrite?: number
}

/** A price, and the models that have it: names without their provider; a `*` at the end stands for any ending. */
export interface PriceEntry extends Price {
  readonly models: readonly string[]
}

/**
 * List prices, and when they were last looked at. Data and nothing else: `ROUSE_PRICES` puts entries before these, and
 * `useAgent({ price })` overrides both.
 */
export function priceList(): PriceList {
  return (list ??= made())
}

export interface PriceList {
  readonly asOf: string
  readonly entries: readonly PriceEntry[]
}

/** Made at the first price that is asked for, and not as the module loads: an edge runtime does that at every cold start. */
let list: PriceList | undefined

function made(): PriceList {
  return {
    asOf: "2026-01-31",
    entries: [
      // Made up, so that what works offline shows spend as well.
      { models: ["rouse/echo"], input: 1, output: 4, cached: 0.1, cacheWrite: 1.25 },
      { models: ["claude-opus-4-5*", "claude-opus-4-6*"], input: 5, output: 25, cached: 0.5, cacheWrite: 6.25 },
      {
        models: ["claude-opus-4-0*", "claude-opus-4-1*", "claude-opus-4-2025*"],
        input: 15,
        output: 75,
        cached: 1.5,
        cacheWrite: 18.75,
      },
      {
        models: ["claude-sonnet-4*", "claude-3-7-sonnet*", "claude-3-5-sonnet*"],
        input: 3,
        output: 15,
        cached: 0.3,
        cacheWrite: 3.75,
      },
      { models: ["claude-haiku-4-5*"], input: 1, output: 5, cached: 0.1, cacheWrite: 1.25 },
      { models: ["claude-3-5-haiku*"], input: 0.8, output: 4, cached: 0.08, cacheWrite: 1 },
      { models: ["claude-3-haiku*"], input: 0.25, output: 1.25, cached: 0.03, cacheWrite: 0.3 },
      {
        models: ["gpt-5", "gpt-5-20*", "gpt-5.1", "gpt-5.1-20*", "gpt-5-codex"],
        input: 1.25,
        output: 10,
        cached: 0.125,
      },
      { models: ["gpt-5-mini*"], input: 0.25, output: 2, cached: 0.025 },
      { models: ["gpt-5-nano*"], input: 0.05, output: 0.4, cached: 0.005 },
      { models: ["gpt-5-pro*"], input: 15, output: 120 },
      { models: ["gpt-4.1", "gpt-4.1-20*", "o3", "o3-20*"], input: 2, output: 8, cached: 0.5 },
      { models: ["gpt-4.1-mini*"], input: 0.4, output: 1.6, cached: 0.1 },
      { models: ["gpt-4.1-nano*"], input: 0.1, output: 0.4, cached: 0.025 },
      { models: ["gpt-4o", "gpt-4o-20*"], input: 2.5, output: 10, cached: 1.25 },
      { models: ["gpt-4o-mini*"], input: 0.15, output: 0.6, cached: 0.075 },
      { models: ["o4-mini*"], input: 1.1, output: 4.4, cached: 0.275 },
      { models: ["gemini-3-pro*"], input: 2, output: 12, cached: 0.2 },
      { models: ["gemini-2.5-pro*"], input: 1.25, output: 10, cached: 0.125 },
      { models: ["gemini-2.5-flash-lite*"], input: 0.1, output: 0.4, cached: 0.01 },
      { models: ["gemini-2.5-flash*"], input: 0.3, output: 2.5, cached: 0.03 },
      { models: ["gemini-2.0-flash*"], input: 0.1, output: 0.4, cached: 0.025 },
    ],
  }
}

/** What a model costs that is in no list: on the dear side, so that a budget holds. Its usage says `unpriced`. */
export const UNKNOWN_PRICE: Price = { input: 15, output: 75 }
