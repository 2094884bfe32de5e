import { Tabs } from "radix-ui"
import type { ReactNode } from "react"
import { compact } from "../core/number.ts"

export type Tab = "timeline" | "log"

/** Timeline or log, where there is no room for both. */
export function ScreenTabs(props: { readonly tab: Tab; readonly setTab: (tab: Tab) => void; readonly events: number }): ReactNode {
  return (
    <Tabs.Root value={props.tab} onValueChange={(tab) => props.setTab(tab as Tab)}>
      <Tabs.List aria-label="What to show" className="flex gap-4 border-b border-line px-4">
        <Tabs.Trigger value="timeline" className={TAB}>
          Timeline
        </Tabs.Trigger>
        <Tabs.Trigger value="log" className={TAB}>
          Log <span className="font-normal text-ink-3">{compact(props.events)}</span>
        </Tabs.Trigger>
      </Tabs.List>
    </Tabs.Root>
  )
}

const TAB =
  "-mb-px h-9 border-b-2 border-transparent text-sm font-medium text-ink-3 -outline-offset-2 data-[state=active]:border-ink data-[state=active]:text-ink"
