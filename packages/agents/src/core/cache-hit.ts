import type { LiveRows } from "./rows.ts"
import { stepsOf } from "./run-state.ts"

/** Which part of a run's first prompt the provider had cached, 0 to 1; undefined when it did not say. */
export function cacheHit(rows: LiveRows, run: string): number | undefined {
  const first = stepsOf(rows, run).find((step) => step.usage !== undefined && step.purpose === undefined)?.usage
  if (first?.cachedInputTokens === undefined || first.inputTokens <= 0) return undefined
  return Math.round((first.cachedInputTokens / first.inputTokens) * 1_000) / 1_000
}
