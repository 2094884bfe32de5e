import { useNavigate, useParams } from "@tanstack/react-router"
import { SearchX } from "lucide-react"
import { useEffect, useState } from "react"
import type { ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { useMedia } from "../components/media.ts"
import { codeOf, sentenceOf } from "../core/errors.ts"
import { useAgent } from "../data/app.tsx"
import type { AgentState } from "../data/agent.ts"
import { preferences } from "../data/preferences.ts"
import { useSelected, useStore } from "../data/store.ts"
import { useShortcuts } from "../shell/shortcuts.ts"
import { AgentHeader } from "./agent-header.tsx"
import { Composer } from "./composer.tsx"
import { LogPanel } from "./log-panel.tsx"
import { ScreenTabs, TAB_PANEL } from "./screen-tabs.tsx"
import type { Tab } from "./screen-tabs.tsx"
import { TimelineView } from "./timeline-view.tsx"

/** From this width on the log is beside the timeline; below, one of them is shown. */
const BESIDE = "(min-width: 1100px)"

/** One agent: what it is doing, all that happened, the log it is made of, and a way to speak to it. */
export function AgentScreen(): ReactNode {
  const { type, id } = useParams({ from: "/agents/agents/$type/$id" })
  return <Screen key={`/${type}/${id}`} url={`/${type}/${id}`} />
}

function Screen({ url }: { readonly url: string }): ReactNode {
  const state = useStore(useAgent(url))
  const beside = useMedia(BESIDE)
  const logOpen = useSelected(preferences, (value) => value.logOpen)
  const [tab, setTab] = useState<Tab>("timeline")
  useTitle(url)
  useLeaving()
  if (state.phase === "failed") return <Failed state={state} />
  const showLog = beside ? logOpen : tab === "log"
  return (
    <div className="flex h-full min-w-0">
      <div className="flex min-w-0 flex-1 flex-col bg-surface">
        <AgentHeader state={state} beside={beside} />
        {!beside && <ScreenTabs tab={tab} setTab={setTab} events={state.log.at(-1)?.n ?? 0} />}
        <div
          id={TAB_PANEL}
          {...(!beside && { role: "tabpanel", "aria-label": tab })}
          className="flex min-h-0 flex-1 flex-col"
        >
          {showLog && !beside ? (
            <LogPanel state={state} titled={false} />
          ) : (
            <>
              {state.error !== undefined && <Unread error={state.error} />}
              <TimelineView state={state} />
              <Composer state={state} />
            </>
          )}
        </div>
      </div>
      {showLog && beside && (
        <aside aria-label="Log" className="flex w-[clamp(20rem,29vw,36rem)] shrink-0 flex-col border-l border-line">
          <LogPanel state={state} titled />
        </aside>
      )}
    </div>
  )
}

/** The log was being read, and can be no more. */
function Unread({ error }: { readonly error: unknown }): ReactNode {
  return (
    <p role="alert" className="border-b border-danger-line bg-danger-soft px-4 py-1.5 text-xs text-danger">
      What follows is not shown. {sentenceOf(error)}
    </p>
  )
}

function Failed({ state }: { readonly state: AgentState }): ReactNode {
  const navigate = useNavigate()
  const missing = codeOf(state.error) === "UNKNOWN_ENTITY" || codeOf(state.error) === "UNKNOWN_STREAM"
  return (
    <div className="grid h-full place-items-center bg-surface">
      <EmptyState
        icon={<SearchX className="size-6" />}
        title={missing ? `There is no agent at ${state.url}` : "This agent could not be read"}
        action={
          <>
            <Button onClick={() => void navigate({ to: "/" }).catch(console.error)}>All agents</Button>
            {!missing && <Button onClick={() => location.reload()}>Try again</Button>}
          </>
        }
      >
        {missing ? "It was never made, or its log was purged." : sentenceOf(state.error)}
      </EmptyState>
    </div>
  )
}

function useTitle(url: string): void {
  useEffect(() => {
    document.title = `${url} · Rouse`
    return () => {
      document.title = "Rouse"
    }
  }, [url])
}

/** Escape goes back to the list. */
function useLeaving(): void {
  const navigate = useNavigate()
  useShortcuts({ Escape: () => void navigate({ to: "/" }).catch(console.error) })
}
