import { hasPostgres } from "@rouse/testkit/postgres"
import { it } from "vitest"

/** The published suite on the distributed engine. */
process.env["ROUSE_STREAMS_STORE"] = "postgres"
if (hasPostgres()) await import("./conformance.test.ts")
else it.skip("on Postgres", () => undefined)
