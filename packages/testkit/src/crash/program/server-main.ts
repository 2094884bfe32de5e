import { flushCompileCache } from "node:module"
import { adminToken } from "@rouse/server"
import { LedgerClient } from "../ledger-client.ts"
import { serveChild } from "../serve-child.ts"
import { entitiesOf } from "./entities.ts"
import { plantedStore } from "./plants.ts"
import type { Plant } from "./plants.ts"
import { effectTools } from "./tools.ts"

/** The server under test: a data directory, the ledger's address, and perhaps a planted mistake. */
const PLANTED_LEASE_MS = 2_000
const [directory, ledgerUrl, plant] = process.argv.slice(2) as [string, string, Plant | undefined]
const database = process.env["ROUSE_DATABASE_URL"]
const { ROUSE_CRASH_HOST: host, ROUSE_CRASH_TOKEN: token } = process.env
const ledger = new LedgerClient(ledgerUrl)
const tools = effectTools({ ledger, random: Math.random, rerunOnce: plant === "rerun-once" })
await serveChild({
  directory,
  ...(database === undefined ? {} : { database }),
  port: 0,
  ...(host === undefined ? {} : { host }),
  ...(token === undefined ? {} : { tokens: [adminToken("ROUSE_CRASH_TOKEN", token)] }),
  graceMs: 5_000,
  deltaMs: 5,
  entities: entitiesOf({ tools, random: Math.random }),
  wrap: (store) => plantedStore(store, plant),
  closed: () => ledger.close(),
  // A planted mistake may lose a lease: it is not to be waited out for as long as a real one.
  ...(plant === undefined ? {} : { limits: { leaseMs: PLANTED_LEASE_MS } }),
})
flushCompileCache()
