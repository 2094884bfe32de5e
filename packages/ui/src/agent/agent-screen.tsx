import { useNavigate, useParams, useSearch } from "@tanstack/react-router"
import { SearchX } from "lucide-react"
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from "react"
import type { ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { useMedia } from "../components/media.ts"
import { codeOf, sentenceOf } from "../core/errors.ts"
import type { AgentView } from "../core/searches.ts"
import { standingOf } from "../core/standing.ts"
import type { Standing } from "../core/standing.ts"
import { useAgent } from "../data/app.tsx"
import type { Agent, AgentState } from "../data/agent.ts"
import { IsPast } from "../data/is-past.ts"
import { usePast } from "../data/past.ts"
import type { Past } from "../data/past.ts"
import { preferences } from "../data/preferences.ts"
import { useSelected, useStore } from "../data/store.ts"
import { useShortcuts } from "../shell/shortcuts.ts"
import { AgentHeader } from "./agent-header.tsx"
import { Composer } from "./composer.tsx"
import { LogPanel } from "./log-panel.tsx"
import { CompareView } from "./compare-view.tsx"
import { ScreenTabs, TAB_PANEL } from "./screen-tabs.tsx"
import { StateView } from "./state-view.tsx"
import { TimeBar, useGoTo } from "./time-bar.tsx"
import { TimelineView } from "./timeline-view.tsx"

const TreeView = lazy(() => import("./tree-view.tsx"))
const ForkDialog = lazy(() => import("./fork-dialog.tsx"))

/** From this width on the log is beside the timeline; below, one of them is shown. */
const BESIDE = "(min-width: 1100px)"

/** One agent: what it is doing, all that happened, the log it is made of, and a way to speak to it. */
export function AgentScreen(): ReactNode {
  const { type, id } = useParams({ from: "/agents/agents/$type/$id" })
  return <Screen key={`/${type}/${id}`} url={`/${type}/${id}`} />
}

function Screen({ url }: { readonly url: string }): ReactNode {
  const agent = useAgent(url)
  const live = useStore(agent)
  const { view: asked = "timeline", at } = useSearch({ from: "/agents/agents/$type/$id" })
  const seen = usePast(url, at)
  const beside = useMedia(BESIDE)
  const logOpen = useSelected(preferences, (value) => value.logOpen)
  const [forking, setForking] = useState(false)
  const fork = useCallback(() => setForking(true), [])
  useTitle(url)
  useLeaving(at)
  const travel = useTravel(live.offset, at)
  if (live.phase === "failed") return <Failed state={live} />
  const view = asked === "log" && beside ? "timeline" : asked
  const { past } = seen
  const standing = standingOf(url, live.timeline, live.phase === "loading")
  const state: AgentState = past ? { ...live, timeline: past.timeline } : live
  return (
    <IsPast value={at !== undefined}>
      <div className="flex h-full min-w-0">
        <div className="flex min-w-0 flex-1 flex-col bg-surface">
          <AgentHeader state={state} standing={standing} past={at !== undefined} beside={beside} fork={fork} />
          <ScreenTabs
            view={view}
            beside={beside}
            events={beside ? 0 : live.log.length}
            past={at !== undefined}
            travel={travel}
          />
          {at !== undefined && <TimeBar state={live} at={at} seen={seen} fork={fork} loadEarlier={agent.loadEarlier} />}
          <div id={TAB_PANEL} role="tabpanel" aria-label={view} className="flex min-h-0 flex-1 flex-col">
            <Panel {...{ view, agent, live, standing, state, past, at }} />
          </div>
        </div>
        {beside && logOpen && (
          <aside aria-label="Log" className="flex w-[clamp(20rem,29vw,36rem)] shrink-0 flex-col border-l border-line">
            <LogPanel state={live} at={at} titled loadEarlier={agent.loadEarlier} />
          </aside>
        )}
      </div>
      <Suspense>{forking && <ForkDialog url={url} at={at} close={() => setForking(false)} />}</Suspense>
    </IsPast>
  )
}

function Panel(props: {
  readonly view: AgentView
  readonly agent: Agent
  /** As it is now. */
  readonly live: AgentState
  readonly standing: Standing
  /** As the page shows it. */
  readonly state: AgentState
  readonly past: Past | undefined
  readonly at: string | undefined
}): ReactNode {
  const { view, agent, live, standing, state, past, at } = props
  if (view === "log") return <LogPanel state={live} at={at} titled={false} loadEarlier={agent.loadEarlier} />
  if (view === "state") return <StateView state={live} past={past} />
  if (view === "tree") return <Suspense>{<TreeView url={state.url} />}</Suspense>
  if (view === "compare") return <CompareView state={state} />
  return (
    <>
      {live.error !== undefined && <Unread error={live.error} />}
      <TimelineView state={state} />
      {at === undefined && <Composer {...standing} />}
    </>
  )
}

/** Into the past, to where it is now, and out again. The same function while the log grows. */
function useTravel(offset: string | undefined, at: string | undefined): () => void {
  const go = useGoTo()
  const end = useRef(offset)
  useEffect(() => {
    end.current = offset
  }, [offset])
  return useCallback(() => go(at === undefined ? end.current : undefined), [go, at])
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

/** Escape comes back to now, and then to the list. */
function useLeaving(at: string | undefined): void {
  const navigate = useNavigate()
  const go = useGoTo()
  useShortcuts({ Escape: () => (at === undefined ? void navigate({ to: "/" }).catch(console.error) : go(undefined)) })
}
