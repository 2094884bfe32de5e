import { Plus } from "lucide-react"
import type { ReactNode } from "react"
import { Button, IconButton } from "../components/button.tsx"
import { cn } from "../components/class-names.ts"
import { EmptyState } from "../components/empty-state.tsx"
import { Wordmark } from "../components/wordmark.tsx"
import { sentenceOf } from "../core/errors.ts"
import { isNarrowed } from "../core/list-filter.ts"
import type { AgentsFilter } from "../core/list-filter.ts"
import { grouped } from "../core/number.ts"
import type { AgentsState } from "../data/agents.ts"
import { useApp } from "../data/app.tsx"
import { useStore } from "../data/store.ts"
import { ThemeMenu } from "../shell/nav.tsx"
import { openNewAgent } from "../shell/overlays.ts"
import { AgentsList, AgentsSkeleton } from "./agents-list.tsx"
import { Filters } from "./filters.tsx"
import { useListFilter } from "./use-list-filter.ts"

/** The list of agents with what narrows it. */
export function AgentsPanel({ className }: { readonly className?: string }): ReactNode {
  const app = useApp()
  const state = useStore(app.agents)
  const { filter, setFilter } = useListFilter()
  return (
    <section aria-label="Agents" className={cn("h-full min-h-0 flex-col bg-surface", className)}>
      <header className="flex h-12 shrink-0 items-center gap-2 pr-2.5 pl-4">
        <h1 className="text-base font-semibold tracking-tight max-sm:sr-only">Agents</h1>
        <span className="flex sm:hidden">
          <Wordmark />
        </span>
        <Count state={state} />
        <span className="ml-auto flex sm:hidden">
          <ThemeMenu side="bottom" />
        </span>
        <IconButton label="New agent" keys={["n"]} tone="outline" className="sm:ml-auto" onClick={() => openNewAgent()}>
          <Plus className="size-4" />
        </IconButton>
      </header>
      <Filters filter={filter} setFilter={setFilter} />
      <Body state={state} setFilter={setFilter} />
    </section>
  )
}

function Count({ state }: { readonly state: AgentsState }): ReactNode {
  if (state.phase === "loading" && state.sorted.length === 0) return null
  return (
    <span
      className="text-sm text-ink-3"
      title={state.next === undefined ? undefined : "There are more; scroll to load them"}
    >
      {grouped(state.sorted.length)}
      {state.next !== undefined && "+"}
    </span>
  )
}

function Body(props: { readonly state: AgentsState; readonly setFilter: (filter: AgentsFilter) => void }): ReactNode {
  const { state, setFilter } = props
  if (state.sorted.length > 0) return <AgentsList agents={state.sorted} />
  if (state.phase === "loading") return <AgentsSkeleton />
  if (state.phase === "failed") {
    return (
      <EmptyState
        title="The agents could not be listed"
        action={<Button onClick={() => setFilter(state.filter)}>Try again</Button>}
      >
        {sentenceOf(state.error)}
      </EmptyState>
    )
  }
  if (isNarrowed(state.filter)) {
    return (
      <EmptyState title="None like that" action={<Button onClick={() => setFilter({})}>Show all</Button>}>
        The server has no agent of that type, status, tag and address.
      </EmptyState>
    )
  }
  return (
    <EmptyState
      title="No agents yet"
      action={
        <Button tone="solid" onClick={() => openNewAgent()}>
          New agent
        </Button>
      }
    >
      An agent lives at an address and wakes when something happens to it. Make the first one.
    </EmptyState>
  )
}
