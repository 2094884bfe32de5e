import type { EntitySummary } from "@rouse/protocol"
import { Link } from "@tanstack/react-router"
import { memo } from "react"
import type { ReactNode } from "react"
import { Badge } from "../components/badge.tsx"
import { cn } from "../components/class-names.ts"
import { StatusGlyph } from "../components/status-glyph.tsx"
import { Ago } from "../components/times.tsx"
import { filterIn } from "../core/list-filter.ts"
import { STATUSES } from "../core/status.ts"

export const ROW_PX = 50
const TAGS_SHOWN = 2

/** One agent of the list: what it is, how it is, and when it last did something. */
export const AgentRow: (props: { readonly agent: EntitySummary; readonly open: boolean }) => ReactNode = memo(
  function AgentRow({ agent, open }) {
    const tags = Object.entries(agent.tags)
    const shown = agent.reason === undefined ? tags.slice(0, TAGS_SHOWN) : []
    return (
      <Link
        to="/agents/$type/$id"
        params={{ type: agent.type, id: agent.id }}
        search={filterIn}
        data-agent-row={agent.url}
        aria-current={open ? "page" : undefined}
        className={cn(
          "grid h-full grid-cols-[auto_minmax(0,1fr)_auto] content-center items-center gap-x-2.5 gap-y-px rounded-md px-2.5 -outline-offset-2",
          open ? "bg-selected" : "hover:bg-hover",
        )}
      >
        <StatusGlyph status={agent.status} />
        <span className="truncate text-sm leading-[1.125rem]">
          <span className="text-ink-3">{agent.type}/</span>
          <span className="font-medium text-ink">{agent.id}</span>
        </span>
        <Ago at={agent.activeAt} className="text-xs text-ink-3" />
        <span className="col-span-2 col-start-2 flex h-4.5 min-w-0 items-center gap-1.5 text-xs text-ink-3">
          <span className="shrink-0">{STATUSES[agent.status].label}</span>
          {agent.reason !== undefined && <span className="truncate">{agent.reason}</span>}
          {shown.map(([name, value]) => (
            <span
              key={name}
              className="max-w-32 truncate rounded bg-sunken px-1 text-2xs leading-4"
              title={`${name}=${value}`}
            >
              {value === "" || value === "true" ? name : value}
            </span>
          ))}
          {tags.length > shown.length && shown.length > 0 && (
            <span className="text-2xs">+{tags.length - shown.length}</span>
          )}
          {agent.pending > 0 && (
            <Badge tone="accent" className="ml-auto" title="Messages accepted and not yet settled">
              {agent.pending} pending
            </Badge>
          )}
        </span>
      </Link>
    )
  },
)
