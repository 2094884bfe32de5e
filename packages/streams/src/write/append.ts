import { RouseError } from "@rouse/protocol"
import type { AppendOp } from "@rouse/store"
import { readBody } from "../body.ts"
import type { Context } from "../context.ts"
import type { AppendRequest } from "../core/append-request.ts"
import { parseAppend } from "../core/append-request.ts"
import { invalid } from "../core/header-values.ts"
import { batchOfJson } from "../core/json-batch.ts"
import { isJson } from "../core/media-type.ts"
import { PRODUCER_EPOCH, PRODUCER_SEQ, STREAM_CLOSED, STREAM_NEXT_OFFSET } from "../core/names.ts"
import type { Reply } from "../reply.ts"
import type { StreamRequest } from "../request.ts"
import { commitStream } from "./commit-stream.ts"
import { refusal } from "./refusal.ts"

/**
 * Appends to a stream, closes it, or both at once.
 *
 * `Stream-Seq` is compared over the whole stream, whoever writes.
 *
 * @throws {RouseError} `BAD_REQUEST`, `BAD_JSON`, `TOO_LARGE`, and what the store refuses with no header of its own.
 * @see Durable Streams Protocol §5.2, §5.2.1
 */
export async function append(context: Context, request: StreamRequest, path: string): Promise<Reply> {
  const wanted = parseAppend(request.headers)
  const body = await readBody(request, context.limits.bodyBytesMax)
  const op = appendOp(path, wanted, body, context.clock.now())
  try {
    const { outcome, applied } = await commitStream(context.store, op)
    const producer = wanted.producer && (outcome.producer ?? wanted.producer)
    return {
      status: wanted.producer !== undefined && applied && body.length > 0 ? 200 : 204,
      headers: {
        [STREAM_NEXT_OFFSET]: outcome.next,
        ...(producer && { [PRODUCER_EPOCH]: String(producer.epoch), [PRODUCER_SEQ]: String(producer.seq) }),
        ...(outcome.closed ? { [STREAM_CLOSED]: "true" } : {}),
      },
    }
  } catch (error) {
    return refusal(op, error)
  }
}

function appendOp(path: string, wanted: AppendRequest, body: Uint8Array, nowMs: number): AppendOp {
  const { contentType, close, producer, streamSeq } = wanted
  const shared = {
    op: "append",
    path,
    close,
    nowMs,
    ...(producer && { producer }),
    ...(streamSeq !== undefined && { streamSeq }),
  } as const
  if (body.length === 0) {
    if (!close) throw new RouseError("BAD_REQUEST", "body: an append needs at least one byte")
    return { ...shared, data: body }
  }
  if (contentType === undefined) throw invalid("Content-Type", "is required and must be the stream's")
  return { ...shared, contentType, data: isJson(contentType) ? batchOfJson(body, false) : body }
}
