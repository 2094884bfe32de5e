import type { EntityQuery, EntitySummary } from "@rouse/protocol"
import { RouseError } from "@rouse/protocol"
import type { Client } from "../client-type.ts"
import type { AgentList, MoreEvent } from "../core/agent-list.ts"
import { applyListEvents } from "../core/agent-list.ts"
import type { WatchEvent } from "../lists.ts"
import type { Transport } from "../transport.ts"
import { perFrame } from "./frame.ts"
import { createStore } from "./store.ts"
import type { LiveStore } from "./watched.ts"
import { watched } from "./watched.ts"

/** A list of agents. */
export interface AgentsState {
  readonly phase: "loading" | "live" | "failed"
  readonly connected: boolean
  /** Newest activity first. */
  readonly agents: readonly EntitySummary[]
  /** There are more: `more` reads them. */
  readonly hasMore: boolean
  readonly loadingMore: boolean
  readonly error?: RouseError
}

export interface AgentsStore extends LiveStore<AgentsState> {
  /** Reads the next page. Does nothing when there is none, or it is being read. */
  readonly more: () => Promise<void>
}

/** Keeps the agents that match a query while anybody is subscribed. */
export function createAgentsStore(
  client: Client,
  transport: Transport,
  query: Omit<EntityQuery, "after">,
): AgentsStore {
  const store = createStore<AgentsState>({
    phase: "loading",
    connected: true,
    agents: [],
    hasMore: false,
    loadingMore: false,
  })
  let list: AgentList = { agents: [] }

  function apply(events: readonly (WatchEvent | MoreEvent)[]): void {
    list = applyListEvents(list, events)
    const { agents, next } = list
    store.update(({ error: _error, ...state }) => ({
      ...state,
      phase: "live",
      connected: true,
      agents,
      hasMore: next !== undefined,
    }))
  }

  function failed(error: unknown, again: boolean): void {
    const known = RouseError.is(error) ? error : new RouseError("INTERNAL", String(error), { cause: error })
    store.update((state) => ({ ...state, connected: false, ...(!again && { phase: "failed", error: known }) }))
  }

  async function run(signal: AbortSignal, progress: () => void): Promise<void> {
    const push = perFrame<WatchEvent>(transport.clock, signal, apply)
    const onInterrupted = (error: unknown): void => failed(error, true)
    for await (const event of client.watch(query, { signal, onInterrupted })) {
      progress()
      push(event)
    }
  }

  return {
    ...watched(store, transport, run, failed),
    more: async () => {
      const { next } = list
      if (next === undefined || store.get().loadingMore) return
      store.update((state) => ({ ...state, loadingMore: true }))
      try {
        apply([{ kind: "more", page: await client.list({ ...query, after: next }) }])
      } catch (error) {
        failed(error, true)
      } finally {
        store.update((state) => ({ ...state, loadingMore: false }))
      }
    },
  }
}
