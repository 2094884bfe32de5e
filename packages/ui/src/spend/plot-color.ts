import type { SpendPlot } from "../core/spend-plot.ts"

const COLORS = 8

/** The colour of a group, as CSS: its own for the dearest, one for all others. */
export function plotColor(index: number | undefined, plot: SpendPlot): string {
  const own = index !== undefined && index < COLORS && plot.groups[index]?.key !== ""
  return own ? `var(--plot-${index + 1})` : "var(--line-strong)"
}
