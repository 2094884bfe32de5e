import type { EntityStatus, ObserveFilter, SharedDefinition } from "@rouse/protocol"
import type { ObservationState } from "../core/observation-state.ts"
import { incarnationOf } from "../core/offset.ts"
import type { ForkPoint, ProducerClaim, StreamState } from "../core/stream-state.ts"
import type { SpaceRowState, SpaceState } from "../core/space-state.ts"
import type { SubscriptionState } from "../core/subscription-state.ts"
import type { EntityState } from "../core/view.ts"

/** A row, as text and JSON bring it: numbers may be text. */
export type SqlRow = Readonly<Record<string, unknown>>
export type Json = string | number | boolean | null | { readonly [key: string]: Json }

export function streamOf(row: SqlRow, nonce: string): StreamState {
  const closedBy = row["closed_by"] as string | null
  const id = Number(row["id"])
  return {
    id,
    path: row["path"] as string,
    incarnation: incarnationOf(id, nonce),
    contentType: row["content_type"] as string,
    tail: Number(row["tail"]),
    closed: row["closed"] === true,
    closedBy: closedBy === null ? null : (JSON.parse(closedBy) as ProducerClaim),
    streamSeq: row["stream_seq"] as string | null,
    createdAtMs: Number(row["created_at"]),
    ttlSeconds: numberOrNull(row["ttl_seconds"]),
    expiresAtMs: numberOrNull(row["expires_at"]),
    diesAtMs: numberOrNull(row["dies_at"]),
    horizon: Number(row["horizon"]),
    fork: forkOf(row),
    forks: Number(row["forks"]),
    deleted: row["deleted"] === true,
  }
}

function forkOf(row: SqlRow): ForkPoint | null {
  if (row["forked_from"] === null) return null
  return {
    source: row["source"] as string,
    sourceId: Number(row["forked_from"]),
    base: Number(row["fork_base"]),
    sub: Number(row["fork_sub"]),
    at: Number(row["fork_at"]),
  }
}

export function entityOf(row: SqlRow): EntityState {
  const url = row["url"] as string
  const epoch = Number(row["epoch"])
  return {
    id: Number(row["id"]),
    url,
    version: Number(row["version"]),
    epoch,
    seq: Number(row["seq"]),
    record: {
      url,
      type: row["type"] as string,
      id: row["name"] as string,
      status: row["status"] as EntityStatus,
      epoch,
      parent: row["parent"] as string | null,
      createdAtMs: Number(row["created_at"]),
      activeAtMs: Number(row["active_at"]),
      dueAtMs: numberOrNull(row["due_at"]),
      tags: row["tags"] as string,
      args: row["args"] as string,
    },
  }
}

export function subscriptionOf(row: SqlRow): SubscriptionState {
  return {
    serial: Number(row["serial"]),
    id: row["id"] as string,
    version: Number(row["version"]),
    pattern: row["pattern"] as string | null,
    wakeStream: row["wake_stream"] as string | null,
    idle: row["idle"] === true,
    dueAtMs: numberOrNull(row["due_at"]),
    pending: Number(row["pending"]),
    links: Number(row["links"]),
    named: Number(row["named"]),
  }
}

export function observationOf(row: SqlRow, filterOf: (text: string) => ObserveFilter): ObservationState {
  return {
    serial: Number(row["serial"]),
    version: Number(row["version"]),
    url: row["url"] as string,
    name: row["name"] as string,
    path: row["path"] as string,
    filter: filterOf(row["filter"] as string),
    debounceMs: Number(row["debounce"]),
    cursor: Number(row["cursor"]),
    pending: row["pending"] === true,
    dueAtMs: numberOrNull(row["due_at"]),
    timeoutAtMs: numberOrNull(row["timeout_at"]),
  }
}

export function parseFilter(text: string): ObserveFilter {
  return JSON.parse(text) as ObserveFilter
}

/** Those who ask the same share one filter, so that it is asked once. */
export function sharedFilters(): (text: string) => ObserveFilter {
  const filters = new Map<string, ObserveFilter>()
  return (text) => {
    const known = filters.get(text) ?? parseFilter(text)
    filters.set(text, known)
    return known
  }
}

export function spaceOf(row: SqlRow): SpaceState {
  return {
    stream: Number(row["stream"]),
    version: Number(row["version"]),
    definition: JSON.parse(row["definition"] as string) as SharedDefinition,
    createdAtMs: Number(row["created_at"]),
    rows: Number(row["rows"]),
    forget: Number(row["forget"]),
  }
}

export function spaceRowOf(row: SqlRow): SpaceRowState {
  return {
    collection: row["collection"] as string,
    key: row["key"] as string,
    value: row["value"] as string,
    version: Number(row["version"]),
    made: Number(row["made"]),
    done: row["done"] === true,
    token: Number(row["token"]),
    holder: row["holder"] as string | null,
    claim: row["claim"] as string | null,
    freeAtMs: Number(row["free_at"]),
    owner: row["owner"] as string | null,
  }
}

export function numberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value)
}
