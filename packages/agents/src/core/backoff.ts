/** How long to wait before a try: doubles from `delayMs`, with half of it jitter, and never above `delayMsMax`. */
export function backoffMs(attempt: number, delayMs: number, delayMsMax: number, random: number): number {
  const full = Math.min(delayMsMax, delayMs * 2 ** (attempt - 1))
  return Math.round(full / 2 + (full / 2) * random)
}
