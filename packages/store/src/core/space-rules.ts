import { RouseError } from "@rouse/protocol"
import type { Json, SharedDefinition } from "@rouse/protocol"
import type { OwnedRows, SpaceWrite } from "../space.ts"
import type { SpaceRowState, SpaceState, SpaceView } from "./space-state.ts"

/** What may be refused of a change of a space. */

/** @throws {RouseError} `NOT_FOUND`. */
export function needRow(row: SpaceRowState | undefined, collection: string, key: string): SpaceRowState {
  if (row !== undefined) return row
  throw new RouseError("NOT_FOUND", `${collection}: there is no row ${JSON.stringify(key)}`, {
    details: { collection, key },
  })
}

/**
 * Refuses a write to a row that somebody else has, or that is not as the writer believes. A claim that expired is its holder's until
 * another takes it.
 *
 * @throws {RouseError} `CLAIM_LOST`, `ALREADY_CLAIMED`, `CONFLICT`.
 */
export function refuseUnexpected(
  row: SpaceRowState,
  { version, token }: { readonly version?: number; readonly token?: number },
  nowMs: number,
): void {
  const { collection, key, value } = row
  const details = { guard: "row", collection, key, version: row.version, value }
  const name = `${collection}: the row ${JSON.stringify(key)}`
  if (token !== undefined) refuseLost(row, token)
  else if (isHeld(row, nowMs)) {
    throw new RouseError("ALREADY_CLAIMED", `${name} is claimed by ${row.holder}`, {
      details: { ...details, holder: row.holder },
    })
  }
  if (version !== undefined && version !== row.version) {
    throw new RouseError("CONFLICT", `${name} has version ${row.version}, not ${version}`, { details })
  }
}

/** @throws {RouseError} `CLAIM_LOST`. */
export function refuseLost({ collection, key, holder, token }: SpaceRowState, claimed: number): void {
  if (holder !== null && token === claimed) return
  throw new RouseError(
    "CLAIM_LOST",
    `${collection}: the claim ${claimed} on ${JSON.stringify(key)} is no longer held`,
    {
      details: { guard: "row", collection, key, token, holder },
    },
  )
}

export function isHeld({ holder, freeAtMs }: SpaceRowState, nowMs: number): boolean {
  return holder !== null && freeAtMs > nowMs
}

/** A row's value with a number in it changed. @throws {RouseError} `INVALID_ARGS`. */
export function incremented(row: SpaceRowState, write: Extract<SpaceWrite, { readonly kind: "increment" }>): string {
  const { collection, key, field, by, min, max } = write
  const value = JSON.parse(row.value) as Record<string, Json>
  const before = value[field] ?? 0
  const name = `${collection}.${field} of ${JSON.stringify(key)}`
  if (typeof before !== "number") throw new RouseError("INVALID_ARGS", `${name} is no number`)
  const after = before + by
  if ((min !== undefined && after < min) || (max !== undefined && after > max) || !Number.isFinite(after)) {
    throw new RouseError("INVALID_ARGS", `${name} would become ${after}, out of its bounds`)
  }
  value[field] = after
  return JSON.stringify(value)
}

/** @throws {RouseError} `ALREADY_EXISTS` when rows would be left without a collection, or in queues that they do not belong in. */
export function refuseStranded(old: SpaceState, next: SharedDefinition, view: SpaceView): void {
  for (const [name, before] of Object.entries(old.definition.collections)) {
    const after = next.collections[name]
    const same = after?.key === before.key && indexText(after) === indexText(before)
    if (same || !view.hasRows(old.stream, name)) continue
    const what = after === undefined ? "cannot be removed" : "cannot change its key or indexes"
    throw new RouseError("ALREADY_EXISTS", `collections.${name}: has rows, and so ${what}`, {
      details: { field: `collections.${name}` },
    })
  }
}

function indexText({ indexes = [] }: { readonly indexes?: readonly (readonly string[])[] }): string {
  return JSON.stringify(indexes.map((fields) => [...fields].sort().join("\n")).sort())
}

/** A row of an owner, as an engine finds it. */
export interface OwnedRow {
  readonly path: string
  readonly collection: string
  readonly key: string
}

/** Those that are of the first one's space. */
export function ownedOf(found: readonly OwnedRow[]): OwnedRows | undefined {
  const path = found[0]?.path
  if (path === undefined) return undefined
  const rows = found.filter((row) => row.path === path)
  return { path, rows: rows.map(({ collection, key }) => ({ collection, key })) }
}
