/** US dollars, with as many digits as say something: `$0`, `$0.00031`, `$0.42`, `$12.30`, `$1,204`. */
export function dollars(usd: number): string {
  if (usd === 0) return "$0"
  if (usd < 0.01) return `$${Number(usd.toPrecision(2))}`
  if (usd < 100) return `$${usd.toFixed(2)}`
  return `$${WHOLE.format(usd)}`
}

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 })
