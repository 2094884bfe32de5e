import { readBody } from "../body.ts"
import type { Context } from "../context.ts"
import { parseCreate } from "../core/create-request.ts"
import { batchOfJson } from "../core/json-batch.ts"
import { isJson } from "../core/media-type.ts"
import { STREAM_CLOSED, STREAM_NEXT_OFFSET } from "../core/names.ts"
import type { Reply } from "../reply.ts"
import { commitStream } from "./commit-stream.ts"

/**
 * Makes a stream, or confirms that it is as asked for.
 *
 * @throws {RouseError} `BAD_REQUEST`, `BAD_JSON`, `TOO_LARGE`; `ALREADY_EXISTS` when it is there and differs.
 * @see Durable Streams Protocol §5.1
 */
export async function create(context: Context, request: Request, url: URL, path: string): Promise<Reply> {
  const nowMs = context.clock.now()
  const wanted = parseCreate(request.headers, nowMs)
  const body = await readBody(request, context.limits.bodyBytesMax)
  const data = body.length > 0 && isJson(wanted.contentType) ? batchOfJson(body, true) : body
  const { outcome } = await commitStream(context.store, {
    op: "createStream",
    path,
    ...wanted,
    ...(data.length > 0 ? { data } : {}),
    nowMs,
  })
  const created = outcome.created === true
  return {
    status: created ? 201 : 200,
    headers: {
      "content-type": wanted.contentType,
      [STREAM_NEXT_OFFSET]: outcome.next,
      ...(created ? { location: url.origin + url.pathname } : {}),
      ...(outcome.closed ? { [STREAM_CLOSED]: "true" } : {}),
    },
  }
}
