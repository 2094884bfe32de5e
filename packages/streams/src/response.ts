import { concat, nextOf } from "./reply.ts"
import type { Feed, Pieces, Reply } from "./reply.ts"

/** A reply as the `Response` of a fetch handler. */
export function responseOf({ status, headers, body }: Reply): Response {
  return new Response(initOf(body) as ConstructorParameters<typeof Response>[0], { status, headers })
}

function initOf(body: Reply["body"]): unknown {
  if (typeof body !== "object") return body ?? null
  if ("poll" in body) return streamOf(body)
  if ("take" in body) return concat([...taken(body)])
  return body instanceof Uint8Array ? body : concat(body)
}

function* taken(pieces: Pieces): Iterable<Uint8Array> {
  for (let piece = pieces.take(); piece !== undefined; piece = pieces.take()) yield piece
}

/** Asks for bytes only when its consumer does. */
function streamOf(feed: Feed): ReadableStream<Uint8Array> {
  let isCancelled = false
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await nextOf(feed)
        if (isCancelled) return
        if (bytes === undefined) controller.close()
        else controller.enqueue(bytes)
      },
      cancel() {
        isCancelled = true
        feed.cancel()
      },
    },
    { highWaterMark: 0 },
  )
}
