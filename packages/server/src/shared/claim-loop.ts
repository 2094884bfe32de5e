import { RouseError } from "@rouse/protocol"
import type { ExpiredClaim, SpaceOp } from "@rouse/store"
import { DueLoop } from "../due-loop.ts"
import type { Plane } from "../plane.ts"

/** Expired claims of one look. */
const LOOK_MAX = 500
/** The shortest pause between two looks that do not follow a full one. */
const PAUSE_MS = 1_000

/** Tells the logs of claims that expired. They are free from their expiry on, whether or not it was told. */
export function newClaimLoop(plane: () => Plane): DueLoop {
  return new DueLoop(plane, { name: "claims that expired", look, next })
}

async function look(plane: Plane): Promise<boolean> {
  const expired = await plane.store.expiredClaims(plane.clock(), LOOK_MAX)
  const pathOf = ({ path }: ExpiredClaim): string => path
  const atOf = ({ expiredAtMs }: ExpiredClaim): number => expiredAtMs
  // What another is first in line for is its own before the next look, or then this one's.
  const mine = plane.peers.share(expired, pathOf, atOf, () => undefined)
  await Promise.all(mine.map((claim) => release(plane, claim)))
  return expired.length === LOOK_MAX && mine.length > 0
}

async function next(plane: Plane): Promise<number | undefined> {
  const dueAtMs = await plane.store.nextClaimExpiryAtMs()
  return dueAtMs === undefined ? undefined : Math.max(dueAtMs, plane.clock() + PAUSE_MS)
}

async function release(plane: Plane, { path, collection, key, token }: ExpiredClaim): Promise<void> {
  const write = { kind: "release", collection, key, token, expired: true } as const
  const op: SpaceOp = { op: "space", path, change: { kind: "write", by: "", writes: [write] }, nowMs: plane.clock() }
  try {
    await plane.store.commit({ ops: [op] })
  } catch (error) {
    // Somebody completed, renewed or took it first.
    if (!RouseError.is(error, "CLAIM_LOST", "NOT_FOUND", "GONE", "UNKNOWN_STREAM")) throw error
  }
}
