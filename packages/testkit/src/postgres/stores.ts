import type { Store } from "@rouse/store"
import { openPostgresStore } from "@rouse/store/postgres"
import postgres from "postgres"
import type { OpenedStore } from "../store-suite.ts"

export interface OpenedPostgresStore extends OpenedStore {
  /** One more on the same tables, as another replica has it. Whoever opens it closes it, before this one. */
  readonly beside: () => Promise<Store>
}

/** Stores of one server, each empty when it is opened. */
export interface PostgresStores {
  open(options: { readonly clock: () => number }): Promise<OpenedPostgresStore>
  close(): Promise<void>
}

/** Making the tables takes longer than most tests: those of a store that is closed are emptied, and used again. */
export function postgresStores(
  server: { readonly url: string },
  options: {
    readonly pooled?: boolean
    /** Of a pooler that the stores are opened through. */
    readonly url?: string
  } = {},
): PostgresStores {
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  const free: string[] = []
  let made = 0
  return {
    async open({ clock }) {
      made += 1
      const schema = free.pop() ?? `store_${made}`
      const open = (): Promise<Store> => openPostgresStore({ url: server.url, schema, clock, ...options })
      let current = await open()
      return {
        store: current,
        beside: open,
        reopen: async () => {
          await current.close()
          current = await open()
          return current
        },
        close: async () => {
          await current.close()
          await empty(sql, schema)
          free.push(schema)
        },
      }
    },
    close: () => sql.end(),
  }
}

async function empty(sql: postgres.Sql, schema: string): Promise<void> {
  const tables = await sql`SELECT tablename FROM pg_tables WHERE schemaname = ${schema} AND tablename <> 'meta'`
  const statements = [
    ...tables.map(({ tablename }) => `DELETE FROM ${schema}."${String(tablename)}"`),
    `UPDATE ${schema}.meta SET value = '0' WHERE key = 'subscriptions'`,
    `INSERT INTO ${schema}.era (n, at) VALUES (0, ${Number.MIN_SAFE_INTEGER})`,
  ]
  await sql.unsafe(statements.join(";"))
}
