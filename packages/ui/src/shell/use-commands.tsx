import { useNavigate, useParams } from "@tanstack/react-router"
import { Bookmark, CirclePause, CirclePlay, Eye, Hand, Moon, PanelRight, Plus, RotateCcw, Sun } from "lucide-react"
import type { ReactNode } from "react"
import { StatusGlyph } from "../components/status-glyph.tsx"
import { COMMON_VIEWS } from "../core/list-filter.ts"
import { AGENT_VIEWS } from "../core/searches.ts"
import { useAction } from "../data/action.ts"
import { useApp } from "../data/app.tsx"
import { chooseTheme, preferences, toggleLog } from "../data/preferences.ts"
import { useStore } from "../data/store.ts"
import { openNewAgent } from "./overlays.ts"
import { PLACES } from "./places.ts"
import { useFoundAgents } from "./use-found-agents.ts"

export interface Command {
  readonly id: string
  readonly label: string
  readonly icon: ReactNode
  /** Leaves the palette to another overlay. */
  readonly stays?: boolean
  readonly run: () => void
}

const ICON = "size-4 text-ink-3"

/** What a text finds: agents, what can be done to the one that is open, places, views, and the page's own matters. */
export function useCommands(text: string): readonly Command[] {
  const navigate = useNavigate()
  const go = (to: string) => (): void => void navigate({ to }).catch(console.error)
  const agents = useFoundAgents(text).map((agent): Command => ({
    id: agent.url,
    label: agent.url,
    icon: <StatusGlyph status={agent.status} />,
    run: go(`/agents${agent.url}`),
  }))
  const others: readonly Command[] = [
    ...useAgentCommands(),
    { id: "new", label: "New agent", icon: <Plus className={ICON} />, stays: true, run: () => openNewAgent() },
    ...PLACES.map(({ to, label, icon: Icon }) => ({
      id: to.slice(1) || "agents",
      label: to === "/" ? "All agents" : label,
      icon: <Icon className={ICON} />,
      run: go(to),
    })),
    ...useViewCommands(),
    { id: "log", label: "Show or hide the log", icon: <PanelRight className={ICON} />, run: () => toggleLog() },
    { id: "light", label: "Light theme", icon: <Sun className={ICON} />, run: () => chooseTheme("light") },
    { id: "dark", label: "Dark theme", icon: <Moon className={ICON} />, run: () => chooseTheme("dark") },
  ]
  const words = text.toLowerCase()
  return [...agents, ...others.filter(({ label }) => label.toLowerCase().includes(words))]
}

/** What can be seen of, and done to, the agent that is open. */
function useAgentCommands(): readonly Command[] {
  const { client } = useApp()
  const { act } = useAction()
  const navigate = useNavigate()
  const { type, id } = useParams({ strict: false })
  if (type === undefined || id === undefined) return []
  const url = `/${type}/${id}`
  const done = (label: string, icon: ReactNode, work: () => Promise<unknown>): Command => ({
    id: label,
    label: `${label} ${url}`,
    icon,
    run: () => void act(work),
  })
  return [
    ...AGENT_VIEWS.map((view) => ({
      id: `view-${view}`,
      label: `Its ${view}`,
      icon: <Eye className={ICON} />,
      run: () =>
        void navigate({ to: "/agents/$type/$id", params: { type, id }, search: { view } }).catch(console.error),
    })),
    done("Interrupt", <Hand className={ICON} />, () => client.signal(url, "interrupt")),
    done("Pause", <CirclePause className={ICON} />, () => client.signal(url, "pause")),
    done("Resume", <CirclePlay className={ICON} />, () => client.signal(url, "resume")),
    done("Retry the dead messages of", <RotateCcw className={ICON} />, () => client.retry(url)),
  ]
}

function useViewCommands(): readonly Command[] {
  const { agents } = useApp()
  const navigate = useNavigate()
  const { views } = useStore(preferences)
  return [...COMMON_VIEWS.slice(1), ...views].map(({ name, filter }) => ({
    id: `view ${name}`,
    label: `Agents: ${name}`,
    icon: <Bookmark className={ICON} />,
    run: () => {
      agents.setFilter(filter)
      navigate({ to: "/", search: filter }).catch(console.error)
    },
  }))
}
