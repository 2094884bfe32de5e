import type { Item } from "@rouse/client"
import { useNavigate, useSearch } from "@tanstack/react-router"
import { GitCompareArrows } from "lucide-react"
import { useMemo, useState } from "react"
import type { FormEvent, ReactNode } from "react"
import { parseEntityUrl } from "@rouse/protocol"
import { Button } from "../components/button.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { Input } from "../components/field.tsx"
import { Skeleton } from "../components/skeleton.tsx"
import { compareTimelines } from "../core/compare.ts"
import { sentenceOf } from "../core/errors.ts"
import { counted } from "../core/number.ts"
import type { AgentState } from "../data/agent.ts"
import { useAgent } from "../data/app.tsx"
import { useStore } from "../data/store.ts"
import { EntityLink } from "./entity-link.tsx"
import { ItemView } from "./item-view.tsx"

/** This agent and another, mostly the one it was forked from: what they have in common once, and then each by itself. */
export function CompareView({ state }: { readonly state: AgentState }): ReactNode {
  const { with: chosen } = useSearch({ from: "/agents/agents/$type/$id" })
  const other = chosen ?? state.detail?.forkedFrom?.url
  if (other === undefined || parseEntityUrl(other) === undefined || other === state.url) return <Choose />
  return <Compare key={other} state={state} other={other} />
}

function Compare({ state, other }: { readonly state: AgentState; readonly other: string }): ReactNode {
  const theirs = useStore(useAgent(other))
  const [whole, setWhole] = useState(false)
  const { same, left, right } = useMemo(
    () => compareTimelines(theirs.timeline, state.timeline),
    [theirs.timeline, state.timeline],
  )
  if (theirs.phase === "failed") {
    return <EmptyState title={`${other} could not be read`}>{sentenceOf(theirs.error)}</EmptyState>
  }
  if (theirs.phase === "loading" || state.phase === "loading") {
    return (
      <div aria-busy aria-label="Reading both" className="p-6">
        <Skeleton className="w-72" />
      </div>
    )
  }
  return (
    <div role="region" aria-label="Comparison" tabIndex={0} className="min-h-0 flex-1 overflow-auto -outline-offset-2">
      <div className="mx-auto max-w-[100rem] px-4 py-5 sm:px-6">
        {same.length > 0 && (
          <div className="mx-auto max-w-[50rem]">
            {whole && same.map((item) => <ItemView key={item.id} item={item} url={state.url} />)}
            <Button tone="ghost" className="mx-auto mb-4 flex" aria-expanded={whole} onClick={() => setWhole(!whole)}>
              {whole ? "Fold what they have in common" : `${counted(same.length, "item")} in common`}
            </Button>
          </div>
        )}
        <div className="grid gap-x-8 gap-y-6 lg:grid-cols-2">
          <Side url={other} items={left} />
          <Side url={state.url} items={right} here />
        </div>
      </div>
    </div>
  )
}

function Side(props: { readonly url: string; readonly items: readonly Item[]; readonly here?: boolean }): ReactNode {
  return (
    <section aria-label={props.url} className="min-w-0">
      <h2 className="mb-3 flex items-center gap-2 border-b border-line pb-2">
        {props.here ? <span className="truncate font-medium">{props.url}</span> : <EntityLink url={props.url} />}
        <span className="ml-auto shrink-0 text-xs text-ink-3">{props.here ? "this one" : "the other"}</span>
      </h2>
      {props.items.length === 0 && <p className="text-ink-3">Nothing more.</p>}
      {props.items.map((item) => (
        <ItemView key={item.id} item={item} url={props.url} />
      ))}
    </section>
  )
}

function Choose(): ReactNode {
  const navigate = useNavigate()
  const [url, setUrl] = useState("")
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (parseEntityUrl(url.trim()) === undefined) return
    void navigate({
      to: ".",
      search: (before: object) => ({ ...before, with: url.trim() }),
      replace: true,
    }).catch(console.error)
  }
  return (
    <EmptyState icon={<GitCompareArrows className="size-6" />} title="Compare it with another">
      <form onSubmit={submit} className="mt-2 flex gap-2">
        <Input
          aria-label="The other's address"
          placeholder="/assistant/two"
          value={url}
          onChange={({ target }) => setUrl(target.value)}
        />
        <Button type="submit" disabled={parseEntityUrl(url.trim()) === undefined}>
          Compare
        </Button>
      </form>
    </EmptyState>
  )
}
