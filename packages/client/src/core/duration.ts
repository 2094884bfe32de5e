import { RouseError } from "@rouse/protocol"

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const DURATION = /^(\d+)(ms|s|m|h|d)$/

/**
 * Milliseconds of a length of time: a number of them, or `500ms`, `30s`, `2m`, `1h`, `7d`.
 *
 * @throws {RouseError} `BAD_REQUEST` that names the field.
 */
export function durationMs(duration: number | string, field: string): number {
  if (typeof duration === "number" && Number.isFinite(duration) && duration >= 0) return Math.round(duration)
  const [, amount, unit] = DURATION.exec(String(duration)) ?? []
  if (amount !== undefined && unit !== undefined) return Number(amount) * UNITS[unit as keyof typeof UNITS]
  throw new RouseError("BAD_REQUEST", `${field}: ${duration} is neither milliseconds nor like 500ms, 30s or 2m`)
}
