import type { Usage, UsageSum } from "@rouse/protocol"

/**
 * What an entity's own model calls used, by time and model: part of its record, so that keeping it costs no row and no commit.
 *
 * Hours (`2026-11-23T16`) fold into days (`2026-11-23`) when they are a day old, days into the rest (``) after a month, so that it
 * stays small however long the entity lives.
 */
export type UsageBook = Readonly<Record<string, Readonly<Record<string, Entry>>>>

/** Calls, input, output, cached, cache write, dollars, calls without a price. */
type Entry = readonly [number, number, number, number, number, number, number]

const HOUR_MS = 3_600_000
const HOURS_KEPT_MS = 24 * HOUR_MS
const DAYS_KEPT_MS = 31 * 24 * HOUR_MS
const HOUR_CHARS = "2026-11-23T16".length
const DAY_CHARS = "2026-11-23".length

export const NO_USAGE: UsageSum = {
  calls: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  usd: 0,
  unpriced: 0,
}

/** The book with one more model call. */
export function book(before: UsageBook | undefined, model: string, usage: Usage, nowMs: number): UsageBook {
  const hour = iso(nowMs).slice(0, HOUR_CHARS)
  const kept = before === undefined || before[hour] !== undefined ? (before ?? {}) : folded(before, nowMs)
  const models = kept[hour] ?? {}
  return { ...kept, [hour]: { ...models, [model]: plus(models[model], entryOf(usage)) } }
}

/** The sum of what falls into a time, by model. */
export function totals(
  of: UsageBook | undefined,
  bounds: { readonly sinceMs?: number | undefined; readonly untilMs?: number | undefined } = {},
): ReadonlyMap<string, UsageSum> {
  const sums = new Map<string, UsageSum>()
  for (const { model, sum } of entriesIn(of, bounds)) sums.set(model, addSums(sums.get(model) ?? NO_USAGE, sum))
  return sums
}

/** What falls into a time, by period and model. */
export function* entriesIn(
  of: UsageBook | undefined,
  bounds: { readonly sinceMs?: number | undefined; readonly untilMs?: number | undefined } = {},
): Generator<{ readonly period: string; readonly model: string; readonly sum: UsageSum }, void> {
  for (const [period, models] of Object.entries(of ?? {})) {
    if (!overlaps(period, bounds)) continue
    for (const [model, entry] of Object.entries(models)) yield { period, model, sum: sumOf(entry) }
  }
}

export function addSums(a: UsageSum, b: UsageSum): UsageSum {
  return {
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    usd: a.usd + b.usd,
    unpriced: a.unpriced + b.unpriced,
  }
}

function folded(of: UsageBook, nowMs: number): UsageBook {
  const out: Record<string, Record<string, Entry>> = {}
  for (const [period, models] of Object.entries(of)) {
    const to = foldsInto(period, nowMs)
    const into = (out[to] ??= {})
    for (const [model, entry] of Object.entries(models)) into[model] = plus(into[model], entry)
  }
  return out
}

function foldsInto(period: string, nowMs: number): string {
  if (period === "") return ""
  const ageMs = nowMs - startOf(period)
  if (ageMs > DAYS_KEPT_MS) return ""
  return ageMs > HOURS_KEPT_MS ? period.slice(0, DAY_CHARS) : period
}

function overlaps(
  period: string,
  { sinceMs, untilMs }: { readonly sinceMs?: number | undefined; readonly untilMs?: number | undefined },
): boolean {
  if (period === "") return sinceMs === undefined
  const startMs = startOf(period)
  const endMs = startMs + (period.length === HOUR_CHARS ? HOUR_MS : 24 * HOUR_MS)
  return (sinceMs === undefined || endMs > sinceMs) && (untilMs === undefined || startMs < untilMs)
}

function startOf(period: string): number {
  return Date.parse(period.length === HOUR_CHARS ? `${period}:00:00Z` : `${period}T00:00:00Z`)
}

function entryOf(usage: Usage): Entry {
  const { inputTokens, outputTokens, cachedInputTokens = 0, cacheWriteTokens = 0, usd = 0 } = usage
  return [1, inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, usd, usage.unpriced ? 1 : 0]
}

function plus(a: Entry | undefined, b: Entry): Entry {
  return a === undefined ? b : (a.map((value, i) => value + (b[i] ?? 0)) as unknown as Entry)
}

function sumOf([
  calls,
  inputTokens,
  outputTokens,
  cachedInputTokens,
  cacheWriteTokens,
  usd,
  unpriced,
]: Entry): UsageSum {
  return { calls, inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, usd, unpriced }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
