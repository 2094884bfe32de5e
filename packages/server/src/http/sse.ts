/** One server-sent event. */
export interface ServerEvent {
  readonly event: string
  readonly data: unknown
  readonly id?: string
}

const HEARTBEAT = ": \n\n"
const encoder = new TextEncoder()

/** The bytes of events, in order. JSON has no raw line break, so one `data:` line holds each. */
export function encodeEvents(events: readonly ServerEvent[]): Uint8Array {
  let text = ""
  for (const { event, data, id } of events) {
    text += `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`
  }
  return encoder.encode(text)
}

/** A comment that keeps a quiet connection open. */
export function heartbeat(): Uint8Array {
  return encoder.encode(HEARTBEAT)
}

/**
 * A response that streams what `source` yields. The source is asked for more only when the reader has room, and is ended when
 * the reader goes away.
 */
export function streamResponse(source: AsyncGenerator<Uint8Array, void, undefined>, onClose: () => void): Response {
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await source.next()
          if (done) {
            onClose()
            controller.close()
          } else controller.enqueue(value)
        } catch (error) {
          onClose()
          controller.error(error)
        }
      },
      async cancel() {
        onClose()
        await source.return()
      },
    },
    { highWaterMark: 0 },
  )
  const headers = {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
  }
  return new Response(body, { headers })
}

/** Whether the client asked for server-sent events. */
export function wantsEvents(request: Request): boolean {
  return (request.headers.get("accept") ?? "").split(",").some((type) => type.trim().startsWith("text/event-stream"))
}
