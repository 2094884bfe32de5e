import { createServer } from "node:http"
import type { Server } from "node:net"
import { getRequestListener } from "@hono/node-server"
import type { Streams, StreamsOptions } from "@rouse/streams"
import { createStreams, systemClock } from "@rouse/streams"
import { createFront, toNodeHandler } from "@rouse/streams/node"
import { openMemoryStore } from "@rouse/store"

export { systemClock }

export interface Served {
  /** Without a slash at its end. */
  readonly url: string
  readonly streams: Streams
  readonly errors: readonly unknown[]
  close(): Promise<void>
}

/** How requests come to the streams: by a front of our own, by `node:http`, or by a `Request` and a `Response`. */
export type Front = "net" | "node" | "fetch"

const FRONTS: readonly string[] = ["net", "node", "fetch"] satisfies readonly Front[]

/** The one that the environment asks for, so that every suite can be run on each. */
export function chosenFront(): Front {
  const front = process.env["ROUSE_STREAMS_FRONT"] ?? "net"
  if (!FRONTS.includes(front)) throw new Error(`ROUSE_STREAMS_FRONT is ${front}`)
  return front as Front
}

/** Streams over a fresh store, behind a real socket. */
export async function serveStreams(options: Partial<StreamsOptions> = {}, front = chosenFront()): Promise<Served> {
  const errors: unknown[] = []
  const store = options.store ?? (await openMemoryStore({ clock: () => Date.now() }))
  const streams = createStreams({
    store,
    clock: systemClock,
    random: Math.random,
    onError: (error) => errors.push(error),
    ...options,
  })
  const { server, end } = serverOf(streams, front)
  const url = await listen(server)
  const close = async (): Promise<void> => {
    const closed = streams.close()
    await end()
    await closed
    await store.close()
  }
  return { url, streams, errors, close }
}

function serverOf(streams: Streams, front: Front): { readonly server: Server; readonly end: () => Promise<void> } {
  if (front === "net") {
    const ours = createFront(streams, { clock: systemClock })
    return { server: ours.server, end: () => ours.close(0) }
  }
  const byFetch = getRequestListener((request) => streams.fetch(request))
  const server = createServer(front === "node" ? toNodeHandler(streams) : (req, res) => void byFetch(req, res))
  const end = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { server, end }
}

/** On any free port of this machine. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("the server has no port")
  return `http://127.0.0.1:${address.port}`
}
