import { postgresStores, startPostgres } from "@rouse/testkit/postgres"
import type { PostgresServer, PostgresStores } from "@rouse/testkit/postgres"
import { storeSuite } from "@rouse/testkit/store-suite"
import { afterAll, beforeAll, vi } from "vitest"

/** Every commit syncs a disk that others use, too. */
vi.setConfig({ testTimeout: 180_000 })

let server: PostgresServer
let stores: PostgresStores
beforeAll(async () => {
  server = await startPostgres()
  stores = postgresStores(server)
})
afterAll(async () => {
  await stores.close()
  await server.stop()
})

storeSuite("in Postgres", (options) => stores.open(options))
