import { serve } from "@hono/node-server"
import type { Clock, Streams, StreamsOptions } from "@rouse/streams"
import { createStreams } from "@rouse/streams"
import { openMemoryStore } from "@rouse/store"

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

export interface Served {
  /** Without a slash at its end. */
  readonly url: string
  readonly streams: Streams
  readonly errors: readonly unknown[]
  close(): Promise<void>
}

/** Streams over a fresh store, behind a real socket. */
export async function serveStreams(options: Partial<StreamsOptions> = {}): Promise<Served> {
  const errors: unknown[] = []
  const store = options.store ?? (await openMemoryStore({ clock: () => Date.now() }))
  const streams = createStreams({
    store,
    clock: systemClock,
    random: Math.random,
    onError: (error) => errors.push(error),
    ...options,
  })
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const listening = serve({ fetch: (request) => streams.fetch(request), hostname: "127.0.0.1", port: 0 }, () =>
      resolve(listening),
    )
  })
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("the server has no port")
  const close = async (): Promise<void> => {
    streams.close()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      if ("closeAllConnections" in server) server.closeAllConnections()
    })
    await store.close()
  }
  return { url: `http://127.0.0.1:${address.port}`, streams, errors, close }
}
