"use client"

import type { ApprovalQuery, Json, Receipt, WaitingApproval } from "@rouse/protocol"
import type { LiveRow } from "../core/row-tables.ts"
import type { AgentOptions, OutgoingOptions } from "../live/agent-store.ts"
import type { SharedClient } from "../shared.ts"
import type {
  AddressOf,
  Listed,
  MessageOf,
  OwnRowsOf,
  QueryOf,
  SpaceOf,
  SpaceRows,
  SpawnInputOf,
  TypedClient,
  TypeOf,
} from "../typed.ts"
import { useClient } from "./provider.ts"
import type { AgentView } from "./use-agent.ts"
import { useAgent } from "./use-agent.ts"
import type { AgentsView } from "./use-agents.ts"
import { useAgents } from "./use-agents.ts"
import type { ApprovalsView } from "./use-approvals.ts"
import { useApprovals } from "./use-approvals.ts"
import type { SharedView } from "./use-shared.ts"
import { useShared } from "./use-shared.ts"
import type { TimelineView } from "./use-timeline.ts"
import { useTimeline } from "./use-timeline.ts"

/** The hooks as an app has them: addresses are those of its types, and what is sent and read is what its schemas say. */
export interface TypedHooks<App> {
  // Properties, not methods: they are taken out of it, and no `this` is lost thereby.
  readonly useClient: () => TypedClient<App>
  readonly useAgent: <U extends AddressOf<App>>(url: U, options?: TypedAgentOptions<App, U>) => TypedAgentView<App, U>
  readonly useTimeline: (url: AddressOf<App>) => TimelineView
  readonly useAgents: <const Q extends Omit<QueryOf<App>, "after">>(query?: Q) => TypedAgentsView<App, Q>
  readonly useApprovals: (query?: TypedApprovalQuery<App>) => TypedApprovalsView<App>
  /**
   * A collection of a shared space.
   *
   * @param definition The name under which the module exports the space's definition. The compiler reads it, and nobody else.
   */
  readonly useShared: <K extends SpaceOf<App>, C extends keyof SpaceRows<App, K> & string>(
    definition: K,
    id: string,
    collection: C,
  ) => TypedSharedView<App, K, C>
}

interface TypedAgentOptions<App, U> extends Omit<AgentOptions, "spawn"> {
  readonly spawn?: SpawnInputOf<App, U> | undefined
}

/** One agent of an app. */
export interface TypedAgentView<App, U> extends Omit<AgentView, "url" | "rows" | "send"> {
  readonly url: U
  /** The author's rows, by collection: absent until there is one. */
  readonly rows: { readonly [C in keyof OwnRowsOf<App, U>]?: readonly LiveRow<OwnRowsOf<App, U>[C]>[] }
  readonly send: (content: MessageOf<App, U>, options?: OutgoingOptions) => Promise<Receipt | undefined>
}

export interface TypedAgentsView<App, Q> extends Omit<AgentsView, "agents"> {
  readonly agents: readonly Listed<App, Q>[]
}

export interface TypedApprovalsView<App> extends Omit<ApprovalsView, "approvals"> {
  readonly approvals: readonly (WaitingApproval & { readonly entity: AddressOf<App> })[]
}

interface TypedApprovalQuery<App> extends Omit<ApprovalQuery, "after" | "limit" | "type"> {
  readonly type?: TypeOf<App>
}

/** A collection of a shared space whose definition is known. */
export interface TypedSharedView<App, K extends keyof App, C extends keyof SpaceRows<App, K>> extends Omit<
  SharedView<SpaceRows<App, K>[C]>,
  "space"
> {
  readonly space: SharedClient<SpaceRows<App, K>>
}

/** The app of a client that knows one; of anything else, itself. */
type AppOf<Of> = Of extends TypedClient<infer App> ? App : Of

/**
 * The hooks, typed by an app: the module that exports its definitions, or a client that was made for it. At run time they are the same hooks.
 *
 * @example
 * import type * as app from "./agents.ts"
 * export const { useAgent, useShared } = typedHooks<typeof app>()
 * @example
 * const { rows, send } = useAgent("/support/ann")
 * const { rows: tasks } = useShared("board", "sprint", "tasks")
 */
export function typedHooks<Of extends object>(): TypedHooks<AppOf<Of>> {
  return HOOKS as unknown as TypedHooks<AppOf<Of>>
}

const HOOKS = {
  useClient,
  useAgent,
  useTimeline,
  useAgents,
  useApprovals,
  useShared: (_definition: string, id: string, collection: string): SharedView<Json> => useShared(id, collection),
} as const
