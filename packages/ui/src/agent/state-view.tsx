import { HANDLER_COLLECTIONS, SERVER_COLLECTIONS } from "@rouse/protocol"
import type { Row } from "@rouse/protocol"
import { useNavigate, useSearch } from "@tanstack/react-router"
import { Table2 } from "lucide-react"
import { useMemo, useState } from "react"
import type { ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { Skeleton } from "../components/skeleton.tsx"
import { grouped } from "../core/number.ts"
import { cellOf, collectionCounts, tableOf } from "../core/table.ts"
import type { AgentState } from "../data/agent.ts"
import type { Past } from "../data/past.ts"
import { useRows } from "../data/rows.ts"
import { RowHistory } from "./row-history.tsx"

const SHOWN = 200
const BUILT_IN: ReadonlySet<string> = new Set<string>([...SERVER_COLLECTIONS, ...HANDLER_COLLECTIONS])

/** Its rows, collection by collection: now, or as they were at the moment that the page shows. */
export function StateView({ state, past }: { readonly state: AgentState; readonly past: Past | undefined }): ReactNode {
  const now = useRows(state, past === undefined)
  const rows = past?.rows ?? now
  const { collection } = useSearch({ from: "/agents/agents/$type/$id" })
  const collections = useMemo(() => collectionCounts(rows ?? [], (name) => BUILT_IN.has(name)), [rows])
  const open = collections.find(({ name }) => name === collection)?.name ?? collections[0]?.name
  if (rows === undefined) return <Loading />
  if (open === undefined) {
    return <EmptyState icon={<Table2 className="size-6" />} title="It keeps nothing yet" />
  }
  return (
    <div className="@container flex min-h-0 flex-1 flex-col">
      <Collections collections={collections} open={open} />
      <Rows key={open} url={state.url} rows={rows.filter((row) => row.collection === open)} collection={open} />
    </div>
  )
}

function Collections(props: {
  readonly collections: ReturnType<typeof collectionCounts>
  readonly open: string
}): ReactNode {
  const navigate = useNavigate()
  return (
    <div
      role="group"
      aria-label="Collections"
      className="flex shrink-0 gap-1 overflow-x-auto border-b border-line px-3 py-1.5 [scrollbar-width:none]"
    >
      {props.collections.map(({ name, count }) => (
        <button
          key={name}
          type="button"
          aria-pressed={name === props.open}
          onClick={() =>
            void navigate({
              to: ".",
              search: (before: object) => ({ ...before, collection: name }),
              replace: true,
            }).catch(console.error)
          }
          className="flex h-7 shrink-0 items-center gap-1.5 rounded-md px-2 text-xs text-ink-2 -outline-offset-2 hover:bg-hover aria-pressed:bg-selected aria-pressed:font-medium aria-pressed:text-ink"
        >
          {name}
          <span className="text-ink-3">{grouped(count)}</span>
        </button>
      ))}
    </div>
  )
}

function Rows(props: { readonly url: string; readonly rows: readonly Row[]; readonly collection: string }): ReactNode {
  const { rows, collection, url } = props
  const [shown, setShown] = useState(SHOWN)
  const [chosen, setChosen] = useState<string>()
  const { columns } = useMemo(() => tableOf(rows), [rows])
  const cells = columns.length === 0 ? [undefined] : columns
  const row = rows.find(({ key }) => key === chosen)
  return (
    <div className="flex min-h-0 flex-1 flex-col @3xl:flex-row">
      <div className="min-h-0 flex-1 overflow-auto" tabIndex={0} role="region" aria-label={`Rows of ${collection}`}>
        <table className="min-w-full border-separate border-spacing-0 text-left whitespace-nowrap">
          <thead>
            <tr>
              {["key", ...cells.map((column) => column ?? "value")].map((name) => (
                <th
                  key={name}
                  className="sticky top-0 border-b border-line bg-surface px-3 py-1.5 text-xs font-medium text-ink-3"
                >
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map(({ key, value }) => (
              <tr
                key={key}
                aria-selected={key === chosen}
                onClick={() => setChosen(key === chosen ? undefined : key)}
                className="cursor-pointer hover:bg-hover aria-selected:bg-selected"
              >
                <td className="max-w-56 truncate border-b border-line px-3 py-1.5 font-mono text-xs">
                  <button type="button" className="max-w-full truncate rounded-sm" aria-expanded={key === chosen}>
                    {key}
                  </button>
                </td>
                {cells.map((column) => (
                  <td key={column ?? ""} className="max-w-64 truncate border-b border-line px-3 py-1.5 text-ink-2">
                    {cellOf(value, column)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length > shown && (
          <Button tone="ghost" className="m-2" onClick={() => setShown(shown * 4)}>
            {grouped(rows.length - shown)} more
          </Button>
        )}
      </div>
      {row && <RowHistory key={row.key} url={url} row={row} close={() => setChosen(undefined)} />}
    </div>
  )
}

function Loading(): ReactNode {
  return (
    <div aria-busy aria-label="Reading the state" className="flex flex-col gap-3 p-4">
      {[40, 80, 70, 75].map((width) => (
        <span key={width} style={{ width: `${width}%` }}>
          <Skeleton className="w-full" />
        </span>
      ))}
    </div>
  )
}
