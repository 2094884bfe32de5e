import { RouseError } from "@rouse/protocol"
import type { Draft } from "./draft.ts"
import type { EncodedRecord, EncodedRow } from "./encoded.ts"
import { announce } from "./set-plan.ts"
import type { EntityState } from "./view.ts"

/** What a commit does to entities and their rows. */

/** Records the highest commit under a lease. A put of the same entity later in this commit writes it as well. */
export function planLease(draft: Draft, lease: EntityState): void {
  draft.view.setEntity(lease.url, lease)
  if (!putsLater(draft, lease.url)) draft.write({ kind: "putLeaseSeq", entity: lease.id, seq: lease.seq })
}

export function planEntity(draft: Draft, { control, ...record }: EncodedRecord): void {
  const old = draft.view.entity(record.url)
  const next: EntityState = {
    id: old?.id ?? draft.view.entityIdFor(record.url),
    url: record.url,
    version: (old?.version ?? 0) + 1,
    epoch: record.epoch,
    seq: old?.epoch === record.epoch ? old.seq : 0,
    record,
  }
  draft.view.setEntity(record.url, next)
  draft.versions.push(next.version)
  draft.write({ kind: "putEntity", old, next, control })
  announce(draft, old?.record, record, record.activeAtMs)
}

export function planEntityDrop(draft: Draft, url: string): void {
  const state = draft.view.entity(url)
  draft.view.setEntity(url, undefined)
  draft.write({ kind: "dropEntity", url, state })
  if (!draft.hasObservations) return
  draft.observations.dropOf(url)
  if (state !== undefined) announce(draft, state.record, undefined, state.record.activeAtMs)
}

/** @throws {RouseError} `UNKNOWN_ENTITY`. */
export function planRow(draft: Draft, row: EncodedRow & { readonly url: string }): void {
  draft.write({ kind: "putRow", entity: entityId(draft, row.url), row })
}

export function planRowDrop(
  draft: Draft,
  { url, collection, key }: { readonly url: string; readonly collection: string; readonly key: string },
): void {
  if (draft.view.entity(url) === undefined && !putsLater(draft, url)) return
  draft.write({ kind: "dropRow", entity: entityId(draft, url), collection, key })
}

/** Rows may come before the record that they belong to. */
function entityId(draft: Draft, url: string): number {
  const state = draft.view.entity(url)
  if (state !== undefined) return state.id
  if (putsLater(draft, url)) return draft.view.entityIdFor(url)
  throw new RouseError("UNKNOWN_ENTITY", `there is no entity ${url}`, { details: { url } })
}

/** Whether the next that this commit does to the record is a put. */
function putsLater(draft: Draft, url: string): boolean {
  for (const op of draft.commit.ops.slice(draft.begun)) {
    if (op.op === "putEntity" && op.record.url === url) return true
    if (op.op === "deleteEntity" && op.url === url) return false
  }
  return false
}
