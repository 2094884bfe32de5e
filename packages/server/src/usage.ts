import type { EntityUrl, UsageQuery, UsageReport, UsageSum } from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import { controlOf } from "./core/control.ts"
import { addSums, entriesIn, NO_USAGE } from "./core/usage-book.ts"
import { UsageTimes } from "./core/usage-times.ts"
import type { Plane } from "./plane.ts"

const PAGE = 500

/** Groups of a report: the dearest. */
const GROUPS_MAX = 1_000

/** What model calls used and cost, summed over the entities that the query names. Reads every one of them that was active since. */
export async function usageReport(plane: Plane, query: UsageQuery): Promise<UsageReport> {
  const by = query.by ?? "type"
  const bounds = { sinceMs: timeOf(query.since), untilMs: timeOf(query.until) }
  const sums = new Map<string, UsageSum>()
  const times = new UsageTimes()
  for await (const record of entitiesOf(plane, query, bounds.sinceMs)) {
    for (const { period, model, sum } of entriesIn(controlOf(record).usage, bounds)) {
      const key = by === "model" ? model : keyOf(record, by)
      sums.set(key, addSums(sums.get(key) ?? NO_USAGE, sum))
      if (query.times === true) times.add(period, key, sum)
    }
  }
  const groups = [...sums].map(([key, sum]) => ({ key, ...sum }))
  groups.sort((a, b) => b.usd - a.usd || b.calls - a.calls || (a.key < b.key ? -1 : 1))
  return {
    by,
    since: query.since ?? null,
    until: query.until ?? null,
    total: groups.reduce((total, { key: _key, ...sum }) => addSums(total, sum), NO_USAGE),
    groups: groups.slice(0, GROUPS_MAX),
    more: Math.max(0, groups.length - GROUPS_MAX),
    ...(query.times === true && { times: times.of(groups.map(({ key }) => key)) }),
  }
}

function keyOf(record: EntityRecord, by: "type" | "entity" | "tree"): string {
  if (by === "type") return record.type
  return by === "entity" ? record.url : (controlOf(record).root ?? record.url)
}

async function* entitiesOf(
  plane: Plane,
  { type, entity, tree }: UsageQuery,
  sinceMs: number | undefined,
): AsyncIterable<EntityRecord> {
  if (entity !== undefined) {
    const record = await plane.store.entity(entity)
    if (record) yield record
    return
  }
  if (tree !== undefined) return yield* treeOf(plane, tree)
  for await (const record of pages(plane, type === undefined ? {} : { type })) {
    // Newest activity first: what comes after was not active either.
    if (sinceMs !== undefined && record.activeAtMs < sinceMs - 1_000) return
    yield record
  }
}

/** An entity and everything below it. */
async function* treeOf(plane: Plane, root: EntityUrl): AsyncIterable<EntityRecord> {
  const top = await plane.store.entity(root)
  if (!top) return
  const open = [top]
  for (let record = open.pop(); record; record = open.pop()) {
    yield record
    for await (const child of pages(plane, { parent: record.url })) open.push(child)
  }
}

async function* pages(
  plane: Plane,
  filter: { readonly type?: string; readonly parent?: EntityUrl },
): AsyncIterable<EntityRecord> {
  let after: string | undefined
  do {
    const page = await plane.store.entities({ ...filter, limit: PAGE, ...(after === undefined ? {} : { after }) })
    yield* page.entities
    after = page.next
  } while (after !== undefined)
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text)
}
