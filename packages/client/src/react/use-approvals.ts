"use client"

import type { ApprovalQuery } from "@rouse/protocol"
import { useMemo } from "react"
import type { ApprovalsActions, ApprovalsState } from "../live/approvals-store.ts"
import { useLive } from "./provider.ts"
import { useStore } from "./use-store.ts"

export interface ApprovalsView extends ApprovalsState, ApprovalsActions {}

/** What waits for people, of all agents that match, live. */
export function useApprovals(query?: Omit<ApprovalQuery, "after" | "limit">): ApprovalsView {
  const store = useLive().approvals(query)
  const state = useStore(store)
  return useMemo(() => ({ ...state, decide: store.decide, answer: store.answer }), [store, state])
}
