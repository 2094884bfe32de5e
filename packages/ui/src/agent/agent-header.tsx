import { statusOf, usageOf } from "@rouse/client"
import type { ChildRow } from "@rouse/protocol"
import { Link, useNavigate } from "@tanstack/react-router"
import { ArrowLeft, ChevronDown, CornerLeftUp, GitFork, PanelRight } from "lucide-react"
import { DropdownMenu } from "radix-ui"
import { useMemo } from "react"
import type { ReactNode } from "react"
import { IconButton } from "../components/button.tsx"
import { cn } from "../components/class-names.ts"
import { CopyButton } from "../components/copy-button.tsx"
import { MENU, MENU_ITEM } from "../components/menu.ts"
import { Skeleton } from "../components/skeleton.tsx"
import { StatusGlyph, StatusLabel } from "../components/status-glyph.tsx"
import { Ago } from "../components/times.tsx"
import { CHILD_STATUS, statusOfActivity } from "../core/agent-status.ts"
import { compact, grouped } from "../core/number.ts"
import type { Standing } from "../core/standing.ts"
import type { AgentState } from "../data/agent.ts"
import { preferences, toggleLog } from "../data/preferences.ts"
import { useSelected } from "../data/store.ts"
import { AgentActions } from "./agent-actions.tsx"
import { EntityLink } from "./entity-link.tsx"

/** Who it is and what it is doing now. Its height is the same whatever is known yet. */
export function AgentHeader(props: {
  readonly state: AgentState
  /** As it is now. */
  readonly standing: Standing
  /** It is shown as it was. */
  readonly past: boolean
  readonly beside: boolean
  readonly fork: () => void
}): ReactNode {
  const { state, past, beside, fork } = props
  const logOpen = useSelected(preferences, (value) => value.logOpen)
  const [, type, id] = state.url.split("/")
  return (
    <header className="shrink-0 border-b border-line">
      <div className="flex h-12 items-center gap-1.5 pr-2.5 pl-2 md:pl-4">
        <Link
          to="/"
          aria-label="Back to the agents"
          className="control inline-flex aspect-square items-center justify-center rounded-md text-ink-2 hover:bg-hover md:hidden"
        >
          <ArrowLeft className="size-4.5" />
        </Link>
        <h1 className="min-w-0 truncate text-base tracking-tight">
          <span className="text-ink-3">/{type}/</span>
          <span className="font-semibold">{id}</span>
        </h1>
        <CopyButton label="Copy the address" text={() => state.url} className="max-md:hidden" />
        <div className="ml-auto flex shrink-0 items-center gap-1.5">
          {!past && <AgentActions {...props.standing} fork={fork} />}
          {beside && (
            <IconButton
              label={logOpen ? "Hide the log" : "Show the log"}
              keys={["l"]}
              aria-pressed={logOpen}
              onClick={() => toggleLog()}
              className={cn(logOpen && "bg-selected text-ink")}
            >
              <PanelRight className="size-4" />
            </IconButton>
          )}
        </div>
      </div>
      <Facts state={state} />
    </header>
  )
}

function Facts({ state }: { readonly state: AgentState }): ReactNode {
  const { timeline, detail, phase } = state
  const usage = useMemo(() => usageOf(timeline), [timeline])
  const parent = timeline.entity?.parent ?? detail?.parent
  const createdAt = timeline.entity?.createdAt ?? detail?.createdAt
  const tags = Object.entries(phase === "live" ? timeline.tags : (detail?.tags ?? {}))
  const children = Object.values(timeline.children)
  return (
    <div
      role="group"
      aria-label="About it"
      tabIndex={0}
      className="flex h-8 items-center gap-x-4 overflow-x-auto px-4 pb-1.5 text-xs whitespace-nowrap text-ink-3 -outline-offset-2 [scrollbar-width:none]"
    >
      <Now state={state} />
      {parent !== undefined && parent !== null && (
        <span className="inline-flex items-center gap-1">
          <CornerLeftUp aria-label="Parent" className="size-3" />
          <EntityLink url={parent} />
        </span>
      )}
      {detail?.forkedFrom && (
        <span className="inline-flex items-center gap-1">
          <GitFork aria-label="Forked from" className="size-3" />
          <EntityLink url={detail.forkedFrom.url} />
        </span>
      )}
      {children.length > 0 && <Children rows={children} />}
      {usage.inputTokens + usage.outputTokens > 0 && (
        <span title="Tokens read and written by the model, over all runs on this log">
          {compact(usage.inputTokens)} in, {compact(usage.outputTokens)} out
        </span>
      )}
      {createdAt !== undefined && (
        <span>
          made <Ago at={createdAt} words />
        </span>
      )}
      {tags.map(([name, value]) => (
        <span key={name} className="max-w-48 shrink-0 truncate rounded bg-sunken px-1.5">
          {name}
          {value !== "" && <span className="text-ink-2"> {value}</span>}
        </span>
      ))}
    </div>
  )
}

/** Its status, and what that is about when there is more to say. */
function Now({ state }: { readonly state: AgentState }): ReactNode {
  const { timeline, phase, detail } = state
  if (phase === "loading") return detail ? <StatusLabel status={detail.status} /> : <Skeleton className="w-16" />
  const activity = statusOf(timeline)
  const status = statusOfActivity(activity)
  const plain = activity.kind === "idle" || activity.kind === status
  return (
    <span role="status" className="inline-flex items-center gap-1.5">
      <StatusLabel status={status} />
      {!plain && <span className="text-sm text-ink-2">{activity.label}</span>}
    </span>
  )
}

/** Its children, as a menu of ways there. */
function Children({ rows }: { readonly rows: readonly ChildRow[] }): ReactNode {
  const navigate = useNavigate()
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className="inline-flex items-center gap-0.5 rounded-sm text-ink-2 hover:text-ink">
        {rows.length === 1 ? "1 child" : `${grouped(rows.length)} children`}
        <ChevronDown aria-hidden className="size-3" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="start" sideOffset={4} className={`${MENU} max-h-80 overflow-auto`}>
          {rows.slice(0, CHILDREN_SHOWN).map(({ url, status }) => (
            <DropdownMenu.Item
              key={url}
              onSelect={() => void navigate({ to: `/agents${url}` }).catch(console.error)}
              className={MENU_ITEM}
            >
              <StatusGlyph status={CHILD_STATUS[status]} />
              {url}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

/** The menu is for a handful; the timeline has them all. */
const CHILDREN_SHOWN = 100
