import { RouseError } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import type { ReadResult } from "@rouse/store"
import type { Context } from "../context.ts"
import { nextCursor } from "../core/cursor.ts"
import type { ReadRequest } from "../core/read-request.ts"
import type { Tail } from "../live/tail.ts"
import type { Reply } from "../reply.ts"
import type { StreamRequest } from "../request.ts"
import { batchReply, PIECE_BYTES, positionHeaders } from "./batch-reply.ts"
import { knownStream } from "./known-stream.ts"

/**
 * What is there from an offset on, or, when that is nothing, what comes within the time that a poll waits.
 *
 * @throws {RouseError} `UNKNOWN_STREAM` (also when it is deleted meanwhile), `BAD_OFFSET`, `GONE`, `OVERLOADED`, `SHUTTING_DOWN`.
 * @see Durable Streams Protocol §5.6
 */
export async function longPoll(
  context: Context,
  request: StreamRequest,
  path: string,
  wanted: ReadRequest,
): Promise<Reply> {
  using tail = context.readers.open(path)
  const from = wanted.offset === "now" ? (await knownStream(context.store, path)).next : wanted.offset
  let result = wanted.snapshot ? await context.snapshots.open(path) : await read(context, path, from)
  if (result.data.length === 0 && !result.info.closed) {
    await wait(context, request.signal, tail, result)
    result = await readOn(context, path, result)
  }
  await context.touches.read(result.info)
  const nowMs = context.clock.now()
  const cursor = nextCursor(wanted.cursor, nowMs, context.random())
  if (result.data.length > 0) return batchReply(result, cursor, request.headers.get("if-none-match"), nowMs)
  return { status: 204, headers: positionHeaders(result, result.info.closed, cursor) }
}

function read(context: Context, path: string, from: Offset): Promise<ReadResult> {
  return context.store.read(path, from, context.limits.readBytesMax, PIECE_BYTES)
}

async function readOn(context: Context, path: string, before: ReadResult): Promise<ReadResult> {
  const result = await read(context, path, before.next)
  if (result.info.incarnation === before.info.incarnation) return result
  throw new RouseError("UNKNOWN_STREAM", `the stream at ${path} was deleted`)
}

async function wait(context: Context, signal: AbortSignal, tail: Tail, result: ReadResult): Promise<void> {
  const end = (): void => tail.end()
  const cancelTimer = context.clock.after(context.limits.longPollMs, end)
  signal.addEventListener("abort", end, { once: true })
  tail.seen(result.info)
  await tail.wait(result.next)
  signal.removeEventListener("abort", end)
  cancelTimer()
}
