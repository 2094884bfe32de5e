/** US dollars as people read them: two digits, and more where that would hide what there is. */
export function money(usd: number): string {
  if (usd === 0 || usd >= 0.995) return `$${usd.toFixed(2)}`
  return `$${Number(usd.toPrecision(2)).toFixed(Math.min(9, Math.max(2, 1 - Math.floor(Math.log10(usd)))))}`
}
