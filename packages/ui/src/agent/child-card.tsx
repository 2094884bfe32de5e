import type { ChildRow } from "@rouse/protocol"
import { CornerDownRight } from "lucide-react"
import type { ReactNode } from "react"
import { StatusGlyph } from "../components/status-glyph.tsx"
import { Ago } from "../components/times.tsx"
import { CHILD_STATUS } from "../core/agent-status.ts"
import { EntityLink } from "./entity-link.tsx"

/** A child that it made: a way there, and how it is. */
export function ChildCard({ row }: { readonly row: ChildRow }): ReactNode {
  return (
    <div className="flex min-h-10 items-center gap-2 rounded-lg border border-line px-3.5 text-sm">
      <CornerDownRight aria-hidden className="size-3.5 shrink-0 text-ink-3" />
      <span className="shrink-0 text-ink-3">spawned</span>
      <EntityLink url={row.url} className="font-medium" />
      <span className="ml-auto inline-flex shrink-0 items-center gap-1.5 text-xs text-ink-3">
        <StatusGlyph status={CHILD_STATUS[row.status]} className="size-3" />
        {row.status}
        <Ago at={row.at} className="ml-2" />
      </span>
    </div>
  )
}
