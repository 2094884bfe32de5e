import type { EntityStatus } from "@rouse/protocol"
import { Search } from "lucide-react"
import { useEffect, useEffectEvent, useState } from "react"
import type { ReactNode } from "react"
import { Input, Select } from "../components/field.tsx"
import type { AgentsFilter } from "../core/list-filter.ts"
import { STATUSES, STATUS_NAMES } from "../core/status.ts"
import { useApp } from "../data/app.tsx"
import { useStore } from "../data/store.ts"
import { ViewsMenu } from "./views-menu.tsx"

/** How long after the last key the server is asked. */
const SETTLE_MS = 180

export interface FiltersProps {
  readonly filter: AgentsFilter
  readonly setFilter: (filter: AgentsFilter) => void
}

/** What narrows the list. The server does it, over all agents. */
export function Filters({ filter, setFilter }: FiltersProps): ReactNode {
  const types = useStore(useApp().info)?.types ?? []
  const { type: _type, ...withoutType } = filter
  const { status: _status, ...withoutStatus } = filter
  return (
    <div role="search" className="flex shrink-0 flex-col gap-1.5 border-b border-line px-3 pb-3">
      <div className="flex gap-1.5">
        <SearchField filter={filter} setFilter={setFilter} />
        <ViewsMenu filter={filter} setFilter={setFilter} />
      </div>
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

function SearchField({ filter, setFilter }: FiltersProps): ReactNode {
  const known = filter.search ?? ""
  const [text, setText] = useState(known)
  const [asked, setAsked] = useState(known)
  // Another view was chosen.
  if (asked !== known) {
    setAsked(known)
    setText(known)
  }
  const ask = useEffectEvent((value: string) => {
    const { search: _, ...rest } = filter
    setAsked(value)
    setFilter(value === "" ? rest : { ...rest, search: value })
  })
  useEffect(() => {
    if (text === known) return undefined
    const timer = setTimeout(() => ask(text), text === "" ? 0 : SETTLE_MS)
    return () => clearTimeout(timer)
  }, [text, known])
  return (
    <label className="relative block min-w-0 flex-1">
      <Search
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-2.5 size-3.5 -translate-y-1/2 text-ink-3"
      />
      <span className="sr-only">Search the agents</span>
      <Input
        type="search"
        data-shortcut="search"
        placeholder="Address, or tag:name=value"
        maxLength={200}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return
          setText("")
          event.currentTarget.blur()
        }}
        className="pl-8"
      />
    </label>
  )
}
