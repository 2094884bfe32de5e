import { openMemoryStore, type Store } from "@rouse/store"
import type { PostgresDatabase, PostgresStores } from "@rouse/testkit/postgres"
import { afterAll } from "vitest"

/** The engine under test: with `ROUSE_TEST_STORE=postgres` all that would be in memory is in a database of the file's own. */
const isPostgres = process.env["ROUSE_TEST_STORE"] === "postgres"

let database: Promise<{ readonly shared: PostgresDatabase; readonly stores: PostgresStores }> | undefined

if (isPostgres) {
  afterAll(async () => {
    const opened = await database
    database = undefined
    await opened?.stores.close()
    await opened?.shared.close()
  })
}

/** How many servers each harness has, on Postgres: `ROUSE_TEST_REPLICAS`. */
const replicas = isPostgres ? Number(process.env["ROUSE_TEST_REPLICAS"] ?? "1") : 1

const besides = new WeakMap<Store, () => Promise<Store>>()

/** What the replicas beside the one that has `store` have, to be closed before it. None for a store that is not from here. */
export async function storesBeside(store: Store): Promise<readonly Store[]> {
  const beside = besides.get(store)
  return beside ? Promise.all(Array.from({ length: replicas - 1 }, beside)) : []
}

/** An empty store, gone when it is closed. */
export async function openTestStore(options: { readonly clock: () => number }): Promise<Store> {
  if (!isPostgres) return openMemoryStore(options)
  const { postgresStores, sharedPostgres } = await import("@rouse/testkit/postgres")
  database ??= sharedPostgres().then((shared) => ({ shared, stores: postgresStores(shared) }))
  const { store, close, beside } = await (await database).stores.open(options)
  const closing = new Proxy(store, {
    get: (target, name) => {
      if (name === "close") return close
      const value: unknown = Reflect.get(target, name)
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
  besides.set(closing, beside)
  return closing
}
