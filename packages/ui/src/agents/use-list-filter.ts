import { useNavigate } from "@tanstack/react-router"
import type { AgentsFilter } from "../core/list-filter.ts"
import { useApp } from "../data/app.tsx"
import { useSelected } from "../data/store.ts"

/** The filter of the list, which the address tells too. */
export function useListFilter(): {
  readonly filter: AgentsFilter
  readonly setFilter: (filter: AgentsFilter) => void
} {
  const { agents } = useApp()
  const navigate = useNavigate()
  const filter = useSelected(agents, (state) => state.filter)
  const setFilter = (next: AgentsFilter): void => {
    agents.setFilter(next)
    navigate({
      to: ".",
      search: ({ type: _type, status: _status, search: _search, ...rest }: AgentsFilter) => ({ ...rest, ...next }),
      replace: true,
    }).catch(console.error)
  }
  return { filter, setFilter }
}
