import type { EntityDefinition } from "@rouse/agents"
import { createServer, silentLog } from "@rouse/server"
import { openMemoryStore } from "@rouse/store"
import { onTestFinished } from "vitest"
import { createClient } from "../src/index.ts"
import type { Client, ClientOptions } from "../src/index.ts"

/** A real server in this process, on a port of its own, until the test ends. */
export async function serve(
  entities: readonly EntityDefinition[],
  options: Partial<ClientOptions> = {},
): Promise<Client> {
  const store = await openMemoryStore({ clock: Date.now })
  const host = { clock: Date.now, random: Math.random, log: silentLog }
  const server = createServer({ store, entities: [...entities], defer, host, ...host })
  await server.start()
  const listening = await server.listen({ host: "127.0.0.1", port: 0 })
  onTestFinished(async () => {
    await listening.close(0)
    await server.close({ graceMs: 100 })
    await store.close()
  })
  return createClient({ url: listening.url, ...options })
}

function defer(ms: number, fn: () => void): () => void {
  const timer = setTimeout(fn, ms)
  return () => clearTimeout(timer)
}

/** `fetch` as React Native has it: an answer is there when all of it is, and has no body to read from. */
export const bodylessFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init)
  const text = await response.text()
  const { ok, status, headers, url } = response
  return { ok, status, headers, url, body: undefined, text: async () => text } as unknown as Response
}
