import type { Usage } from "@rouse/protocol"
import type { Timeline } from "./timeline.ts"

/**
 * The tokens that the steps of the timeline used, or those of one run. A run that recorded its usage without steps counts with what its
 * row says.
 */
export function usageOf(timeline: Timeline, run?: string): Usage {
  const byRun = new Map<string, Usage>()
  for (const item of timeline.items) {
    if (item.kind === "step" && item.row?.usage) {
      byRun.set(item.run, addUsage(byRun.get(item.run) ?? NOTHING, item.row.usage))
    }
    if (item.kind === "runEnd" && item.row.usage && !byRun.has(item.run)) byRun.set(item.run, item.row.usage)
  }
  if (run !== undefined) return byRun.get(run) ?? NOTHING
  return [...byRun.values()].reduce(addUsage, NOTHING)
}

const NOTHING: Usage = { inputTokens: 0, outputTokens: 0 }

function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    ...addOptional("cachedInputTokens", a, b),
    ...addOptional("cacheWriteTokens", a, b),
    ...addOptional("reasoningTokens", a, b),
    ...addOptional("usd", a, b),
    ...(a.unpriced || b.unpriced ? { unpriced: true } : {}),
    ...(a.estimated || b.estimated ? { estimated: true } : {}),
  }
}

function addOptional(
  field: "cachedInputTokens" | "cacheWriteTokens" | "reasoningTokens" | "usd",
  a: Usage,
  b: Usage,
): Partial<Usage> {
  if (a[field] === undefined && b[field] === undefined) return {}
  return { [field]: (a[field] ?? 0) + (b[field] ?? 0) }
}
