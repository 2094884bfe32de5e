import type { CreateStreamOp } from "../stream-ops.ts"
import { sameContentType } from "./content-type.ts"
import { refuseTaken, standingOf } from "./stream-state.ts"
import type { StreamState } from "./stream-state.ts"

/**
 * Decides what a create does: makes the stream, replaces one that has expired, or finds an equal one there.
 *
 * @throws {RouseError} `ALREADY_EXISTS` when one is there and differs, with `details.field`.
 * @see Durable Streams Protocol §5.1
 */
export function decideCreate(existing: StreamState | undefined, op: CreateStreamOp): "create" | "replace" | "exists" {
  if (existing === undefined) return "create"
  if (standingOf(existing, op.nowMs) === "absent") return "replace"
  refuseTaken(existing, op.path, op.nowMs, difference(existing, op))
  return "exists"
}

function difference(existing: StreamState, op: CreateStreamOp): string | undefined {
  if (existing.fork !== null) return "source"
  if (!sameContentType(existing.contentType, op.contentType)) return "contentType"
  if (existing.ttlSeconds !== (op.ttlSeconds ?? null)) return "ttlSeconds"
  if (existing.expiresAtMs !== (op.expiresAtMs ?? null)) return "expiresAtMs"
  return existing.closed === (op.closed ?? false) ? undefined : "closed"
}
