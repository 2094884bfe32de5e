const FIRST_MS = 500
const MOST_MS = 60_000

/**
 * How long to wait before attempt `attempt` (from 2): exponential, between half and all of 0.5 s, 1 s, 2 s … 60 s.
 *
 * @param random Uniform in [0, 1): the jitter, so that what failed together does not return together.
 */
export function retryDelayMs(attempt: number, random: number): number {
  const full = Math.min(MOST_MS, FIRST_MS * 2 ** Math.max(0, attempt - 2))
  return Math.round(full / 2 + (full / 2) * random)
}
