import { createHash } from "node:crypto"
import { askedKey } from "./facts.ts"
import type { Facts, Need } from "./facts.ts"
import { spaceOf, spaceRowOf } from "./states.ts"
import type { Json, SqlRow } from "./states.ts"

interface Asked {
  readonly path: string
  readonly id: string
}

/** What the database found of what was asked about spaces. */
export interface LoadedSpaces {
  readonly spaces: readonly SqlRow[] | null
  readonly spaceRows: readonly (Asked & { readonly of: SqlRow })[] | null
  readonly occupied: readonly Asked[] | null
  readonly claimable:
    | readonly (Asked & { readonly expired: readonly SqlRow[] | null; readonly free: readonly SqlRow[] | null })[]
    | null
  readonly held: readonly (Asked & { readonly of: readonly SqlRow[] | null })[] | null
  readonly heldCounts: readonly (Asked & { readonly count: number })[] | null
}

type SpaceNeed = keyof LoadedSpaces

/** The columns of what is asked by its `id`, in order. */
const COLUMNS: Readonly<Record<SpaceNeed, readonly string[]>> = {
  spaces: [],
  spaceRows: ["collection", "key"],
  occupied: ["collection"],
  claimable: ["collection", "queue", "now"],
  held: ["holder", "claim"],
  heldCounts: ["holder", "now"],
}

/** A longer name of a queue is kept by its digest: an index takes names of a bounded length. */
const QUEUE_CHARACTERS_MAX = 200

/** What the database is asked about spaces; null when it is nothing. */
export function askedOfSpaces(needs: readonly Need[], placeOf: (path: string) => Record<string, Json>): string | null {
  const asked = new Map<SpaceNeed, Record<string, Json>[]>()
  for (const need of needs) {
    if (!isOfSpace(need.kind)) continue
    const values = need.id === undefined ? [] : (JSON.parse(need.id) as Json[])
    const columns = COLUMNS[need.kind].map((column, at) => [column, values[at] ?? null] as const)
    const row: Record<string, Json> = { ...placeOf(need.name), id: need.id ?? "", ...Object.fromEntries(columns) }
    if (need.kind === "claimable") {
      Object.assign(row, {
        queue: queueName(values[COLUMNS.claimable.indexOf("queue")] as string),
        most: need.limit ?? 1,
      })
    }
    asked.set(need.kind, [...(asked.get(need.kind) ?? []), row])
  }
  return asked.size === 0 ? null : JSON.stringify(Object.fromEntries(asked))
}

export function takeSpaces(needs: readonly Need[], loaded: LoadedSpaces | null, facts: Facts): void {
  if (loaded === null) return
  for (const need of needs) takeAbsent(need, facts)
  for (const row of loaded.spaces ?? []) facts.spaces.set(row["path"] as string, spaceOf(row))
  for (const { path, id, of } of loaded.spaceRows ?? []) facts.spaceRows.set(askedKey(path, id), spaceRowOf(of))
  for (const { path, id } of loaded.occupied ?? []) facts.occupied.set(askedKey(path, id), true)
  for (const { path, id, expired, free } of loaded.claimable ?? []) {
    const key = askedKey(path, id)
    const asked = facts.claimable.get(key)?.asked ?? 0
    facts.claimable.set(key, { asked, expired: rowsOf(expired), free: rowsOf(free) })
  }
  for (const { path, id, of } of loaded.held ?? []) facts.held.set(askedKey(path, id), rowsOf(of))
  for (const { path, id, count } of loaded.heldCounts ?? []) facts.heldCounts.set(askedKey(path, id), count)
}

/** The name of a queue in the database. */
export function queueName(queue: string): string {
  if (queue.length <= QUEUE_CHARACTERS_MAX) return queue
  return `sha256 ${createHash("sha256").update(queue).digest("hex")}`
}

function takeAbsent({ kind, name, id = "", limit = 1 }: Need, facts: Facts): void {
  const key = askedKey(name, id)
  if (kind === "spaces") facts.spaces.set(name, null)
  if (kind === "spaceRows") facts.spaceRows.set(key, null)
  if (kind === "occupied") facts.occupied.set(key, false)
  if (kind === "claimable") facts.claimable.set(key, { expired: [], free: [], asked: limit })
  if (kind === "held") facts.held.set(key, [])
  if (kind === "heldCounts") facts.heldCounts.set(key, 0)
}

function isOfSpace(kind: Need["kind"]): kind is SpaceNeed {
  return kind in COLUMNS
}

function rowsOf(rows: readonly SqlRow[] | null): ReturnType<typeof spaceRowOf>[] {
  return (rows ?? []).map(spaceRowOf)
}
