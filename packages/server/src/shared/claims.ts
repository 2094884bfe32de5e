import { RouseError } from "@rouse/protocol"
import type { JsonObject, SharedClaimBody, SharedCollection, SharedHeld } from "@rouse/protocol"
import { queueOf } from "@rouse/store"
import type { ExpiredClaim, SpaceClaim, SpaceOp } from "@rouse/store"
import type { CommitDraft } from "../core/draft.ts"
import type { Plane } from "../plane.ts"
import { needSpace } from "./definition.ts"
import { heldRow } from "./reads.ts"
import { LEASE_MS } from "./writes.ts"

/** How often expired claims are looked for. They are free from their expiry on; this only tells the log. */
const RELEASE_EVERY_MS = 1_000
/** Expired claims of one round. */
const RELEASE_MAX = 500

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
  return claimed?.kind === "claimed" ? claimed.rows.map(heldRow) : []
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

/**
 * Tells the logs of claims that expired, a bounded batch at a time, while there are any.
 *
 * @returns What ends it.
 */
export function releaseExpired(plane: Plane): () => void {
  let open = true
  let cancel = (): void => undefined
  const round = async (): Promise<void> => {
    let found = 0
    try {
      const expired = await plane.store.expiredClaims(plane.clock(), RELEASE_MAX)
      found = expired.length
      await Promise.all(expired.map((claim) => releaseOne(plane, claim)))
    } catch (error) {
      if (open) plane.log.warn("expired claims could not be released", { error: String(error) })
    }
    if (open) cancel = plane.defer(found === RELEASE_MAX ? 0 : RELEASE_EVERY_MS, () => void round())
  }
  cancel = plane.defer(RELEASE_EVERY_MS, () => void round())
  return () => {
    open = false
    cancel()
  }
}

async function releaseOne(plane: Plane, { path, collection, key, token }: ExpiredClaim): Promise<void> {
  const write = { kind: "release", collection, key, token, expired: true } as const
  const op: SpaceOp = { op: "space", path, change: { kind: "write", by: "", writes: [write] }, nowMs: plane.clock() }
  try {
    await plane.store.commit({ ops: [op] })
  } catch (error) {
    // Somebody completed, renewed or took it first.
    if (!RouseError.is(error, "CLAIM_LOST", "NOT_FOUND", "GONE", "UNKNOWN_STREAM")) throw error
  }
}
