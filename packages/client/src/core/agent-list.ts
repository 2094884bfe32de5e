import type { EntitySummary } from "@rouse/protocol"
import type { WatchEvent } from "../lists.ts"

/** Agents, newest activity first, and where the next page begins when there is one. */
export interface AgentList {
  readonly agents: readonly EntitySummary[]
  readonly next?: string
}

/** The list after changes that were told, or after another page was read. */
export function applyListEvents(list: AgentList, events: readonly (WatchEvent | MoreEvent)[]): AgentList {
  let known = new Map(list.agents.map((agent) => [agent.url, agent]))
  let { next } = list
  for (const event of events) {
    if (event.kind === "page") {
      known = withPage(known, event)
      // A list that was read further goes on from where it was read to.
      if (next === undefined || event.page.next === undefined) next = event.page.next
    } else if (event.kind === "more") {
      for (const agent of event.page.entities) if (!known.has(agent.url)) known.set(agent.url, agent)
      next = event.page.next
    } else if (event.kind === "entity") known.set(event.entity.url, event.entity)
    else known.delete(event.url)
  }
  return { agents: [...known.values()].sort(byActivity), ...(next !== undefined && { next }) }
}

/** A page after the first, which does not replace what is there. */
export interface MoreEvent {
  readonly kind: "more"
  readonly page: Extract<WatchEvent, { readonly kind: "page" }>["page"]
}

/** The first page replaces what it covers; what was less active than its last stays. */
function withPage(
  known: ReadonlyMap<string, EntitySummary>,
  { page }: Extract<WatchEvent, { readonly kind: "page" }>,
): Map<string, EntitySummary> {
  const last = page.entities.at(-1)
  const older = [...known.values()].filter((agent) => page.next !== undefined && last && agent.activeAt < last.activeAt)
  return new Map([...page.entities, ...older].map((agent) => [agent.url, agent]))
}

function byActivity(a: EntitySummary, b: EntitySummary): number {
  if (a.activeAt !== b.activeAt) return a.activeAt < b.activeAt ? 1 : -1
  return a.url < b.url ? -1 : 1
}
