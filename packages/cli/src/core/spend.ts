import type { Usage } from "@rouse/protocol"
import type { Glyphs } from "./look.ts"
import { countText } from "./length.ts"

/** `1.2k in 300 out · 80% cached · $0.0123`. What is a guess has a `~`. */
export function usageText(usage: Usage, { dot }: Pick<Glyphs, "dot">): string {
  const cached = usage.inputTokens > 0 ? (usage.cachedInputTokens ?? 0) / usage.inputTokens : 0
  return [
    `${countText(usage.inputTokens)} in ${countText(usage.outputTokens)} out`,
    ...(cached >= 0.005 ? [`${Math.round(cached * 100)}% cached`] : []),
    ...(usage.usd === undefined ? [] : [`${usage.unpriced === true ? "~" : ""}${usdText(usage.usd)}`]),
  ].join(` ${dot} `)
}

/** US dollars: two digits, and more where that would hide what there is. */
export function usdText(usd: number): string {
  if (usd === 0 || usd >= 0.995) return `$${usd.toFixed(2)}`
  return `$${Number(usd.toPrecision(2)).toFixed(Math.min(9, Math.max(2, 1 - Math.floor(Math.log10(usd)))))}`
}
