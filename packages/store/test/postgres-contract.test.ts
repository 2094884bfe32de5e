import { hasPostgres, postgresStores, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase, PostgresStores } from "@rouse/testkit/postgres"
import { storeSuite } from "@rouse/testkit/store-suite"
import { afterAll, beforeAll, describe, vi } from "vitest"

vi.setConfig({ testTimeout: 180_000 })

describe.skipIf(!hasPostgres())("a real server", () => {
  let database: PostgresDatabase
  let stores: PostgresStores
  beforeAll(async () => {
    database = await sharedPostgres()
    stores = postgresStores(database)
  })
  afterAll(async () => {
    await stores.close()
    await database.close()
  })

  storeSuite("in Postgres", (options) => stores.open(options))
})
