import type { UsageBy, UsageReport } from "@rouse/protocol"
import type { ReactNode } from "react"
import { EntityLink } from "../agent/entity-link.tsx"
import { dollars } from "../core/money.ts"
import { compact, grouped } from "../core/number.ts"
import { amountOf } from "../core/spend-plot.ts"
import type { Amount, SpendPlot } from "../core/spend-plot.ts"
import { plotColor } from "./plot-color.ts"

/** What the plot shows, in figures: the dearest first. */
export function SpendTable(props: {
  readonly told: UsageReport
  readonly by: UsageBy
  readonly plot: SpendPlot
  readonly amount: Amount
}): ReactNode {
  const { told, by, plot, amount } = props
  const whole = amountOf(told.total, amount)
  const place = new Map(plot.groups.map(({ key }, index) => [key, index]))
  const head = "py-1.5 pl-4 text-right font-medium"
  return (
    <div className="mt-6 overflow-x-auto" tabIndex={0} role="region" aria-label="Spend in figures">
      <table className="w-full text-left whitespace-nowrap">
        <thead className="text-xs text-ink-3">
          <tr>
            <th className="py-1.5 font-medium">{by === "entity" ? "agent" : by}</th>
            <th className={head}>spent</th>
            <th className={`${head} max-sm:hidden`}>share</th>
            <th className={head}>calls</th>
            <th className={`${head} max-md:hidden`}>tokens in</th>
            <th className={`${head} max-md:hidden`}>tokens out</th>
            <th className={`${head} max-md:hidden`}>from cache</th>
          </tr>
        </thead>
        <tbody>
          {told.groups.map((group) => (
            <tr key={group.key} className="border-t border-line">
              <td className="max-w-72 py-1.5">
                <span className="flex min-w-0 items-center gap-2">
                  <span
                    aria-hidden
                    className="size-2.5 shrink-0 rounded-xs"
                    style={{ background: plotColor(place.get(group.key), plot) }}
                  />
                  {by === "entity" || by === "tree" ? (
                    <EntityLink url={group.key} />
                  ) : (
                    <span className="truncate">{group.key}</span>
                  )}
                </span>
              </td>
              <td className="pl-4 text-right font-medium">
                {dollars(group.usd)}
                {group.unpriced > 0 && <span title="Partly a guess: no price is known">?</span>}
              </td>
              <td className="pl-4 text-right text-ink-2 max-sm:hidden">
                {whole === 0 ? "" : `${Math.round((100 * amountOf(group, amount)) / whole)} %`}
              </td>
              <td className="pl-4 text-right text-ink-2">{grouped(group.calls)}</td>
              <td className="pl-4 text-right text-ink-2 max-md:hidden">{compact(group.inputTokens)}</td>
              <td className="pl-4 text-right text-ink-2 max-md:hidden">{compact(group.outputTokens)}</td>
              <td className="pl-4 text-right text-ink-2 max-md:hidden">{compact(group.cachedInputTokens)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {told.more > 0 && <p className="pt-2 text-ink-3">And {grouped(told.more)} more.</p>}
    </div>
  )
}
