import type { LogBatchAt, Row } from "@rouse/protocol"
import { X } from "lucide-react"
import { useEffect, useState } from "react"
import type { ReactNode } from "react"
import { Badge } from "../components/badge.tsx"
import { Button, IconButton } from "../components/button.tsx"
import { JsonView } from "../components/json-view.tsx"
import { Ago } from "../components/times.tsx"
import { sentenceOf } from "../core/errors.ts"
import { timeOfEvent } from "../core/log-entries.ts"
import { changedFields } from "../core/table.ts"
import { useApp } from "../data/app.tsx"
import { useGoTo } from "./time-bar.tsx"

const VERSIONS_MAX = 100

/** One row as it is, and every change that made it so, the newest first. */
export function RowHistory(props: { readonly url: string; readonly row: Row; readonly close: () => void }): ReactNode {
  const { row, url } = props
  const { versions, error } = useVersions(url, row)
  const go = useGoTo()
  return (
    <aside
      aria-label={`Row ${row.key}`}
      className="max-h-[55%] min-h-0 shrink-0 overflow-auto border-t border-line bg-canvas @3xl:max-h-none @3xl:w-96 @3xl:border-t-0 @3xl:border-l @6xl:w-[32rem]"
    >
      <header className="sticky top-0 flex h-10 items-center gap-2 border-b border-line bg-canvas pr-1.5 pl-4">
        <h2 className="min-w-0 truncate font-mono text-xs font-medium">{row.key}</h2>
        <IconButton label="Close" className="ml-auto" onClick={props.close}>
          <X className="size-4" />
        </IconButton>
      </header>
      <div className="px-4 py-3">
        <JsonView value={row.value} depthOpen={2} />
      </div>
      <h3 className="border-t border-line px-4 pt-3 pb-1 text-xs font-medium text-ink-3">How it came to be</h3>
      {error !== undefined && <p className="px-4 pb-3 text-danger">{sentenceOf(error)}</p>}
      {versions === undefined && error === undefined && <p className="px-4 pb-3 text-ink-3">Reading the log</p>}
      <ol>
        {versions?.map((version) => (
          <li key={version.n} className="border-b border-line px-4 py-2.5">
            <p className="flex items-center gap-2 text-xs">
              <Badge>{version.operation}</Badge>
              {version.time !== undefined && <Ago at={version.time} words className="text-ink-3" />}
              <Button tone="ghost" className="ml-auto" onClick={() => go(version.offset)}>
                Look at this moment
              </Button>
            </p>
            {version.changed.length > 0 && <JsonView value={version.fields} depthOpen={1} />}
          </li>
        ))}
      </ol>
    </aside>
  )
}

interface Version {
  readonly n: number
  readonly offset: string
  readonly operation: string
  readonly time: string | undefined
  /** What differs from the version before. */
  readonly changed: readonly string[]
  readonly fields: Row["value"]
}

function useVersions(
  url: string,
  { collection, key, value }: Row,
): { readonly versions?: readonly Version[]; readonly error?: unknown } {
  const { client } = useApp()
  const [state, setState] = useState<{ readonly versions?: readonly Version[]; readonly error?: unknown }>({})
  const content = JSON.stringify(value)
  useEffect(() => {
    const given = new AbortController()
    client.log(url, { collection, key, limit: VERSIONS_MAX, signal: given.signal }).then(
      ({ batches }) => given.signal.aborted || setState({ versions: versionsOf(batches) }),
      (error: unknown) => given.signal.aborted || setState({ error }),
    )
    return () => given.abort()
  }, [client, url, collection, key, content])
  return state
}

function versionsOf(batches: readonly LogBatchAt[]): readonly Version[] {
  const events = batches.flatMap(({ offset, events: of }) => of.map((event) => ({ offset, event })))
  const versions = events.map(({ offset, event }, n) => {
    const changed = changedFields(events[n - 1]?.event.value, event.value)
    const now = (event.value ?? {}) as Readonly<Record<string, Row["value"]>>
    const fields = Object.fromEntries(changed.map((name) => [name, now[name] ?? null]))
    return { n, offset, operation: event.headers.operation, time: timeOfEvent(event), changed, fields }
  })
  return versions.toReversed()
}
