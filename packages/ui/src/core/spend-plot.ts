import type { UsageTime } from "@rouse/protocol"

/** What is drawn of spend over time: for each group a line of amounts, each on top of the groups before it. */
export interface SpendPlot {
  /** Seconds since the Unix epoch at which each hour or day begins, without gaps. */
  readonly starts: readonly number[]
  readonly stepSeconds: number
  readonly groups: readonly PlotGroup[]
}

export interface PlotGroup {
  /** Empty: all others together. */
  readonly key: string
  /** Of each period, by itself. */
  readonly amounts: readonly number[]
  /** The same on top of the groups before it. */
  readonly stacked: readonly number[]
}

export type Amount = "usd" | "tokens"

const HOUR = 3_600
const DAY = 24 * HOUR
const PERIODS_MAX = 400

/**
 * @param keys The groups in the order in which they are stacked.
 * @param untilMs Now: the last period that is shown.
 * @param sinceMs The first; the first that was told when absent.
 */
export function spendPlot(
  times: readonly UsageTime[],
  keys: readonly string[],
  amount: Amount,
  bounds: { readonly sinceMs?: number | undefined; readonly untilMs: number },
): SpendPlot {
  const known = times.filter(({ period }) => period !== "")
  const span = (bounds.untilMs - (bounds.sinceMs ?? firstOf(known, bounds.untilMs))) / 1_000
  const stepSeconds = span <= 2 * DAY ? HOUR : DAY
  const floor = (seconds: number): number => Math.floor(seconds / stepSeconds) * stepSeconds
  const last = floor(bounds.untilMs / 1_000)
  const first = Math.max(floor(last - span), last - PERIODS_MAX * stepSeconds)
  const starts = Array.from({ length: (last - first) / stepSeconds + 1 }, (_, n) => first + n * stepSeconds)
  const place = new Map(starts.map((start, index) => [start, index]))
  const below = starts.map(() => 0)
  const groups = keys.map((key) => {
    const amounts = starts.map(() => 0)
    for (const time of known) {
      const index = time.key === key ? place.get(floor(startOf(time.period))) : undefined
      if (index !== undefined) amounts[index]! += amountOf(time, amount)
    }
    const stacked = amounts.map((value, index) => (below[index]! += value))
    return { key, amounts, stacked }
  })
  return { starts, stepSeconds, groups }
}

export function amountOf(
  sum: { readonly usd: number; readonly inputTokens: number; readonly outputTokens: number },
  amount: Amount,
): number {
  return amount === "usd" ? sum.usd : sum.inputTokens + sum.outputTokens
}

function firstOf(times: readonly UsageTime[], untilMs: number): number {
  return Math.min(untilMs - DAY * 1_000, ...times.map(({ period }) => startOf(period) * 1_000))
}

/** Of an hour `2026-11-23T16` or a day `2026-11-23`. */
function startOf(period: string): number {
  return Date.parse(period.length > 10 ? `${period}:00:00Z` : `${period}T00:00:00Z`) / 1_000
}
