import type { EntityQuery, EntityStatus, EntityUrl } from "@rouse/protocol"
import type { EntityFilter, EntityRecord } from "@rouse/store"
import { shownSummary } from "../dispatch/type-list.ts"
import type { Plane } from "../plane.ts"
import { encodeEvents, heartbeat, type ServerEvent } from "./sse.ts"

/** Changes of one entity within this time are one event. */
const COALESCE_MS = 200
const HEARTBEAT_MS = 15_000

/** The first page of a list, and then every entity that comes to match, changes or ceases to. */
export async function* listEvents(
  plane: Plane,
  query: EntityQuery,
  stop: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const filter = filterOf(query)
  const changed = new Map<EntityUrl, EntityRecord>()
  let wake = (): void => undefined
  const unwatch = plane.store.watchEntities((record) => {
    changed.set(record.url, record)
    wake()
  })
  const onStop = (): void => wake()
  stop.addEventListener("abort", onStop, { once: true })
  try {
    const page = await plane.store.entities(filter)
    const shown = new Set(page.entities.map((record) => record.url))
    const next = page.next === undefined ? {} : { next: page.next }
    yield encodeEvents([
      { event: "page", data: { entities: page.entities.map((one) => shownSummary(plane, one)), ...next } },
    ])
    while (!stop.aborted) {
      if (changed.size === 0) {
        const quiet = await pause(plane, HEARTBEAT_MS, (resolve) => {
          wake = resolve
        })
        if (quiet) yield heartbeat()
        continue
      }
      await pause(plane, COALESCE_MS, () => undefined)
      const records = [...changed.values()]
      changed.clear()
      const events = records.flatMap((record) => eventFor(plane, record, filter, shown))
      if (events.length > 0) yield encodeEvents(events)
    }
  } finally {
    stop.removeEventListener("abort", onStop)
    unwatch()
  }
}

function eventFor(plane: Plane, record: EntityRecord, filter: EntityFilter, shown: Set<EntityUrl>): ServerEvent[] {
  if (matches(record, filter)) {
    shown.add(record.url)
    return [{ event: "entity", data: shownSummary(plane, record) }]
  }
  return shown.delete(record.url) || mayHaveMatched(record, filter)
    ? [{ event: "gone", data: { url: record.url } }]
    : []
}

/** Whether an entity that does not match may have before, and be on a page that was read by cursor: only its status and tags change. */
function mayHaveMatched(record: EntityRecord, { status, tag, ...lasting }: EntityFilter): boolean {
  return (status !== undefined || tag !== undefined) && matches(record, lasting)
}

function matches(record: EntityRecord, filter: EntityFilter): boolean {
  const { type, status, parent, tag, words = [] } = filter
  const address = record.url.toLowerCase()
  const value = tag && record.tags[tag.name]
  return (
    (type === undefined || record.type === type) &&
    (status === undefined || record.status === status) &&
    (parent === undefined || record.parent === parent) &&
    words.every((word) => address.includes(word)) &&
    (tag === undefined || (value !== undefined && (tag.value === undefined || tag.value === value)))
  )
}

/** Resolves true after `ms`, or false when it is woken first. */
async function pause(plane: Plane, ms: number, onWaker: (resolve: () => void) => void): Promise<boolean> {
  let cancel = (): void => undefined
  const woken = await new Promise<boolean>((resolve) => {
    cancel = plane.defer(ms, () => resolve(true))
    onWaker(() => resolve(false))
  })
  cancel()
  return woken
}

const LIMIT = 100

/** The store's filter for a query. */
export function filterOf(query: EntityQuery): EntityFilter {
  const { type, status, parent, after, limit } = query
  const [name, ...rest] = (query.tag ?? "").split("=")
  const tag = name ? { tag: rest.length > 0 ? { name, value: rest.join("=") } : { name } } : {}
  const words = (query.text ?? "").toLowerCase().split(/\s+/).filter(Boolean)
  const named = { ...tag, ...(words.length > 0 ? { words } : {}) }
  return { ...defined({ type, status, parent, after }), ...named, limit: limit ?? LIMIT }
}

function defined(fields: {
  readonly type: string | undefined
  readonly status: EntityStatus | undefined
  readonly parent: string | undefined
  readonly after: string | undefined
}): Omit<EntityFilter, "limit" | "tag" | "words"> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
