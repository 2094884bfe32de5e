import { RouseError } from "@rouse/protocol"
import type { JsonObject, SharedClaimBody, SharedCollection, SharedHeld } from "@rouse/protocol"
import { queueOf } from "@rouse/store"
import type { SpaceClaim } from "@rouse/store"
import type { CommitDraft } from "../core/draft.ts"
import type { Plane } from "../plane.ts"
import { needSpace } from "./definition.ts"
import { heldRow } from "./reads.ts"
import { LEASE_MS } from "./writes.ts"

export interface Claiming extends SharedClaimBody {
  readonly space: string
  readonly holder: string
  readonly id: string
  /** Who asks: it is said on the log. */
  readonly by: string
}

/**
 * Takes rows of a collection that nobody has, in a commit of its own. The same `id` again is answered with those that are still held.
 *
 * @param guard Adds what else must be true.
 * @throws {RouseError} `NOT_FOUND`; `INVALID_ARGS` when `where` is no index; `RATE_LIMITED` when the holder has as many rows as it may.
 */
export async function claimRows(
  plane: Plane,
  claiming: Claiming,
  guard: (draft: CommitDraft) => void = () => undefined,
): Promise<readonly SharedHeld[]> {
  const { space: id, collection: name, holder, by, limit = 1, leaseMs = LEASE_MS } = claiming
  const space = await needSpace(plane, id)
  const collection = Object.hasOwn(space.definition.collections, name) ? space.definition.collections[name] : undefined
  if (!collection) throw new RouseError("NOT_FOUND", `there is no collection "${name}" in the shared space "${id}"`)
  const queue = queueFor(name, collection, claiming.where ?? {})
  const { result } = await plane.transactor.transact([], ({ draft }) => {
    guard(draft)
    const asked = { kind: "claim", collection: name, queue, limit, holder, claim: claiming.id } as const
    const write: SpaceClaim = { ...asked, expiresAtMs: draft.nowMs + leaseMs, heldMax: plane.limits.sharedHeldMax }
    draft.also({ op: "space", path: space.path, change: { kind: "write", by, writes: [write] }, nowMs: draft.nowMs })
  })
  const claimed = result?.spaces?.[0]
  const rows = claimed?.kind === "claimed" ? claimed.rows : []
  for (const { freeAtMs } of rows) plane.claimDueAt(freeAtMs)
  return rows.map(heldRow)
}

/** @throws {RouseError} `INVALID_ARGS`. */
function queueFor(name: string, { indexes = [] }: SharedCollection, where: JsonObject): string {
  const asked = Object.keys(where).sort()
  const text = asked.join(", ")
  if (asked.length === 0 || indexes.some((fields) => [...fields].sort().join(", ") === text))
    return queueOf(asked, where)
  const known = indexes.map((fields) => fields.join(" and ")).join("; ") || "none"
  throw new RouseError("INVALID_ARGS", `where: ${name} has no index on ${text}; rows are claimed by: ${known}`, {
    details: { field: "where" },
  })
}
