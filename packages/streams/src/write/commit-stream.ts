import { strict as assert } from "node:assert"
import type { AppendOp, CreateStreamOp, ForkStreamOp, Store, StreamOutcome } from "@rouse/store"

/** Commits one operation on one stream. `applied` is false when a producer had sent it before. */
export async function commitStream(
  store: Store,
  op: CreateStreamOp | ForkStreamOp | AppendOp,
): Promise<{ readonly outcome: StreamOutcome; readonly applied: boolean }> {
  const result = await store.commit({ ops: [op] })
  const outcome = result.streams[op.path]
  assert(outcome !== undefined, "a commit must say what became of each stream it touched")
  return { outcome, applied: result.applied }
}
