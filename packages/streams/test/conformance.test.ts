import { registerHooks } from "node:module"
import { nodeWebhooks } from "@rouse/streams/node"
import { afterAll, beforeAll } from "vitest"
import { serveReplicas } from "./replicas.ts"
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
let close: () => Promise<void>

beforeAll(async () => {
  const isPostgres = process.env["ROUSE_STREAMS_STORE"] === "postgres"
  const options = {
    longPollMs: LONG_POLL_MS,
    cors: { origins: ["https://example.com"] },
    subscriptions: { ...nodeWebhooks(), allowLoopbackWebhooks: true },
  }
  const served = isPostgres ? await serveReplicas(replicas(), options) : await serveStreams(options)
  target.baseUrl = served.url
  close = () => served.close()
})
afterAll(() => close())

runConformanceTests(target)

/** How many servers there are on the one database. */
function replicas(): number {
  const count = Number(process.env["ROUSE_STREAMS_REPLICAS"] ?? "1")
  if (!Number.isInteger(count) || count < 1) throw new Error(`ROUSE_STREAMS_REPLICAS is ${count}`)
  return count
}
