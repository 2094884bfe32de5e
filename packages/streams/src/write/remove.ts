import type { Context } from "../context.ts"
import type { Reply } from "../reply.ts"

/**
 * Deletes a stream and all its data. Who is reading it live is told that it is gone.
 *
 * @throws {RouseError} `UNKNOWN_STREAM`.
 * @see Durable Streams Protocol §5.3
 */
export async function remove(context: Context, path: string): Promise<Reply> {
  await context.store.commit({ ops: [{ op: "deleteStream", path }] })
  return { status: 204, headers: {} }
}
