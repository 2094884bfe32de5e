import type { UsageBy, UsageReport } from "@rouse/protocol"
import { Link, useNavigate, useSearch } from "@tanstack/react-router"
import { ChartColumnStacked } from "lucide-react"
import { lazy, Suspense, useCallback, useMemo } from "react"
import type { ReactNode } from "react"
import { cn } from "../components/class-names.ts"
import { EmptyState } from "../components/empty-state.tsx"
import { Select } from "../components/field.tsx"
import { Screen, Told } from "../components/screen.tsx"
import { dollars } from "../core/money.ts"
import { compact, grouped } from "../core/number.ts"
import { RANGES } from "../core/searches.ts"
import type { Range } from "../core/searches.ts"
import { spendPlot } from "../core/spend-plot.ts"
import type { Amount } from "../core/spend-plot.ts"
import { useApp } from "../data/app.tsx"
import { usePolled } from "../data/polled.ts"
import { SpendTable } from "./spend-table.tsx"

const SpendChart = lazy(() => import("./spend-chart.tsx"))

const EVERY_MS = 15_000

const RANGE_LABELS: Readonly<Record<Range, string>> = {
  "1d": "24 hours",
  "7d": "7 days",
  "30d": "30 days",
  all: "All time",
}
const BY_LABELS: Readonly<Record<UsageBy, string>> = { model: "model", type: "type", entity: "agent", tree: "tree" }

interface Told extends UsageReport {
  readonly sinceMs?: number
  readonly untilMs: number
}

/** What model calls cost: of which model, type, agent or tree, and when. */
export function SpendScreen(): ReactNode {
  const { by = "model", range = "7d", of = "usd" } = useSearch({ from: "/spend" })
  const { client } = useApp()
  const load = useCallback(
    async (signal: AbortSignal): Promise<Told> => {
      const days = RANGES[range]
      const untilMs = Date.now()
      const sinceMs = days === undefined ? undefined : untilMs - days * 86_400_000
      const since = sinceMs === undefined ? {} : { since: new Date(sinceMs).toISOString() }
      const report = await client.usage({ by, times: true, ...since }, { signal })
      return { ...report, untilMs, ...(sinceMs !== undefined && { sinceMs }) }
    },
    [client, by, range],
  )
  const report = usePolled(load, EVERY_MS)
  return (
    <Screen title="Spend" wide actions={<Choices by={by} range={range} amount={of} />}>
      <Told of={report} failed="The spend could not be read">
        {(told) => <Report told={told} amount={of} />}
      </Told>
    </Screen>
  )
}

function Choices(props: { readonly by: UsageBy; readonly range: Range; readonly amount: Amount }): ReactNode {
  const navigate = useNavigate({ from: "/spend" })
  const choose = (part: object): void =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true }).catch(console.error)
  return (
    <>
      <Select aria-label="What" value={props.amount} onChange={({ target }) => choose({ of: target.value })}>
        <option value="usd">Dollars</option>
        <option value="tokens">Tokens</option>
      </Select>
      <Select aria-label="By" value={props.by} onChange={({ target }) => choose({ by: target.value })}>
        {Object.entries(BY_LABELS).map(([value, label]) => (
          <option key={value} value={value}>
            by {label}
          </option>
        ))}
      </Select>
      <Select aria-label="Since" value={props.range} onChange={({ target }) => choose({ range: target.value })}>
        {Object.entries(RANGE_LABELS).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </Select>
    </>
  )
}

function Report({ told, amount }: { readonly told: Told; readonly amount: Amount }): ReactNode {
  const { total, groups, times = [], sinceMs, untilMs, by } = told
  const plot = useMemo(() => {
    const named = new Set(times.map(({ key }) => key))
    const keys = [...groups.map(({ key }) => key).filter((key) => named.has(key)), ...(named.has("") ? [""] : [])]
    return spendPlot(times, keys, amount, { sinceMs, untilMs })
  }, [times, groups, amount, sinceMs, untilMs])
  if (total.calls === 0) {
    return (
      <EmptyState icon={<ChartColumnStacked className="size-6" />} title="Nothing was spent">
        No model was called in this time.{" "}
        <Link to="/" className="underline underline-offset-2">
          Write to an agent
        </Link>
        .
      </EmptyState>
    )
  }
  return (
    <>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-4 py-5 sm:grid-cols-4">
        <Fact name="Spent" value={dollars(total.usd)} strong />
        <Fact name="Model calls" value={grouped(total.calls)} />
        <Fact name="Tokens in, out" value={`${compact(total.inputTokens)}, ${compact(total.outputTokens)}`} />
        <Fact
          name="Read from cache"
          value={
            total.inputTokens === 0 ? "0 %" : `${Math.round((100 * total.cachedInputTokens) / total.inputTokens)} %`
          }
        />
      </dl>
      <div className="h-64">
        <Suspense>
          <SpendChart plot={plot} amount={amount} />
        </Suspense>
      </div>
      {total.unpriced > 0 && (
        <p className="mt-3 text-xs text-attention">
          {grouped(total.unpriced)} of the calls were of models without a price: theirs is a guess on the dear side.
        </p>
      )}
      <SpendTable told={told} by={by} plot={plot} amount={amount} />
    </>
  )
}

function Fact(props: { readonly name: string; readonly value: string; readonly strong?: boolean }): ReactNode {
  return (
    <div>
      <dt className="text-xs text-ink-3">{props.name}</dt>
      <dd className={cn("text-xl tracking-tight", props.strong ? "font-semibold" : "text-ink-2")}>{props.value}</dd>
    </div>
  )
}
