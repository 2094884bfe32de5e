import type { Context } from "../context.ts"
import { knownStream } from "../read/known-stream.ts"
import type { Reply } from "../reply.ts"

/**
 * Deletes a stream and all its data. Who is reading it live is told that it is gone.
 *
 * @throws {RouseError} `UNKNOWN_STREAM`.
 * @see Durable Streams Protocol §5.3
 */
export async function remove(context: Context, path: string): Promise<Reply> {
  // What has expired may still lie in the store, and is not there to be deleted.
  await knownStream(context.store, path)
  await context.store.commit({ ops: [{ op: "deleteStream", path }] })
  return { status: 204, headers: {} }
}
