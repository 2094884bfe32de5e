import type { Store } from "@rouse/store"
import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import postgres from "postgres"
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest"
import { openAtVersion } from "../src/postgres/open.ts"
import { MIGRATIONS } from "../src/postgres/schema.ts"
import type { Migration } from "../src/postgres/schema.ts"
import { LAST, LATER } from "./support/later-schema.ts"

/** Replicas of several versions on one database. A whole upgrade, with servers and under load, is in testkit's `rolling.test.ts`. */

const NOW = 1_800_000_000_000
vi.setConfig({ testTimeout: 180_000 })
const real = describe.skipIf(!hasPostgres())
let server: PostgresDatabase
let sql: postgres.Sql
const stores: Store[] = []

beforeAll(async () => {
  server = await sharedPostgres()
  sql = postgres(server.url, { max: 2, onnotice: () => undefined })
})
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
})
afterAll(async () => {
  await sql.end()
  await server.close()
})

async function open(schema: string, migrations: readonly Migration[], url = server.url): Promise<Store> {
  const store = await openAtVersion({ url, schema, clock: () => NOW }, migrations)
  stores.push(store)
  return store
}

const write = (store: Store, path: string) =>
  store.commit({ ops: [{ op: "createStream", path, contentType: "text/plain", nowMs: NOW }] })

const stamp = async (schema: string, key: string): Promise<string> => {
  const [row] = await sql`SELECT value FROM ${sql(schema)}.meta WHERE key = ${key}`
  return String(row?.["value"])
}

real("an upgrade", () => {
  it("that only adds leaves the oldest version that may run alone, and older replicas run and start", async () => {
    const old = await open("adds", MIGRATIONS)
    await write(old, "before")
    const later = await open("adds", LATER)
    expect(await stamp("adds", "version")).toBe(String(LATER.length))
    expect(await stamp("adds", "least")).toBe("1")
    await write(old, "beside/old")
    await write(later, "beside/later")
    const again = await open("adds", MIGRATIONS)
    await write(again, "again")
    for (const path of ["before", "beside/old", "beside/later", "again"]) {
      for (const store of [old, later, again]) expect(await store.stream(path)).toMatchObject({ path })
    }
  })

  it("that takes away refuses an older replica that starts, and says which version is needed", async () => {
    await open("takes", LAST)
    expect(await stamp("takes", "least")).toBe("2")
    await open("takes", LATER)
    await expect(open("takes", MIGRATIONS)).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringMatching(/needs a Rouse of schema version 2 or newer, and this one is of 1/),
      details: { least: 2, known: 1 },
    })
  })

  it("that takes away tells an older replica that runs with its next commit, and no other", async () => {
    const first = await open("tells", MIGRATIONS)
    await write(first, "first")
    const second = await open("tells", LATER)
    await write(second, "second")
    await open("tells", LAST)
    await expect(write(first, "third")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", details: { least: 2 } })
    await expect(write(first, "third")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", details: { least: 2 } })
    await write(second, "third")
  })

  it("is not cut by the bound on statements, neither while it works nor while it waits for another replica", async () => {
    await open("slow", MIGRATIONS)
    const slow: Migration = { steps: () => ["DO $slow$ BEGIN PERFORM pg_sleep(2); END $slow$"] }
    const hasty = `${server.url}?statement_timeout=1500`
    await Promise.all([1, 2, 3].map(() => open("slow", [...MIGRATIONS, slow], hasty)))
    expect(await stamp("slow", "version")).toBe("2")
  })

  it("that fails leaves everything as it was", async () => {
    const old = await open("fails", MIGRATIONS)
    const fails: Migration = { steps: () => ["CREATE TABLE half (a int)", "SELECT nonsense"], least: 2 }
    await expect(open("fails", [...MIGRATIONS, fails])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" })
    expect(await stamp("fails", "version")).toBe("1")
    expect(await stamp("fails", "least")).toBe("1")
    await write(old, "after")
  })
})
