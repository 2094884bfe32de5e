import { ArrowRight } from "lucide-react"
import type { ReactNode } from "react"
import { Keys, MOD_KEY } from "../components/keys.tsx"
import { Skeleton } from "../components/skeleton.tsx"
import { StatusGlyph } from "../components/status-glyph.tsx"
import { Mark } from "../components/wordmark.tsx"
import { grouped } from "../core/number.ts"
import { STATUSES, STATUS_NAMES, isAwake } from "../core/status.ts"
import { useApp } from "../data/app.tsx"
import { useStore } from "../data/store.ts"
import { openNewAgent } from "../shell/overlays.ts"

/** What is beside the list while no agent is open: how they all are, and where to begin. */
export function Overview(): ReactNode {
  return (
    <div className="h-full overflow-auto bg-canvas">
      <div className="mx-auto flex min-h-full max-w-2xl flex-col justify-center gap-9 px-8 py-10">
        <Tally />
        <Types />
        <p className="flex flex-wrap gap-x-5 gap-y-2 text-xs text-ink-3">
          <span className="inline-flex items-center gap-1.5">
            <Keys of={["j"]} />
            <Keys of={["k"]} /> move in the list
          </span>
          <span className="inline-flex items-center gap-1.5">
            <Keys of={[MOD_KEY, "K"]} /> go anywhere
          </span>
          <span className="inline-flex items-center gap-1.5">
            <Keys of={["?"]} /> all keys
          </span>
        </p>
      </div>
    </div>
  )
}

function Tally(): ReactNode {
  const { sorted, phase, next } = useStore(useApp().agents)
  const counts = STATUS_NAMES.map((status) => ({
    status,
    count: sorted.filter((agent) => agent.status === status).length,
  }))
  const loading = phase === "loading" && sorted.length === 0
  const awake = counts.filter(({ status }) => isAwake(status)).reduce((sum, { count }) => sum + count, 0)
  return (
    <section>
      <Mark className="mb-4 size-9" />
      <h2 className="text-xl font-semibold tracking-tight">
        {loading ? <Skeleton className="w-48" /> : headline(sorted.length, awake)}
      </h2>
      <ul className="mt-4 flex min-h-5 flex-wrap gap-x-6 gap-y-2">
        {counts
          .filter(({ count }) => count > 0)
          .map(({ status, count }) => (
            <li key={status} title={STATUSES[status].meaning} className="flex items-center gap-1.5 text-sm text-ink-2">
              <StatusGlyph status={status} />
              <span className="font-medium text-ink">{grouped(count)}</span>
              {STATUSES[status].label.toLowerCase()}
            </li>
          ))}
      </ul>
      <p className="mt-2 h-4.5 text-xs text-ink-3">
        {next !== undefined && `Of the ${grouped(sorted.length)} that were active last.`}
      </p>
    </section>
  )
}

function headline(count: number, awake: number): string {
  if (count === 0) return "Nobody is here yet."
  if (awake === 0) return count === 1 ? "One agent, asleep." : "All agents are asleep."
  return awake === 1 ? "One agent is awake." : `${grouped(awake)} agents are awake.`
}

function Types(): ReactNode {
  const types = useStore(useApp().info)?.types
  if (!types) return <div aria-busy className="h-28" />
  if (types.length === 0) return null
  return (
    <section>
      <h3 className="mb-2 text-xs font-medium text-ink-3">Make one</h3>
      <ul className="overflow-hidden rounded-lg border border-line bg-surface">
        {types.map((type) => (
          <li key={type.name} className="border-b border-line last:border-b-0">
            <button
              type="button"
              onClick={() => openNewAgent(type.name)}
              className="group flex min-h-12 w-full items-center gap-3 px-4 py-2 text-left -outline-offset-2 hover:bg-hover"
            >
              <span className="min-w-0 flex-1">
                <span className="font-medium">{type.name}</span>
                <span className="block truncate text-ink-2">{type.description}</span>
              </span>
              <ArrowRight
                aria-hidden
                className="size-4 shrink-0 text-ink-3 transition-transform group-hover:translate-x-0.5"
              />
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
