import { hasPostgres } from "@rouse/testkit/postgres"
import { it } from "vitest"

/** The published suite on three servers of one database, each request to any of them. */
process.env["ROUSE_STREAMS_STORE"] = "postgres"
process.env["ROUSE_STREAMS_REPLICAS"] = "3"
if (hasPostgres()) await import("./conformance.test.ts")
else it.skip("on Postgres", () => undefined)
