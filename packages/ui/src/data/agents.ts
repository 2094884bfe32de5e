import type { Client, WatchEvent } from "@rouse/client"
import type { EntityPage, EntitySummary } from "@rouse/protocol"
import { changeIndex } from "../core/agents-list.ts"
import type { AgentMap, ListChange } from "../core/agents-list.ts"
import { filterIn, queryOf } from "../core/list-filter.ts"
import type { AgentsFilter } from "../core/list-filter.ts"
import { createFrameBatch } from "./frame.ts"
import { keepLive } from "./retrying.ts"
import { createStore } from "./store.ts"
import type { Readable } from "./store.ts"
import { lookedAt } from "./visibility.ts"

export interface AgentsState {
  readonly phase: "loading" | "live" | "failed"
  readonly filter: AgentsFilter
  readonly byUrl: AgentMap
  /** Newest activity first. */
  readonly sorted: readonly EntitySummary[]
  /** There are more on the server, from here. */
  readonly next?: string
  readonly loadingMore: boolean
  readonly error?: unknown
}

/** The list of agents, kept current. */
export interface Agents extends Readable<AgentsState> {
  readonly setFilter: (filter: AgentsFilter) => void
  readonly loadMore: () => Promise<void>
  readonly close: () => void
}

const PAGE_SIZE = 200
/** Whoever scrolls that far goes on. */
const MORE_SIZE = 1_000

type Change = ListChange | { readonly kind: "next"; readonly next: string | undefined }

/**
 * Keeps the list: one watched connection for the filter in force. A new filter ends it and begins another; what is shown stays until
 * the first page of the new one is there.
 */
export function createAgents(client: Client): Agents {
  const store = createStore<AgentsState>({
    phase: "loading",
    // An address may name the filter.
    filter: filterIn(Object.fromEntries(new URLSearchParams(location.search))),
    byUrl: new Map(),
    sorted: [],
    loadingMore: false,
  })
  let watching = new AbortController()
  let batch = createFrameBatch<Change>(apply)

  function apply(changes: readonly Change[]): void {
    store.update((state) => {
      const list = changes.filter((change): change is ListChange => change.kind !== "next")
      const index = changeIndex(state, list)
      const { error: _, next: before, ...rest } = state
      const told = changes.findLast((change) => change.kind === "next")
      const next = told ? told.next : before
      return { ...rest, phase: "live", ...index, ...(next !== undefined && { next }) }
    })
  }

  function start(): void {
    const { signal } = watching
    const { filter } = store.get()
    const run = async (inner: AbortSignal, progress: () => void): Promise<void> => {
      for await (const event of client.watch({ ...queryOf(filter), limit: PAGE_SIZE }, { signal: inner })) {
        progress()
        batch.push(...changesOf(event))
      }
    }
    const failed = (error: unknown, again: boolean): void => {
      if (!again || store.get().phase === "loading") store.update((state) => ({ ...state, phase: "failed", error }))
    }
    keepLive({ run, failed, signal, wanted: lookedAt }).catch((error: unknown) => failed(error, false))
  }

  function restart(filter: AgentsFilter): void {
    watching.abort()
    batch.close()
    watching = new AbortController()
    batch = createFrameBatch<Change>(apply)
    store.update((state) => ({ ...state, filter, phase: "loading" }))
    start()
  }

  async function loadMore(): Promise<void> {
    const { next, filter, loadingMore } = store.get()
    const { signal } = watching
    if (next === undefined || loadingMore) return
    store.update((state) => ({ ...state, loadingMore: true }))
    try {
      const page = await client.list({ ...queryOf(filter), after: next, limit: MORE_SIZE }, { signal })
      if (!signal.aborted) batch.push(...pageChanges("more", page))
    } catch (error) {
      if (!signal.aborted) store.update((state) => ({ ...state, error }))
    } finally {
      store.update((state) => ({ ...state, loadingMore: false }))
    }
  }

  start()
  return { get: store.get, subscribe: store.subscribe, setFilter: restart, loadMore, close: () => watching.abort() }
}

function changesOf(event: WatchEvent): readonly Change[] {
  return event.kind === "page" ? pageChanges("page", event.page) : [event]
}

function pageChanges(kind: "page" | "more", page: EntityPage): readonly Change[] {
  return [
    { kind, entities: page.entities },
    { kind: "next", next: page.next },
  ]
}
