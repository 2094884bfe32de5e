import { openPostgresStore } from "@rouse/store/postgres"
import type { Store } from "@rouse/store"
import type { OpenedStore } from "@rouse/testkit/store-suite"
import postgres from "postgres"
import { afterAll } from "vitest"

export const URL = process.env["ROUSE_TEST_DATABASE_URL"] ?? "postgres://postgres@127.0.0.1:54999/postgres"
const sql = postgres(URL, { max: 2, onnotice: () => undefined })
const free: string[] = []
let made = 0

afterAll(async () => {
  for (const schema of free) await sql.unsafe(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await sql.end()
})

/** Making the tables takes longer than most tests: those of a store that is closed are emptied, and used again. */
export async function openEmptyStore({ clock }: { readonly clock: () => number }): Promise<OpenedStore> {
  const schema = free.pop() ?? `t${process.pid}_${(made += 1)}`
  const open = (): Promise<Store> => openPostgresStore({ url: URL, schema, clock })
  let current = await open()
  return {
    store: current,
    reopen: async () => {
      await current.close()
      current = await open()
      return current
    },
    close: async () => {
      await current.close()
      await empty(schema)
      free.push(schema)
    },
  }
}

async function empty(schema: string): Promise<void> {
  const tables = await sql`SELECT tablename FROM pg_tables WHERE schemaname = ${schema} AND tablename <> 'meta'`
  const all = tables.map(({ tablename }) => `DELETE FROM ${schema}."${tablename as string}"`)
  await sql.unsafe(
    [...all, `UPDATE ${schema}.meta SET value = '0' WHERE key = 'subscriptions'`, `INSERT INTO ${schema}.era (n, at) VALUES (0, -9007199254740991)`].join(";"),
  )
}
