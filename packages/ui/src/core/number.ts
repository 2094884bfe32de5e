/** A count in a small space: `940`, `1.2k`, `56k`, `3.4M`. */
export function compact(n: number): string {
  if (n < 1_000) return String(n)
  if (n < 9_950) return `${(n / 1_000).toFixed(1)}k`
  if (n < 999_500) return `${Math.round(n / 1_000)}k`
  return `${(n / 1_000_000).toFixed(1)}M`
}

const GROUPED = new Intl.NumberFormat("en-US")

/** A count in full: `12,345`. */
export function grouped(n: number): string {
  return GROUPED.format(n)
}

/** `1 step`, `2 steps`. */
export function counted(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? "" : "s"}`
}
