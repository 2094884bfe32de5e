import { useNavigate } from "@tanstack/react-router"
import { History } from "lucide-react"
import { memo } from "react"
import type { KeyboardEvent, ReactNode } from "react"
import { IconButton } from "../components/button.tsx"
import { cn } from "../components/class-names.ts"
import { compact } from "../core/number.ts"
import { without } from "../core/without.ts"
import type { AgentView } from "../core/searches.ts"
import { useShortcuts } from "../shell/shortcuts.ts"

/** The id of what the tabs show. */
export const TAB_PANEL = "agent-panel"

const TABS: readonly { readonly view: AgentView; readonly label: string }[] = [
  { view: "timeline", label: "Timeline" },
  { view: "state", label: "State" },
  { view: "tree", label: "Tree" },
  { view: "compare", label: "Compare" },
  { view: "log", label: "Log" },
]

/** What of the agent is shown. The log is among it where there is no room for it beside. */
export const ScreenTabs: (props: {
  readonly view: AgentView
  readonly beside: boolean
  /** Of the log, where it is among the tabs. */
  readonly events: number
  readonly past: boolean
  /** Into the past and out of it. */
  readonly travel: () => void
}) => ReactNode = memo(function ScreenTabs(props) {
  const navigate = useNavigate()
  const tabs = TABS.filter(({ view }) => !(props.beside && view === "log"))
  const show = (view: AgentView): void =>
    void navigate({
      to: ".",
      search: (before: { readonly view?: AgentView }) =>
        view === "timeline" ? without(before, "view") : { ...before, view },
      replace: true,
    }).catch(console.error)
  useShortcuts({
    h: props.travel,
    ...Object.fromEntries(tabs.map(({ view }, index) => [String(index + 1), () => show(view)])),
  })
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    const at = tabs.findIndex(({ view }) => view === props.view)
    const next = by === undefined ? undefined : tabs[(at + by + tabs.length) % tabs.length]
    if (!next) return
    show(next.view)
    event.currentTarget.querySelector<HTMLElement>(`[data-tab=${next.view}]`)?.focus()
  }
  return (
    <div className="flex shrink-0 items-center gap-2 border-b border-line pr-2 pl-4">
      <div
        role="tablist"
        aria-label="What to show"
        onKeyDown={onKeyDown}
        className="flex min-w-0 gap-4 overflow-x-auto [scrollbar-width:none]"
      >
        {tabs.map(({ view, label }) => (
          <button
            key={view}
            type="button"
            role="tab"
            data-tab={view}
            aria-selected={props.view === view}
            aria-controls={TAB_PANEL}
            tabIndex={props.view === view ? 0 : -1}
            onClick={() => show(view)}
            className="h-9 shrink-0 border-b-2 border-transparent text-sm font-medium text-ink-3 -outline-offset-2 aria-selected:border-ink aria-selected:text-ink"
          >
            {label}
            {view === "log" && <span className="pl-1 font-normal text-ink-3">{compact(props.events)}</span>}
          </button>
        ))}
      </div>
      <IconButton
        label={props.past ? "Back to now" : "Go back in time"}
        keys={["h"]}
        aria-pressed={props.past}
        onClick={props.travel}
        className={cn("ml-auto", props.past && "bg-attention-soft text-attention")}
      >
        <History className="size-4" />
      </IconButton>
    </div>
  )
})
