import { createClient } from "@rouse/client"
import type { Client } from "@rouse/client"
import type { EntityUrl, ServerInfo } from "@rouse/protocol"
import { createContext, use, useEffect, useState } from "react"
import type { ReactNode } from "react"
import { createAgent } from "./agent.ts"
import type { Agent } from "./agent.ts"
import { createAgents } from "./agents.ts"
import type { Agents } from "./agents.ts"
import { watchConnection } from "./connection.ts"
import type { Connection } from "./connection.ts"
import { keepLive } from "./retrying.ts"
import { createStore } from "./store.ts"
import type { Readable } from "./store.ts"

/** Everything the page knows, for one server and one token. */
export interface App {
  readonly client: Client
  readonly connection: Readable<Connection>
  /** Undefined until the server has told. */
  readonly info: Readable<ServerInfo | undefined>
  readonly agents: Agents
  /** The same object for the same address, while it is one of the last few that were asked for. */
  agent(url: EntityUrl): Agent
  close(): void
}

/** How many agents are remembered, so that going back to one shows it at once. */
const AGENTS_KEPT_MAX = 6

export function createApp(url: string, token: string | undefined): App {
  const connection = watchConnection((input, init) => fetch(input, init))
  const client = createClient({ url, fetch: connection.fetch, ...(token !== undefined && { token }) })
  const info = createStore<ServerInfo | undefined>(undefined)
  const closing = new AbortController()
  const kept = new Map<EntityUrl, Agent>()
  const agents = createAgents(client)
  readInfo(client, info.set, closing.signal)
  return {
    client,
    connection: connection.state,
    info,
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

/** Asks until the server has answered once; a reload brings types that were defined since. */
function readInfo(client: Client, tell: (info: ServerInfo) => void, signal: AbortSignal): void {
  const done = new AbortController()
  const read = async (): Promise<void> => {
    tell(await client.info({ signal }))
    done.abort()
  }
  keepLive(read, () => undefined, AbortSignal.any([signal, done.signal])).catch((error: unknown) => {
    console.error("The server's facts could not be read.", error)
  })
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

/** The agent at an address, read while the component is there. */
export function useAgent(url: EntityUrl): Agent {
  const agent = useApp().agent(url)
  useEffect(() => {
    agent.open()
    return () => agent.close()
  }, [agent])
  return agent
}
