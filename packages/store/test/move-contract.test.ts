import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import { reopenSuite } from "@rouse/testkit/store-suite"
import { afterAll, beforeAll, describe, vi } from "vitest"
import { openMovingStore } from "./moving.ts"

vi.setConfig({ testTimeout: 180_000 })

/** What the contract says of a store that is opened again holds when it is in the other engine by then. */
describe.skipIf(!hasPostgres())("moved whenever it is opened again", () => {
  let database: PostgresDatabase
  beforeAll(async () => {
    database = await sharedPostgres()
  })
  afterAll(() => database.close())

  reopenSuite("of either engine", ({ clock }) => openMovingStore(database.url, clock))
})
