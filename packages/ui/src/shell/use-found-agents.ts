import type { EntitySummary } from "@rouse/protocol"
import { useEffect, useState } from "react"
import { matchesText } from "../core/agents-list.ts"
import { useApp } from "../data/app.tsx"
import { useStore } from "../data/store.ts"

const SHOWN = 8
const SETTLE_MS = 120

/** Agents that a text finds: at once among those that are loaded, and a moment later among all. */
export function useFoundAgents(text: string): readonly EntitySummary[] {
  const { client, agents } = useApp()
  const { sorted } = useStore(agents)
  const [found, setFound] = useState<{ readonly text: string; readonly agents: readonly EntitySummary[] }>()
  const words = text.trim()
  useEffect(() => {
    if (words === "") return undefined
    const given = new AbortController()
    const timer = setTimeout(() => {
      client.list({ text: words, limit: SHOWN }, { signal: given.signal }).then(
        ({ entities }) => setFound({ text: words, agents: entities }),
        (error: unknown) => given.signal.aborted || console.warn("The agents could not be searched.", error),
      )
    }, SETTLE_MS)
    return () => {
      clearTimeout(timer)
      given.abort()
    }
  }, [client, words])
  const here = sorted.filter((agent) => matchesText(agent, words)).slice(0, SHOWN)
  const there = found?.text === words ? found.agents : []
  const known = new Set(here.map(({ url }) => url))
  return [...here, ...there.filter(({ url }) => !known.has(url))].slice(0, SHOWN)
}
