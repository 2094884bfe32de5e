import { createServer } from "@rouse/server"
import type { Limits, Token } from "@rouse/server"
import { openMemoryStore } from "@rouse/store"
import type { Store } from "@rouse/store"
import { pageDirectory } from "../../root.js"
import { assistant, clerk, crasher, painter, till } from "./entities.ts"

export interface TestServer {
  readonly url: string
  readonly store: Store
  close(): Promise<void>
  /** Ends it, keeps what it stored, and begins anew on the same port. */
  restart(port: number, meanwhile: () => Promise<void>): Promise<TestServer>
}

/** A whole Rouse on a free port of this machine, with the built page, in memory. */
export async function startServer(
  options: {
    readonly tokens?: readonly Token[]
    readonly limits?: Partial<Limits>
    readonly port?: number
    readonly store?: Store
  } = {},
): Promise<TestServer> {
  const store = options.store ?? (await openMemoryStore({ clock: Date.now }))
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }
  const server = createServer({
    store,
    entities: [assistant, clerk, crasher, painter, till],
    clock: Date.now,
    random: Math.random,
    defer: (ms, fn) => {
      const timer = setTimeout(fn, ms)
      return () => clearTimeout(timer)
    },
    log,
    host: { clock: Date.now, random: Math.random, log },
    page: pageDirectory,
    ...(options.tokens && { tokens: options.tokens }),
    ...(options.limits && { limits: options.limits }),
  })
  await server.start()
  const { url } = await server.listen({ host: "127.0.0.1", port: options.port ?? 0 })
  return {
    url,
    store,
    close: async () => {
      await server.close({ graceMs: 500 })
      await store.close()
    },
    restart: async (port, meanwhile) => {
      await server.close({ graceMs: 500 })
      await meanwhile()
      return await startServer({ ...options, port, store })
    },
  }
}

const ignore = (): void => undefined
