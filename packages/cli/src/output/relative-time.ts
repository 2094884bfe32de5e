const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ["y", 365 * 86_400_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
]

const SOON_MS = 1_000

/** `3m ago`, `in 2h`, `now`: how far `iso` is from `nowMs`, to one unit. What is no time is given back as it is. */
export function relativeTime(iso: string, nowMs: number): string {
  const atMs = Date.parse(iso)
  if (Number.isNaN(atMs)) return iso
  const distanceMs = Math.abs(nowMs - atMs)
  if (distanceMs < SOON_MS) return "now"
  return atMs <= nowMs ? `${shortest(distanceMs)} ago` : `in ${shortest(distanceMs)}`
}

/** `850ms`, `1.2s`, `3m 4s`: a length of time. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}s`
  return `${Math.floor(ms / 60_000)}m ${Math.floor((ms % 60_000) / 1_000)}s`
}

function shortest(ms: number): string {
  const [unit, size] = UNITS.find(([, unitMs]) => ms >= unitMs) ?? ["s", 1_000]
  return `${Math.floor(ms / size)}${unit}`
}
