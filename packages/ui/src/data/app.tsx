import { createClient } from "@rouse/client"
import type { Client } from "@rouse/client"
import type { EntityUrl, ServerInfo, TypeInfo } from "@rouse/protocol"
import { createContext, use, useEffect, useState } from "react"
import type { ReactNode } from "react"
import { createAgent } from "./agent.ts"
import type { Agent } from "./agent.ts"
import { createAgents } from "./agents.ts"
import type { Agents } from "./agents.ts"
import { watchConnection } from "./connection.ts"
import type { Connection } from "./connection.ts"
import { keepLive } from "./retrying.ts"
import { createStore, useSelected } from "./store.ts"
import type { Readable } from "./store.ts"
import { lookedAt } from "./visibility.ts"

/** What the server says of itself and its types. */
interface Info extends Readable<ServerInfo | undefined> {
  readonly reload: () => void
}

/** Everything the page knows, for one server and one token. */
export interface App {
  readonly client: Client
  readonly connection: Readable<Connection>
  /** Undefined until the server has told. */
  readonly info: Info
  readonly agents: Agents
  /** The same object for the same address, while it is one of the last few that were asked for. */
  agent(url: EntityUrl): Agent
  close(): void
}

/** How many agents are remembered, so that going back to one shows it at once. */
const AGENTS_KEPT_MAX = 6

function createApp(url: string, token: string | undefined): App {
  const connection = watchConnection((input, init) => fetch(input, init))
  const client = createClient({ url, fetch: connection.fetch, ...(token !== undefined && { token }) })
  const closing = new AbortController()
  const kept = new Map<EntityUrl, Agent>()
  const agents = createAgents(client)
  return {
    client,
    connection: connection.state,
    info: createInfo(client, closing.signal),
    agents,
    agent: (address) => keep(kept, address, () => createAgent(client, address)),
    close: () => {
      closing.abort()
      agents.close()
      connection.close()
      for (const agent of kept.values()) agent.close()
    },
  }
}

/** The server's facts: asked for until it has answered, and again when a person comes back or wants the newest. */
function createInfo(client: Client, signal: AbortSignal): Info {
  const store = createStore<ServerInfo | undefined>(undefined)
  let asking = new AbortController()
  const reload = (): void => {
    asking.abort()
    const { signal: done } = (asking = new AbortController())
    const ask = asking
    const run = async (inner: AbortSignal): Promise<void> => {
      store.set(await client.info({ signal: inner }))
      ask.abort()
    }
    keepLive({ run, failed: () => undefined, signal: AbortSignal.any([signal, done]), wanted: lookedAt }).catch(
      (error: unknown) => console.error("The server's facts could not be read.", error),
    )
  }
  const unsubscribe = lookedAt.subscribe(() => lookedAt.get() && reload())
  signal.addEventListener("abort", unsubscribe)
  reload()
  return { get: store.get, subscribe: store.subscribe, reload }
}

function keep(kept: Map<EntityUrl, Agent>, url: EntityUrl, make: () => Agent): Agent {
  const agent = kept.get(url) ?? make()
  kept.delete(url)
  kept.set(url, agent)
  for (const oldest of kept.keys()) {
    if (kept.size <= AGENTS_KEPT_MAX) break
    kept.get(oldest)?.close()
    kept.delete(oldest)
  }
  return agent
}

const AppContext = createContext<App | undefined>(undefined)

/** Gives the page its data; a new token makes it anew. */
export function AppProvider(props: {
  readonly url: string
  readonly token: string | undefined
  readonly children: ReactNode
}): ReactNode {
  const [app, setApp] = useState<App>()
  useEffect(() => {
    const made = createApp(props.url, props.token)
    setApp(made)
    return () => made.close()
  }, [props.url, props.token])
  return app && <AppContext value={app}>{props.children}</AppContext>
}

export function useApp(): App {
  const app = use(AppContext)
  if (!app) throw new Error("useApp outside AppProvider")
  return app
}

/** The types that the server knows, asked for anew when the component is there: a reload may have brought some. */
export function useTypes(): readonly TypeInfo[] | undefined {
  const { info } = useApp()
  useEffect(info.reload, [info])
  return useSelected(info, (value) => value?.types)
}

/** The agent at an address, read while the component is there. */
export function useAgent(url: EntityUrl): Agent {
  const agent = useApp().agent(url)
  useEffect(() => {
    agent.open()
    return () => agent.close()
  }, [agent])
  return agent
}
