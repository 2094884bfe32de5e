import { silentLog } from "@rouse/agents/runtime"
import { createServer } from "@rouse/server"
import { openStore } from "@rouse/store"
import { nodeWebhooks } from "@rouse/streams/node"

/**
 * A server that runs no handler itself: a data directory, and a port, 0 for any. Says `{ url, resumed }` when it serves. Ends by itself when its
 * input does.
 */
/** Short, so that a wake whose worker was killed is not waited for as long as a real one. */
const LEASE_MS = 1_500
const [directory = "", port = "0"] = process.argv.slice(2)
const store = await openStore({ directory, clock: Date.now })
const server = createServer({
  store,
  entities: [],
  clock: Date.now,
  random: Math.random,
  defer: (ms, fn) => {
    const timer = setTimeout(fn, ms)
    return () => clearTimeout(timer)
  },
  log: {
    debug: () => undefined,
    info: () => undefined,
    warn: (message, fields) => complain("warn", message, fields),
    error: (message, fields) => complain("error", message, fields),
  },
  host: { clock: Date.now, random: Math.random, log: silentLog },
  webhooks: { ...nodeWebhooks({ keepAlive: true }), allowLoopback: true },
  limits: { remoteLeaseMs: LEASE_MS },
})

function complain(level: string, message: string, fields: unknown): void {
  process.stderr.write(`${level}: ${message} ${JSON.stringify(fields ?? {})}\n`)
}

async function end(): Promise<void> {
  await server.close({ graceMs: 1_000 })
  await store.close()
  process.exit(0)
}

process.once("SIGTERM", () => {
  end().catch((error: unknown) => {
    complain("error", "the server did not end well", { error: String(error) })
    process.exit(1)
  })
})
process.stdin.on("end", () => process.exit(0)).resume()

const resumed = await server.start()
const { url } = await server.listen({ host: "127.0.0.1", port: Number(port) })
process.stdout.write(`${JSON.stringify({ url, resumed })}\n`)
