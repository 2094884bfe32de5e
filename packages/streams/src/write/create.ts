import type { StreamOutcome } from "@rouse/store"
import { readBody } from "../body.ts"
import type { Context } from "../context.ts"
import { parseCreate } from "../core/create-request.ts"
import { parseFork } from "../core/fork-request.ts"
import { batchOfJson } from "../core/json-batch.ts"
import { DEFAULT_MEDIA_TYPE, isJson } from "../core/media-type.ts"
import { STREAM_CLOSED, STREAM_NEXT_OFFSET } from "../core/names.ts"
import type { Reply } from "../reply.ts"
import type { StreamRequest, Target } from "../request.ts"
import { commitStream } from "./commit-stream.ts"
import { inheritedType } from "./inherited-type.ts"

/**
 * Makes a stream, empty or from another's beginning, or confirms that it is as asked for.
 *
 * @throws {RouseError} `BAD_REQUEST`, `BAD_JSON`, `TOO_LARGE`; `ALREADY_EXISTS` when it is there and differs; what the store says of
 *   a source.
 * @see Durable Streams Protocol §4.2, §5.1
 */
export async function create(context: Context, request: StreamRequest, url: Target, path: string): Promise<Reply> {
  const nowMs = context.clock.now()
  const wanted = parseCreate(request.headers, nowMs)
  const fork = parseFork(request.headers, context.basePath)
  if (fork !== undefined) await context.guard?.({ request, target: url, path: fork.source, write: false })
  const body = await readBody(request, context.limits.bodyBytesMax)
  const contentType =
    wanted.contentType ??
    (fork === undefined ? DEFAULT_MEDIA_TYPE : await inheritedType(context.store, fork.source, path))
  const data = body.length > 0 && isJson(contentType) ? batchOfJson(body, true) : body
  const stream = { path, ...wanted, contentType, ...(data.length > 0 ? { data } : {}), nowMs }
  const { outcome } = await commitStream(
    context.store,
    fork === undefined ? { op: "createStream", ...stream } : { op: "forkStream", ...fork, ...stream },
  )
  return replyOf(outcome, contentType, url)
}

function replyOf(outcome: StreamOutcome, contentType: string, url: Target): Reply {
  const created = outcome.created === true
  return {
    status: created ? 201 : 200,
    headers: {
      "content-type": contentType,
      [STREAM_NEXT_OFFSET]: outcome.next,
      ...(created ? { location: url.origin + url.pathname } : {}),
      ...(outcome.closed ? { [STREAM_CLOSED]: "true" } : {}),
    },
  }
}
