/** Order statistics. Pure. */

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly count: number
}

/**
 * The value at or below which `q` of the samples lie (nearest rank).
 *
 * @param sorted In ascending order, at least one.
 * @param q From 0 to 1.
 */
export function percentile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) throw new Error("a percentile needs at least one sample")
  const rank = Math.ceil(q * sorted.length)
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1] as number
}

/** The middle of the values; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("a median needs at least one value")
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), count: values.length }
}

/** Each round's value over the same round's base: what the machine did to both cancels out. */
export function ratios(values: readonly number[], base: readonly number[]): number[] {
  const rounds = Math.min(values.length, base.length)
  return Array.from({ length: rounds }, (_, round) => (values[round] as number) / (base[round] as number))
}

export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** @param samples In any order; sorted in place. */
export function latency(samples: Float64Array): Latency {
  samples.sort()
  return { p50: percentile(samples, 0.5), p99: percentile(samples, 0.99), max: percentile(samples, 1) }
}
