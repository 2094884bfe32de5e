import type { EntityStatus } from "@rouse/protocol"
import { Plus, Search } from "lucide-react"
import { useDeferredValue, useState } from "react"
import type { ReactNode } from "react"
import { Button, IconButton } from "../components/button.tsx"
import { cn } from "../components/class-names.ts"
import { EmptyState } from "../components/empty-state.tsx"
import { Input, Select } from "../components/field.tsx"
import { Wordmark } from "../components/wordmark.tsx"
import { sentenceOf } from "../core/errors.ts"
import { matchesText } from "../core/agents-list.ts"
import { grouped } from "../core/number.ts"
import { STATUSES, STATUS_NAMES } from "../core/status.ts"
import type { AgentsFilter, AgentsState } from "../data/agents.ts"
import { useApp } from "../data/app.tsx"
import { useStore } from "../data/store.ts"
import { ThemeMenu } from "../shell/nav.tsx"
import { openNewAgent } from "../shell/overlays.ts"
import { AgentsList, AgentsSkeleton } from "./agents-list.tsx"

/** The list of agents with what narrows it. */
export function AgentsPanel({ className }: { readonly className?: string }): ReactNode {
  const app = useApp()
  const state = useStore(app.agents)
  const [text, setText] = useState("")
  const words = useDeferredValue(text)
  const shown = words === "" ? state.sorted : state.sorted.filter((agent) => matchesText(agent, words))
  return (
    <section aria-label="Agents" className={cn("h-full min-h-0 flex-col bg-surface", className)}>
      <header className="flex h-12 shrink-0 items-center gap-2 pr-2.5 pl-4">
        <h1 className="text-base font-semibold tracking-tight max-sm:sr-only">Agents</h1>
        <span className="flex sm:hidden">
          <Wordmark />
        </span>
        <Count state={state} shown={shown.length} />
        <span className="ml-auto flex sm:hidden">
          <ThemeMenu side="bottom" />
        </span>
        <IconButton label="New agent" keys={["n"]} tone="outline" className="sm:ml-auto" onClick={() => openNewAgent()}>
          <Plus className="size-4" />
        </IconButton>
      </header>
      <Filters filter={state.filter} setFilter={app.agents.setFilter} text={text} setText={setText} />
      <Body state={state} shown={shown} words={words} clear={() => setText("")} />
    </section>
  )
}

function Count({ state, shown }: { readonly state: AgentsState; readonly shown: number }): ReactNode {
  if (state.phase === "loading" && state.sorted.length === 0) return null
  return (
    <span
      className="text-sm text-ink-3"
      title={state.next === undefined ? undefined : "There are more; scroll to load them"}
    >
      {grouped(shown)}
      {state.next !== undefined && "+"}
    </span>
  )
}

function Filters(props: {
  readonly filter: AgentsFilter
  readonly setFilter: (filter: AgentsFilter) => void
  readonly text: string
  readonly setText: (text: string) => void
}): ReactNode {
  const { filter, setFilter } = props
  const types = useStore(useApp().info)?.types ?? []
  const { type: _type, ...withoutType } = filter
  const { status: _status, ...withoutStatus } = filter
  return (
    <div role="search" className="flex shrink-0 flex-col gap-1.5 border-b border-line px-3 pb-3">
      <label className="relative block">
        <Search
          aria-hidden
          className="pointer-events-none absolute top-1/2 left-2.5 size-3.5 -translate-y-1/2 text-ink-3"
        />
        <span className="sr-only">Search the agents that are loaded</span>
        <Input
          type="search"
          data-shortcut="search"
          placeholder="Search address, tags, arguments"
          value={props.text}
          onChange={(event) => props.setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return
            props.setText("")
            event.currentTarget.blur()
          }}
          className="pl-8"
        />
      </label>
      <div className="grid grid-cols-2 gap-1.5">
        <Select
          aria-label="Type"
          value={filter.type ?? ""}
          onChange={({ target }) => setFilter(target.value ? { ...filter, type: target.value } : withoutType)}
        >
          <option value="">Any type</option>
          {types.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
        <Select
          aria-label="Status"
          value={filter.status ?? ""}
          onChange={({ target }) =>
            setFilter(target.value ? { ...filter, status: target.value as EntityStatus } : withoutStatus)
          }
        >
          <option value="">Any status</option>
          {STATUS_NAMES.map((status) => (
            <option key={status} value={status}>
              {STATUSES[status].label}
            </option>
          ))}
        </Select>
      </div>
    </div>
  )
}

function Body(props: {
  readonly state: AgentsState
  readonly shown: AgentsState["sorted"]
  readonly words: string
  readonly clear: () => void
}): ReactNode {
  const { state, shown, words } = props
  const { setFilter } = useApp().agents
  const filtered = state.filter.type !== undefined || state.filter.status !== undefined
  if (shown.length > 0) return <AgentsList agents={shown} />
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
  if (words !== "") {
    return (
      <EmptyState title="No match" action={<Button onClick={props.clear}>Clear the search</Button>}>
        None of the agents that are loaded has “{words}” in its address, tags or arguments.
      </EmptyState>
    )
  }
  if (filtered) {
    return (
      <EmptyState title="None like that" action={<Button onClick={() => setFilter({})}>Show all</Button>}>
        There are agents of other types or with another status.
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
