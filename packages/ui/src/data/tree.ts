import type { Client } from "@rouse/client"
import type { EntitySummary, EntityUrl, MessageRow } from "@rouse/protocol"

/** Agents of one tree, and who wrote to whom. */
export interface Tree {
  readonly agents: readonly EntitySummary[]
  readonly messages: readonly TreeMessages[]
  /** There are more agents than are shown. */
  readonly more: boolean
}

export interface TreeMessages {
  readonly from: EntityUrl
  readonly to: EntityUrl
  readonly count: number
}

const AGENTS_MAX = 150
/** Agents whose inboxes are looked at for messages of others. */
const INBOXES_MAX = 60
const DEPTH_MAX = 64
const AT_ONCE = 6

/** The tree that an agent is in, from its root, and the messages that its agents live with. */
export async function readTree(client: Client, url: EntityUrl, signal: AbortSignal): Promise<Tree> {
  const root = await rootOf(client, url, signal)
  const agents = [root]
  let more = false
  for (let next = 0; next < agents.length && !more; next++) {
    const page = await client.list({ parent: agents[next]!.url, limit: AGENTS_MAX }, { signal })
    const room = AGENTS_MAX - agents.length
    more = page.next !== undefined || page.entities.length > room
    agents.push(...page.entities.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1)).slice(0, room))
  }
  const inboxes = agents.slice(0, INBOXES_MAX)
  const messages: TreeMessages[] = []
  for (let start = 0; start < inboxes.length; start += AT_ONCE) {
    const some = inboxes.slice(start, start + AT_ONCE)
    messages.push(...(await Promise.all(some.map((agent) => messagesTo(client, agent.url, signal)))).flat())
  }
  return { agents, messages, more }
}

async function rootOf(client: Client, url: EntityUrl, signal: AbortSignal): Promise<EntitySummary> {
  let agent: EntitySummary = await client.get(url, { signal })
  for (let depth = 0; agent.parent !== null && depth < DEPTH_MAX; depth++) {
    agent = await client.get(agent.parent, { signal })
  }
  return agent
}

async function messagesTo(client: Client, to: EntityUrl, signal: AbortSignal): Promise<readonly TreeMessages[]> {
  const { rows } = await client.state(to, "message", { signal })
  const counts = new Map<EntityUrl, number>()
  for (const { value } of rows) {
    const { from, kind } = value as unknown as MessageRow
    if (from.kind === "agent" && kind === "message") counts.set(from.id, (counts.get(from.id) ?? 0) + 1)
  }
  return [...counts].map(([from, count]) => ({ from, to, count }))
}
