"use client"

export { RouseProvider, useClient } from "./react/provider.ts"
export type { RouseProviderProps } from "./react/provider.ts"
export { useAgent } from "./react/use-agent.ts"
export type { AgentView } from "./react/use-agent.ts"
export { useTimeline } from "./react/use-timeline.ts"
export type { TimelineView } from "./react/use-timeline.ts"
export { useAgents } from "./react/use-agents.ts"
export type { AgentsView } from "./react/use-agents.ts"
export { useApprovals } from "./react/use-approvals.ts"
export type { ApprovalsView } from "./react/use-approvals.ts"
export { useShared } from "./react/use-shared.ts"
export type { SharedView } from "./react/use-shared.ts"
export { typedHooks } from "./react/typed-hooks.ts"
export type {
  TypedAgentsView,
  TypedAgentView,
  TypedApprovalsView,
  TypedHooks,
  TypedSharedView,
} from "./react/typed-hooks.ts"
export type {
  AgentActions,
  AgentOptions,
  AgentState,
  AgentsState,
  ApprovalRef,
  ApprovalsActions,
  ApprovalsState,
  Decision,
  LiveRow,
  OutgoingItem,
  OutgoingOptions,
  RowTables,
  SpaceState,
} from "./live.ts"
