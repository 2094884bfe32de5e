import type { Context } from "../context.ts"
import { nextCursor } from "../core/cursor.ts"
import { isJson } from "../core/media-type.ts"
import type { ReadRequest } from "../core/read-request.ts"
import type { Reply } from "../reply.ts"
import type { StreamRequest } from "../request.ts"
import { batchReply, contentHeaders, PIECE_BYTES, positionHeaders } from "./batch-reply.ts"
import { knownStream } from "./known-stream.ts"

/**
 * What is there from an offset on, up to a bound.
 *
 * @throws {RouseError} `UNKNOWN_STREAM`, `BAD_OFFSET`, `GONE`.
 * @see Durable Streams Protocol §5.5
 */
export async function catchUp(
  context: Context,
  request: StreamRequest,
  path: string,
  wanted: ReadRequest,
): Promise<Reply> {
  const nowMs = context.clock.now()
  const cursor = nextCursor(wanted.cursor, nowMs, context.random())
  if (wanted.offset === "now") return atTail(context, path, cursor)
  const result = wanted.snapshot
    ? await context.snapshots.open(path)
    : await context.store.read(path, wanted.offset, context.limits.readBytesMax, PIECE_BYTES)
  await context.touches.read(result.info)
  return batchReply(result, cursor, request.headers.get("if-none-match"), nowMs)
}

/** Nothing but the tail's offset. Not cacheable, because it moves. Durable Streams Protocol §6. */
async function atTail(context: Context, path: string, cursor: number): Promise<Reply> {
  const info = await knownStream(context.store, path)
  await context.touches.read(info)
  return {
    status: 200,
    headers: {
      ...positionHeaders({ next: info.next, upToDate: true }, info.closed, cursor),
      ...contentHeaders(info.contentType),
    },
    body: isJson(info.contentType) ? "[]" : "",
  }
}
