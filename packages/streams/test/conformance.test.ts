import { registerHooks } from "node:module"
import type { Store } from "@rouse/store"
import { nodeWebhooks } from "@rouse/streams/node"
import { afterAll, beforeAll } from "vitest"
import type { Served } from "./serve.ts"
import { serveStreams } from "./serve.ts"

/** The suite that every Durable Streams server is measured by, as published. */

const SUITE = "@durable-streams/server-conformance-tests"

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== "vitest" || !context.parentURL?.includes(SUITE)) return next(specifier, context)
    return { url: new URL("./conformance/vitest.ts", import.meta.url).href, shortCircuit: true }
  },
})
const { runConformanceTests } = (await import(SUITE)) as typeof import("@durable-streams/server-conformance-tests")

const LONG_POLL_MS = 500
const target = { baseUrl: "", longPollTimeoutMs: LONG_POLL_MS, subscriptions: true }
let served: Served
let database: { readonly store: Store; close(): Promise<void> } | undefined

beforeAll(async () => {
  const cors = { origins: ["https://example.com"] }
  const subscriptions = { ...nodeWebhooks(), allowLoopbackWebhooks: true }
  if (process.env["ROUSE_STREAMS_STORE"] === "postgres") database = await openDatabase()
  served = await serveStreams({
    ...(database && { store: database.store }),
    longPollMs: LONG_POLL_MS,
    cors,
    subscriptions,
  })
  target.baseUrl = served.url
})
afterAll(async () => {
  await served.close()
  await database?.close()
})

runConformanceTests(target)

async function openDatabase(): Promise<NonNullable<typeof database>> {
  const { postgresStores, sharedPostgres } = await import("@rouse/testkit/postgres")
  const shared = await sharedPostgres()
  const stores = postgresStores(shared)
  const { store } = await stores.open({ clock: Date.now })
  return {
    store,
    close: async () => {
      await stores.close()
      await shared.close()
    },
  }
}
