import type { Context } from "../context.ts"
import { isText } from "../core/media-type.ts"
import { STREAM_SSE_DATA_ENCODING } from "../core/names.ts"
import type { ReadRequest } from "../core/read-request.ts"
import type { Reply } from "../reply.ts"
import { knownStream } from "./known-stream.ts"
import { SseReader } from "./sse-reader.ts"

/**
 * A stream's batches as server-sent events: what is there, then what comes, until the stream closes or the connection's time is over.
 *
 * @throws {RouseError} `UNKNOWN_STREAM`, `BAD_OFFSET`, `GONE`, `OVERLOADED`, `SHUTTING_DOWN`.
 * @see Durable Streams Protocol §5.7
 */
export async function sse(context: Context, path: string, wanted: ReadRequest): Promise<Reply> {
  const reader = new SseReader(context, path, wanted.cursor)
  try {
    const from = wanted.offset === "now" ? (await knownStream(context.store, path)).next : wanted.offset
    const info = await reader.begin(from, wanted.snapshot ? await context.snapshots.open(path) : undefined)
    return {
      status: 200,
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
        ...(isText(info.contentType) ? {} : { [STREAM_SSE_DATA_ENCODING]: "base64" }),
      },
      body: reader,
    }
  } catch (error) {
    reader.end()
    throw error
  }
}
