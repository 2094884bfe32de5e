"use client"

import type { EntityUrl } from "@rouse/protocol"
import { useMemo } from "react"
import type { AgentState } from "../live/agent-state.ts"
import type { AgentActions, AgentOptions } from "../live/agent-store.ts"
import { useLive } from "./provider.ts"
import { useStore } from "./use-store.ts"

export interface AgentView extends AgentState, AgentActions {}

/**
 * One agent, live: what happened, what it is doing, its rows, and what may be done to it. All hooks on one agent share a connection.
 *
 * @param options Those of the first hook on the agent count.
 * @example
 * const { items, activity, send } = useAgent("/support/ann", { spawn: { args: { customer: "ann" } } })
 */
export function useAgent(url: EntityUrl, options?: AgentOptions): AgentView {
  const store = useLive().agent(url, options)
  const state = useStore(store)
  return useMemo(() => {
    const { send, resend, discard, decide, answer, signal, fork } = store
    return { ...state, send, resend, discard, decide, answer, signal, fork }
  }, [store, state])
}
