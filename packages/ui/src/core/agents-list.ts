import type { EntitySummary } from "@rouse/protocol"

/** The agents that are loaded, by address. */
export type AgentMap = ReadonlyMap<string, EntitySummary>

/** What happened to the list. */
export type ListChange =
  | { readonly kind: "page"; readonly entities: readonly EntitySummary[] }
  | { readonly kind: "more"; readonly entities: readonly EntitySummary[] }
  | { readonly kind: "entity"; readonly entity: EntitySummary }
  | { readonly kind: "gone"; readonly url: string }

/** Applies changes in order; the same map comes back when they change nothing. `page` starts over, `more` adds below. */
export function applyListChanges(agents: AgentMap, changes: readonly ListChange[]): AgentMap {
  if (changes.length === 0) return agents
  let next = new Map(agents)
  for (const change of changes) {
    if (change.kind === "page") next = new Map(change.entities.map((entity) => [entity.url, entity]))
    else if (change.kind === "more")
      for (const entity of change.entities) next.set(entity.url, next.get(entity.url) ?? entity)
    else if (change.kind === "entity") next.set(change.entity.url, change.entity)
    else next.delete(change.url)
  }
  return next
}

/** The agents that are loaded, and the order in which they are shown. */
export interface AgentsIndex {
  readonly byUrl: AgentMap
  /** Newest activity first. */
  readonly sorted: readonly EntitySummary[]
}

/** The index after changes. Only what changed is sorted, and merged into what did not: a list may be long, and change often. */
export function changeIndex(index: AgentsIndex, changes: readonly ListChange[]): AgentsIndex {
  const byUrl = applyListChanges(index.byUrl, changes)
  if (byUrl === index.byUrl) return index
  if (changes.some(({ kind }) => kind === "page")) return { byUrl, sorted: byActivity(byUrl.values()) }
  const touched = new Set(changes.flatMap(urlsOf))
  const changed = byActivity([...touched].flatMap((url) => byUrl.get(url) ?? []))
  return {
    byUrl,
    sorted: merged(
      index.sorted.filter(({ url }) => !touched.has(url)),
      changed,
    ),
  }
}

function urlsOf(change: ListChange): readonly string[] {
  if (change.kind === "gone") return [change.url]
  return change.kind === "entity" ? [change.entity.url] : change.entities.map(({ url }) => url)
}

/** Two lists in the order of activity as one. */
function merged(a: readonly EntitySummary[], b: readonly EntitySummary[]): readonly EntitySummary[] {
  const both: EntitySummary[] = []
  let taken = 0
  for (const agent of a) {
    while (taken < b.length && before(b[taken]!, agent)) both.push(b[taken++]!)
    both.push(agent)
  }
  return [...both, ...b.slice(taken)]
}

const before = (a: EntitySummary, b: EntitySummary): boolean =>
  (compare(b.activeAt, a.activeAt) || compare(a.url, b.url)) < 0

/** Newest activity first; equal times by address, so that the order is the same for everyone. */
export function byActivity(agents: Iterable<EntitySummary>): readonly EntitySummary[] {
  return [...agents].sort((a, b) => compare(b.activeAt, a.activeAt) || compare(a.url, b.url))
}

/**
 * The order that a reader sees: while they point at the list, what they see stays where it is, and only what is new to it comes on top.
 *
 * @param seen The addresses in the order shown before.
 */
export function heldOrder(
  sorted: readonly EntitySummary[],
  seen: readonly string[],
  held: boolean,
): readonly EntitySummary[] {
  if (!held) return sorted
  const place = new Map(seen.map((url, index) => [url, index]))
  const known = sorted.filter((agent) => place.has(agent.url)).sort((a, b) => place.get(a.url)! - place.get(b.url)!)
  return [...sorted.filter((agent) => !place.has(agent.url)), ...known]
}

/** Whether an agent is one of those that the words describe: each word is somewhere in its address, tags or arguments. */
export function matchesText(agent: EntitySummary, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return true
  const haystack = [
    agent.url,
    ...Object.entries(agent.tags).map(([name, value]) => `${name}=${value}`),
    JSON.stringify(agent.args),
  ]
    .join(" ")
    .toLowerCase()
  return words.every((word) => haystack.includes(word))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
