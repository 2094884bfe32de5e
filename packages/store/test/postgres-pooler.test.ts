import type { Store } from "@rouse/store"
import { hasPostgres, postgresStores, sharedPostgres, startPooler, whyNoPooler } from "@rouse/testkit/postgres"
import type { Pooler, PostgresDatabase, PostgresStores } from "@rouse/testkit/postgres"
import { openPostgresStore } from "@rouse/store/postgres"
import { reopenSuite } from "@rouse/testkit/store-suite"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"

/** Through a real PgBouncer in transaction mode, with fewer connections to the database than clients have. */

vi.setConfig({ testTimeout: 180_000 })
const why = hasPostgres() ? whyNoPooler() : "there is no Postgres"

describe.skipIf(why !== undefined)(`behind PgBouncer ${why ?? ""}`, () => {
  let database: PostgresDatabase
  let pooler: Pooler
  let stores: PostgresStores
  beforeAll(async () => {
    database = await sharedPostgres()
    pooler = await startPooler(database)
    stores = postgresStores(database, { pooled: true, url: pooler.url })
  })
  afterAll(async () => {
    await stores.close()
    await pooler.stop()
    await database.close()
  })

  reopenSuite("in Postgres, through a pooler", (options) => stores.open(options))

  it("five replicas make the tables once, and write at once on fewer connections than they have", async () => {
    const open = (): Promise<Store> =>
      openPostgresStore({ url: pooler.url, schema: "shared", pooled: true, clock: Date.now })
    const all = await Promise.all(Array.from({ length: 5 }, open))
    const paths = Array.from({ length: 100 }, (_, n) => `at-once/${n}`)
    const create = (path: string) => ({ op: "createStream", path, contentType: "text/plain", nowMs: 0 }) as const
    await Promise.all(paths.map((path, n) => all[n % all.length]?.commit({ ops: [create(path)] })))
    for (const [n, path] of paths.entries()) {
      expect(await all[(n + 1) % all.length]?.stream(path)).toBeDefined()
    }
    for (const store of all) await store.close()
  })
})
