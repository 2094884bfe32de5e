import { RouseError } from "@rouse/protocol"

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }

/** The longest that a request may be kept waiting. */
export const WAIT_MS_MAX = 600_000

/**
 * Reads `?wait`: a whole number with `ms`, `s` or `m`, such as `30s`.
 *
 * @throws {RouseError} `BAD_REQUEST` when it is anything else, or longer than ten minutes.
 */
export function parseWait(text: string): number {
  const match = /^(\d{1,9})(ms|s|m)$/.exec(text)
  const ms = match ? Number(match[1]) * (UNIT_MS[match[2] ?? ""] ?? Number.NaN) : Number.NaN
  if (!Number.isFinite(ms) || ms > WAIT_MS_MAX) {
    throw new RouseError("BAD_REQUEST", `wait: "${text}" is not a duration such as 500ms, 30s or 2m, at most 10m`)
  }
  return ms
}
