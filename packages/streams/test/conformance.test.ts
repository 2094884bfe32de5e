import { registerHooks } from "node:module"
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

beforeAll(async () => {
  const cors = { origins: ["https://example.com"] }
  const subscriptions = { ...nodeWebhooks(), allowLoopbackWebhooks: true }
  served = await serveStreams({ longPollMs: LONG_POLL_MS, cors, subscriptions })
  target.baseUrl = served.url
})
afterAll(() => served.close())

runConformanceTests(target)
