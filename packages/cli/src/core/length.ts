/** `850ms`, `1.2s`, `3m 4s`, `2h 5m`, `3d 4h`: a length of time. */
export function lengthText(ms: number): string {
  if (ms < 0) return "0ms"
  if (ms < 1_000) return `${Math.round(ms)}ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return `${minutes}m ${Math.floor((ms % 60_000) / 1_000)}s`
  const hours = Math.floor(minutes / 60)
  return hours < 24 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`
}

/** From one ISO 8601 time to another, or to `nowMs`. Undefined when it has not begun. */
export function lengthBetween(from: string | undefined, to: string | undefined, nowMs: number): number | undefined {
  if (from === undefined) return undefined
  const endMs = to === undefined ? nowMs : Date.parse(to)
  const ms = endMs - Date.parse(from)
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

/** `950`, `1.2k`, `34k`, `1.5M`. */
export function countText(count: number): string {
  if (count < 1_000) return String(count)
  if (count < 10_000) return `${(count / 1_000).toFixed(1)}k`
  return count < 1_000_000 ? `${Math.round(count / 1_000)}k` : `${(count / 1_000_000).toFixed(1)}M`
}
