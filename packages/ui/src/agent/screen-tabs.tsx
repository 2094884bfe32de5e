import type { KeyboardEvent, ReactNode } from "react"
import { compact } from "../core/number.ts"

export type Tab = "timeline" | "log"

/** The id of what the tabs show. */
export const TAB_PANEL = "agent-panel"

const TABS: readonly { readonly tab: Tab; readonly label: string }[] = [
  { tab: "timeline", label: "Timeline" },
  { tab: "log", label: "Log" },
]

/** Timeline or log, where there is no room for both. */
export function ScreenTabs(props: {
  readonly tab: Tab
  readonly setTab: (tab: Tab) => void
  readonly events: number
}): ReactNode {
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return
    const other = event.currentTarget.querySelector<HTMLElement>("[aria-selected=false]")
    other?.focus()
    other?.click()
  }
  return (
    <div
      role="tablist"
      aria-label="What to show"
      onKeyDown={onKeyDown}
      className="flex gap-4 border-b border-line px-4"
    >
      {TABS.map(({ tab, label }) => (
        <button
          key={tab}
          type="button"
          role="tab"
          aria-selected={props.tab === tab}
          aria-controls={TAB_PANEL}
          tabIndex={props.tab === tab ? 0 : -1}
          onClick={() => props.setTab(tab)}
          className="-mb-px h-9 border-b-2 border-transparent text-sm font-medium text-ink-3 -outline-offset-2 aria-selected:border-ink aria-selected:text-ink"
        >
          {label}
          {tab === "log" && <span className="pl-1 font-normal text-ink-3">{compact(props.events)}</span>}
        </button>
      ))}
    </div>
  )
}
