"use client"

import type { EntityQuery } from "@rouse/protocol"
import { useMemo } from "react"
import type { AgentsState, AgentsStore } from "../live/agents-store.ts"
import { useLive } from "./provider.ts"
import { useStore } from "./use-store.ts"

export interface AgentsView extends AgentsState, Pick<AgentsStore, "more"> {}

/** The agents that match, live, newest activity first. Queries that ask for the same share a connection. */
export function useAgents(query?: Omit<EntityQuery, "after">): AgentsView {
  const store = useLive().agents(query)
  const state = useStore(store)
  return useMemo(() => ({ ...state, more: store.more }), [store, state])
}
