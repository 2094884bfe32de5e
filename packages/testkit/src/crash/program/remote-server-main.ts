import { nodeWebhooks } from "@rouse/streams/node"
import { serveChild } from "../serve-child.ts"

/** A server that runs no handler itself: a data directory, and a port, 0 for any. */
/** Short, so that a wake whose worker was killed is not waited for as long as a real one. */
const LEASE_MS = 1_500
const [directory = "", port = "0"] = process.argv.slice(2)
await serveChild({
  directory,
  port: Number(port),
  graceMs: 1_000,
  entities: [],
  webhooks: { ...nodeWebhooks({ keepAlive: true }), allowLoopback: true },
  limits: { remoteLeaseMs: LEASE_MS },
})
