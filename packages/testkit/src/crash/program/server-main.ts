import { flushCompileCache } from "node:module"
import { silentLog } from "@rouse/agents/runtime"
import { createServer } from "@rouse/server"
import { openStore } from "@rouse/store"
import { LedgerClient } from "../ledger-client.ts"
import { entitiesOf } from "./entities.ts"
import { plantedStore } from "./plants.ts"
import type { Plant } from "./plants.ts"
import { effectTools } from "./tools.ts"

/**
 * The server under test: a data directory, the ledger's address, and perhaps a planted mistake. Says `{ url, resumed }` when
 * it serves. Ends by itself when its input does; else it is killed.
 */
const PLANTED_LEASE_MS = 2_000
const [directory, ledgerUrl, plant] = process.argv.slice(2) as [string, string, Plant | undefined]
const ledger = new LedgerClient(ledgerUrl)
const store = await openStore({ directory, clock: Date.now })
const host = { clock: Date.now, random: Math.random, log: silentLog, deltaMs: 5 }
const server = createServer({
  store: plantedStore(store, plant),
  entities: entitiesOf({
    tools: effectTools({ ledger, random: Math.random, rerunOnce: plant === "rerun-once" }),
    random: Math.random,
  }),
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
  host,
  // A planted mistake may lose a lease: it is not to be waited out for as long as a real one.
  ...(plant === undefined ? {} : { limits: { leaseMs: PLANTED_LEASE_MS } }),
})

function complain(level: string, message: string, fields: unknown): void {
  process.stderr.write(`${level}: ${message} ${JSON.stringify(fields ?? {})}\n`)
}

async function end(): Promise<void> {
  await server.close({ graceMs: 5_000 })
  await store.close()
  ledger.close()
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
const { url } = await server.listen({ host: "127.0.0.1", port: 0 })
process.stdout.write(`${JSON.stringify({ url, resumed })}\n`)
flushCompileCache()
