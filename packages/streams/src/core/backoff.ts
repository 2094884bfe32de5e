const FIRST_MS = 1_000
/** The longest wait between two attempts, before chance is added. */
export const BACKOFF_MS_MAX = 60_000
/** How much chance adds or takes, so that what failed together does not come back together. */
const SPREAD = 0.2

/**
 * How long to wait after so many failures in a row, in milliseconds: twice as long each time.
 *
 * @param chance From 0 to 1.
 */
export function backoffMs(failures: number, chance: number): number {
  const base = Math.min(FIRST_MS * 2 ** Math.max(0, failures - 1), BACKOFF_MS_MAX)
  return Math.round(base * (1 + SPREAD * (2 * chance - 1)))
}
