import type { Figure } from "./figures.ts"
import type { Spread } from "./stats.ts"

/** Figures as a table for people. Pure. */
export function figureTable(figures: readonly Figure[]): string {
  const hasRatio = figures.some((figure) => figure.ratio !== undefined)
  const hasTarget = figures.some((figure) => figure.target !== undefined)
  const head = [
    "figure",
    "system",
    "median",
    "min … max",
    ...(hasRatio ? ["ratio (min … max)"] : []),
    ...(hasTarget ? ["target", ""] : []),
  ]
  let last = ""
  const rows = figures.map((figure) => {
    const name = figure.metric === last ? "" : figure.metric
    last = figure.metric
    const cells = [name, figure.system, `${number(figure.median)} ${figure.unit}`, range(figure)]
    if (hasRatio) cells.push(ratioOf(figure))
    if (hasTarget) cells.push(figure.target ?? "", figure.met === undefined ? "" : figure.met ? "met" : "MISSED")
    return cells
  })
  return table([head, ...rows])
}

/** Nothing to be divided by is no ratio. */
function ratioOf({ ratio }: Figure): string {
  if (ratio === undefined || !Number.isFinite(ratio.median)) return ""
  return `${number(ratio.median)}× (${range(ratio)})`
}

/** Columns as wide as their widest cell, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)))
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] as number))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")
}

/** Three significant digits where there are decimals, thousands apart where there are none. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString("en-US")
  return size >= 10 ? value.toFixed(1) : size >= 0.1 || size === 0 ? value.toFixed(2) : value.toFixed(4)
}

function range({ min, max }: Spread): string {
  return `${number(min)} … ${number(max)}`
}
