import { createStore } from "./store.ts"
import type { Readable } from "./store.ts"

/** How the page stands with the server. `refused`: it answered that a token is missing or wrong. */
export type Connection = "connecting" | "online" | "reconnecting" | "offline" | "refused"

/**
 * Watches every request of the page and says how the connection is.
 *
 * A request that gets any answer shows that the server is there; one that fails without an answer, and was not given up by the page,
 * shows that it is not.
 */
export function watchConnection(send: typeof fetch): {
  readonly fetch: typeof fetch
  readonly state: Readable<Connection>
  close(): void
} {
  const state = createStore<Connection>(navigator.onLine ? "connecting" : "offline")
  const answered = (status: number): void => {
    state.set(status === 401 ? "refused" : "online")
  }
  const failed = (): void => {
    state.set(navigator.onLine ? "reconnecting" : "offline")
  }
  const onOffline = (): void => state.set("offline")
  const onOnline = (): void => state.update((value) => (value === "offline" ? "reconnecting" : value))
  addEventListener("offline", onOffline)
  addEventListener("online", onOnline)
  const watched: typeof fetch = async (input, init) => {
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined)
    try {
      const response = await send(input, init)
      answered(response.status)
      return noticeLoss(response, () => !signal?.aborted && failed())
    } catch (error) {
      if (!signal?.aborted) failed()
      throw error
    }
  }
  return {
    fetch: watched,
    state,
    close: () => {
      removeEventListener("offline", onOffline)
      removeEventListener("online", onOnline)
    },
  }
}

/** The same response, whose body tells when it breaks in the middle. */
function noticeLoss(response: Response, lost: () => void): Response {
  if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream")) return response
  const reader = response.body.getReader()
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      } catch (error) {
        lost()
        controller.error(error)
      }
    },
    cancel: (reason) => reader.cancel(reason),
  })
  return new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers })
}
