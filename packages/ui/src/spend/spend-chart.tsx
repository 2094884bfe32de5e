import { useEffect, useMemo, useRef } from "react"
import type { ReactNode } from "react"
import uPlot from "uplot"
import "uplot/dist/uPlot.min.css"
import { dollars } from "../core/money.ts"
import { compact } from "../core/number.ts"
import type { Amount, SpendPlot } from "../core/spend-plot.ts"
import { useMedia } from "../components/media.ts"
import { preferences } from "../data/preferences.ts"
import { useSelected } from "../data/store.ts"
import { plotColor } from "./plot-color.ts"

/** Spend over time, group on group. The table below it has the same in figures. */
export default function SpendChart({ plot, amount }: { readonly plot: SpendPlot; readonly amount: Amount }): ReactNode {
  const box = useRef<HTMLDivElement>(null)
  // The canvas takes its colours when it is made: a change of theme makes it anew.
  const theme = useSelected(preferences, (value) => value.theme)
  const dark = useMedia("(prefers-color-scheme: dark)")
  const data = useMemo(() => dataOf(plot), [plot])
  useEffect(() => {
    const host = box.current
    if (!host) return undefined
    const chart = new uPlot(optionsFor(host, plot, amount), data, host)
    const resized = new ResizeObserver(() => chart.setSize({ width: host.clientWidth, height: host.clientHeight }))
    resized.observe(host)
    return () => {
      resized.disconnect()
      chart.destroy()
    }
  }, [plot, amount, data, theme, dark])
  return (
    <div
      ref={box}
      role="img"
      aria-label="Spend over time; the table below has it in figures"
      className="h-full overflow-hidden"
    />
  )
}

/** The tallest first: each is drawn over what reaches beyond it. */
function dataOf({ starts, groups }: SpendPlot): uPlot.AlignedData {
  return [[...starts], ...groups.toReversed().map(({ stacked }) => [...stacked])]
}

function optionsFor(host: HTMLElement, plot: SpendPlot, amount: Amount): uPlot.Options {
  const css = (color: string): string => resolved(host, color)
  const say = (value: number): string => (amount === "usd" ? dollars(value) : compact(value))
  const bars = uPlot.paths.bars?.({ size: [0.7, 48], radius: 0 })
  const axis = {
    stroke: css("var(--ink-3)"),
    ticks: { show: false },
    font: `11px ${getComputedStyle(host).fontFamily}`,
  }
  return {
    width: host.clientWidth,
    height: host.clientHeight,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: true, range: rangeOf(plot) }, y: { range: (_, __, max) => [0, Math.max(max * 1.08, 1e-9)] } },
    axes: [
      { ...axis, grid: { show: false } },
      {
        ...axis,
        grid: { stroke: css("var(--line)"), width: 1 },
        size: 64,
        values: (_, ticks) => ticks.map((tick) => say(tick)),
      },
    ],
    series: [
      {},
      ...plot.groups.map((_, n) => {
        const color = css(plotColor(plot.groups.length - 1 - n, plot))
        return { fill: color, stroke: color, width: 0, points: { show: false }, ...(bars && { paths: bars }) }
      }),
    ],
  }
}

function rangeOf({ starts, stepSeconds }: SpendPlot): [number, number] {
  return [(starts[0] ?? 0) - stepSeconds * 0.6, (starts.at(-1) ?? 0) + stepSeconds * 0.6]
}

/** A canvas knows no variables. */
function resolved(host: HTMLElement, color: string): string {
  const probe = host.appendChild(document.createElement("span"))
  probe.style.color = color
  const value = getComputedStyle(probe).color
  probe.remove()
  return value
}
