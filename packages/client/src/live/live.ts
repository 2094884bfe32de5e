import type { ApprovalQuery, EntityQuery, EntityUrl } from "@rouse/protocol"
import type { Client } from "../client-type.ts"
import { transportOf } from "../transports.ts"
import type { AnyClient } from "../typed.ts"
import type { AgentOptions, AgentStore } from "./agent-store.ts"
import { createAgentStore } from "./agent-store.ts"
import type { AgentsStore } from "./agents-store.ts"
import { createAgentsStore } from "./agents-store.ts"
import type { ApprovalsStore } from "./approvals-store.ts"
import { createApprovalsStore } from "./approvals-store.ts"
import type { SpaceStore } from "./space-store.ts"
import { createSpaceStore } from "./space-store.ts"

/** What is live of one server: a store for each thing that is looked at, the same for all who look at it. */
export interface Live {
  /** @param options Those that it is first asked for with. */
  agent(url: EntityUrl, options?: AgentOptions): AgentStore
  agents(query?: Omit<EntityQuery, "after">): AgentsStore
  approvals(query?: Omit<ApprovalQuery, "after" | "limit">): ApprovalsStore
  /** @throws {RouseError} `BAD_REQUEST` when a space cannot be named so. */
  space(id: string): SpaceStore
}

/** How many stores that nobody watches are remembered, so that coming back shows at once what was there. */
const UNWATCHED_MAX = 32

const lives = new WeakMap<AnyClient, Live>()

/**
 * What is live of a client's server. The same object for the same client.
 *
 * @throws {RouseError} `BAD_REQUEST` when `createClient` of this copy of the package did not make the client.
 * @example
 * const agent = liveOf(client).agent("/assistant/one")
 * const unsubscribe = agent.subscribe(() => render(agent.get().items))
 */
export function liveOf(client: AnyClient): Live {
  const known = lives.get(client)
  if (known) return known
  const made = createLive(client as Client)
  lives.set(client, made)
  return made
}

function createLive(client: Client): Live {
  const transport = transportOf(client)
  const agents = kept<AgentStore>()
  const lists = kept<AgentsStore>()
  const approvals = kept<ApprovalsStore>()
  const spaces = kept<SpaceStore>()
  return {
    agent: (url, options = {}) => agents(url, () => createAgentStore(client, transport, url, options)),
    agents: (query = {}) => lists(nameOf(query), () => createAgentsStore(client, transport, query)),
    approvals: (query = {}) => approvals(nameOf(query), () => createApprovalsStore(client, transport, query)),
    space: (id) => spaces(id, () => createSpaceStore(client, transport, id)),
  }
}

/** Remembers stores by name: all that are watched, and a few that were. */
function kept<S extends { isWatched(): boolean }>(): (name: string, make: () => S) => S {
  const stores = new Map<string, S>()
  return (name, make) => {
    const store = stores.get(name) ?? make()
    stores.delete(name)
    stores.set(name, store)
    if (stores.size <= UNWATCHED_MAX) return store
    const unwatched = [...stores].filter(([other, candidate]) => other !== name && !candidate.isWatched())
    for (const [oldest] of unwatched.slice(0, Math.max(0, unwatched.length - UNWATCHED_MAX))) stores.delete(oldest)
    return store
  }
}

/** The same for queries that ask for the same. */
function nameOf(query: object): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined)
  return JSON.stringify(set.sort(([a], [b]) => (a < b ? -1 : 1)))
}
