import type { Client, WatchEvent } from "@rouse/client"
import type { EntityQuery, EntitySummary, EntityUrl } from "@rouse/protocol"
import { ACTIVE } from "../core/top.ts"

/** Agents of one list that are kept: those that were active last. */
export const KEPT_MAX = 1_000

/** The lists that a table is made of: what runs, by status; or the newest of all agents. */
export function queriesOf(type: string | undefined, all: boolean): readonly EntityQuery[] {
  const base = { limit: KEPT_MAX, ...(type === undefined ? {} : { type }) }
  return all ? [base] : ACTIVE.map((status) => ({ ...base, status }))
}

/**
 * Agents of several lists, kept current.
 *
 * Owns: what each list holds, by agent. An agent that moves from one list to another may be in both for a moment: what changed last counts.
 */
export class ActiveList {
  readonly #lists: Map<EntityUrl, EntitySummary>[] = []
  /** Why a list is not current, by list. */
  readonly #lost = new Map<number, string>()

  get lost(): string | undefined {
    return this.#lost.values().next().value
  }

  get entities(): readonly EntitySummary[] {
    const all = new Map<EntityUrl, EntitySummary>()
    for (const list of this.#lists)
      for (const [url, entity] of list) if (entity.activeAt >= (all.get(url)?.activeAt ?? "")) all.set(url, entity)
    return [...all.values()]
  }

  /** Follows the lists until the signal aborts. @throws {RouseError} What the client gives up on. */
  async follow(client: Client, queries: readonly EntityQuery[], signal: AbortSignal, told: () => void): Promise<void> {
    this.#lists.length = 0
    this.#lost.clear()
    const one = async (query: EntityQuery, at: number): Promise<void> => {
      const onInterrupted = (error: Error): void => {
        this.#lost.set(at, `connection lost, trying again: ${error.message}`)
        told()
      }
      for await (const event of client.watch(query, { signal, onInterrupted })) {
        this.#lost.delete(at)
        this.#apply(at, event)
        told()
      }
    }
    await Promise.all(queries.map(one))
  }

  #apply(at: number, event: WatchEvent): void {
    const list = (this.#lists[at] ??= new Map())
    if (event.kind === "page") list.clear()
    if (event.kind === "page") for (const entity of event.page.entities) list.set(entity.url, entity)
    else if (event.kind === "gone") list.delete(event.url)
    else {
      list.delete(event.entity.url)
      list.set(event.entity.url, event.entity)
      const [oldest] = list.keys()
      if (list.size > KEPT_MAX && oldest !== undefined) list.delete(oldest)
    }
  }
}
