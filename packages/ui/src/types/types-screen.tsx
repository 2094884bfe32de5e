import type { TypeInfo } from "@rouse/protocol"
import { Plus } from "lucide-react"
import type { ReactNode } from "react"
import { Badge } from "../components/badge.tsx"
import { Button } from "../components/button.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { JsonView } from "../components/json-view.tsx"
import { Skeleton } from "../components/skeleton.tsx"
import { useTypes } from "../data/app.tsx"
import { openNewAgent } from "../shell/overlays.ts"
import { HandlerFacts } from "./handler-facts.tsx"

/** The types that the server knows: what each is for, where it runs, what it is made with, what it keeps. */
export function TypesScreen(): ReactNode {
  const types = useTypes()
  return (
    <div className="h-full overflow-auto bg-surface">
      <div className="mx-auto max-w-3xl px-5 pb-16 sm:px-8">
        <header className="flex h-12 items-center gap-2">
          <h1 className="text-base font-semibold tracking-tight">Types</h1>
          <span className="text-ink-3">{types?.length}</span>
        </header>
        {!types && <Loading />}
        {types?.length === 0 && (
          <EmptyState title="No types yet">
            Define one with defineEntity in a file that this server was started with, or register a handler with rouse
            deploy.
          </EmptyState>
        )}
        <ul>
          {types?.map((type) => (
            <TypeEntry key={type.name} type={type} />
          ))}
        </ul>
      </div>
    </div>
  )
}

function TypeEntry({ type }: { readonly type: TypeInfo }): ReactNode {
  return (
    <li className="grid gap-x-8 gap-y-3 border-t border-line py-5 sm:grid-cols-[minmax(0,1fr)_auto]">
      <div className="min-w-0">
        <h2 className="font-medium">{type.name}</h2>
        <p className="max-w-[68ch] text-ink-2">{type.description || "No description."}</p>
        <HandlerFacts type={type} />
        {type.collections.length > 0 && (
          <p className="mt-2 flex flex-wrap items-center gap-1.5 text-xs text-ink-3">
            Keeps
            {type.collections.map((name) => (
              <Badge key={name}>{name}</Badge>
            ))}
          </p>
        )}
        {type.args && (
          <details className="group mt-2">
            <summary className="w-fit rounded text-xs text-ink-3 hover:text-ink">Arguments, as JSON Schema</summary>
            <div className="mt-2 rounded-lg border border-line bg-sunken p-3">
              <JsonView value={type.args} depthOpen={3} />
            </div>
          </details>
        )}
      </div>
      <Button onClick={() => openNewAgent(type.name)} className="self-start justify-self-start">
        <Plus className="size-3.5" />
        New {type.name}
      </Button>
    </li>
  )
}

function Loading(): ReactNode {
  return (
    <div aria-busy aria-label="Loading the types">
      {[0, 1, 2].map((row) => (
        <div key={row} className="flex flex-col gap-2 border-t border-line py-5">
          <Skeleton className="w-32" />
          <Skeleton className="w-72" />
        </div>
      ))}
    </div>
  )
}
