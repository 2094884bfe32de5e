import type { Context } from "../context.ts"
import { STREAM_CLOSED, STREAM_EXPIRES_AT, STREAM_NEXT_OFFSET, STREAM_TTL } from "../core/names.ts"
import type { Reply } from "../reply.ts"
import { knownStream } from "./known-stream.ts"

/**
 * A stream's metadata. Does not count as a read: the time to live goes on.
 *
 * @throws {RouseError} `UNKNOWN_STREAM`.
 * @see Durable Streams Protocol §5.4
 */
export async function describe(context: Context, path: string): Promise<Reply> {
  const info = await knownStream(context.store, path)
  return {
    status: 200,
    headers: {
      "content-type": info.contentType,
      [STREAM_NEXT_OFFSET]: info.next,
      ...(info.closed ? { [STREAM_CLOSED]: "true" } : {}),
      ...(info.ttlSeconds === undefined ? {} : { [STREAM_TTL]: String(info.ttlSeconds) }),
      ...(info.ttlSeconds !== undefined || info.expiresAtMs === undefined
        ? {}
        : { [STREAM_EXPIRES_AT]: new Date(info.expiresAtMs).toISOString() }),
    },
  }
}
