import { hasPostgres } from "@rouse/testkit/postgres"
import { it } from "vitest"

/**
 * The server on the distributed engine: what rests most on what the store says of changes by others. The rest runs on it, too:
 * `ROUSE_TEST_STORE=postgres npx vitest run packages/server`.
 */
process.env["ROUSE_TEST_STORE"] = "postgres"
if (hasPostgres()) {
  await import("./wakes.test.ts")
  await import("./observe.test.ts")
  await import("./shared.test.ts")
} else it.skip("on Postgres", () => undefined)
