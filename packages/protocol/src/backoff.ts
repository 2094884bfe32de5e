/**
 * How long to wait after a failure before the next try, in milliseconds: doubles from `firstMs` up to `mostMs`, and is between half and all of
 * that, so that what failed together does not return together. Pure.
 *
 * @param failures Failures in a row, from 1.
 * @param random Uniform in [0, 1).
 */
export function backoffMs(failures: number, firstMs: number, mostMs: number, random: number): number {
  const full = Math.min(mostMs, firstMs * 2 ** (failures - 1))
  return Math.round(full / 2 + (full / 2) * random)
}
