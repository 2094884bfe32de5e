import { postgresStores, startPostgres } from "@rouse/testkit/postgres"
import type { PostgresServer, PostgresStores } from "@rouse/testkit/postgres"
import { storeSuite } from "@rouse/testkit/store-suite"
import { afterAll, beforeAll } from "vitest"

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
