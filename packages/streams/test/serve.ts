import { createServer } from "node:http"
import type { Server } from "node:http"
import { getRequestListener } from "@hono/node-server"
import type { Streams, StreamsOptions } from "@rouse/streams"
import { createStreams, systemClock } from "@rouse/streams"
import { toNodeHandler } from "@rouse/streams/node"
import { openMemoryStore } from "@rouse/store"

export { systemClock }

export interface Served {
  /** Without a slash at its end. */
  readonly url: string
  readonly streams: Streams
  readonly errors: readonly unknown[]
  close(): Promise<void>
}

/** How requests come to the streams: by a `Request` and a `Response`, or straight from `node:http`. */
export type Front = "fetch" | "node"

/** Streams over a fresh store, behind a real socket. */
export async function serveStreams(options: Partial<StreamsOptions> = {}, front: Front = "node"): Promise<Served> {
  const errors: unknown[] = []
  const store = options.store ?? (await openMemoryStore({ clock: () => Date.now() }))
  const streams = createStreams({
    store,
    clock: systemClock,
    random: Math.random,
    onError: (error) => errors.push(error),
    ...options,
  })
  const byFetch = getRequestListener((request) => streams.fetch(request))
  const server = createServer(front === "node" ? toNodeHandler(streams) : (req, res) => void byFetch(req, res))
  const url = await listen(server)
  const close = async (): Promise<void> => {
    const closed = streams.close()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
    await closed
    await store.close()
  }
  return { url, streams, errors, close }
}

/** On any free port of this machine. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("the server has no port")
  return `http://127.0.0.1:${address.port}`
}
