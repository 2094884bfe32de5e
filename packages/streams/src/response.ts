import type { Feed, Reply } from "./reply.ts"

/** A reply as the `Response` of a fetch handler. */
export function responseOf({ status, headers, body }: Reply): Response {
  const isFeed = typeof body === "object" && "next" in body
  const init = isFeed ? streamOf(body) : (body ?? null)
  return new Response(init as ConstructorParameters<typeof Response>[0], { status, headers })
}

/** Asks for bytes only when its consumer does. */
function streamOf(feed: Feed): ReadableStream<Uint8Array> {
  let isCancelled = false
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await feed.next()
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
