import { execFileSync, spawnSync } from "node:child_process"
import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import postgres from "postgres"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { directory, rouse, served } from "./harness.ts"

const ROWS = 400
const KILLS = 2

const CLERK = `import { defineEntity, pgTable } from "@rouse/agents"
export const clerk = defineEntity("clerk", {
  state: { seen: { schema: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } }, key: "id" } },
  handler(ctx, wake) {
    ctx.observe(pgTable("orders", { source: "shop", on: "insert" }))
    for (const { count, from } of wake.changes) ctx.state.seen.insert({ id: from, count })
  },
})
`

/** Debian: `apt-get install postgresql-client`. */
const hasPsql = spawnSync("psql", ["--version"]).status === 0

let database: PostgresDatabase
let sql: postgres.Sql
beforeAll(async () => {
  database = await sharedPostgres()
  sql = postgres(database.url, { onnotice: () => undefined })
})
afterAll(async () => {
  await sql.end()
  await database.close()
})

describe.skipIf(!hasPostgres())("rouse pg-source", () => {
  test("install prints what it does; servers that are killed at any moment tell of every row once", async () => {
    await using place = await directory({ "a.ts": CLERK })
    await sql.unsafe("CREATE TABLE orders (id int8 PRIMARY KEY, card text)")
    const env = { ROUSE_PG_SOURCE_URL: database.url }
    const only = await rouse(["pg-source", "install", "orders", "--columns", "id", "--print"], { cwd: place.path, env })
    expect(only).toMatchObject({ code: 0, err: "Nothing was changed.\n" })
    expect(await sql`SELECT FROM pg_namespace WHERE nspname = 'rouse_feed'`).toHaveLength(0)
    const done = await rouse(["pg-source", "install", "orders", "--columns", "id"], { cwd: place.path, env })
    expect(done).toMatchObject({ code: 0, out: only.out })
    expect(done.out).toContain("CREATE OR REPLACE TRIGGER rouse_change")

    const start = ["start", "a.ts", "--data", `${place.path}/data`, "--pg-source", `shop=${database.url}`]
    let inserted = 0
    const insert = async (rows: number): Promise<void> => {
      for (const until = inserted + rows; inserted < until; inserted += 1)
        await sql`INSERT INTO orders VALUES (${inserted}, 'hush')`
    }
    for (let kill = 0; kill < KILLS; kill += 1) {
      await using running = await served(place.path, start)
      if (kill === 0) {
        await running.rouse("spawn", "/clerk/one", "--message", "begin")
        await waitFor(async () => (await running.rouse("state", "/clerk/one", "subscription")).out.includes("pg/shop"))
      }
      const writing = insert(ROWS / (KILLS + 1))
      await waitFor(() => Promise.resolve(inserted > ((kill + 0.5) * ROWS) / (KILLS + 1)))
      running.running.child.kill("SIGKILL")
      await writing
    }
    await insert(ROWS - inserted)
    await using last = await served(place.path, start)
    await waitFor(async () => (await sql`SELECT FROM rouse_feed.change LIMIT 1`).length === 0)
    const told = await (await fetch(`${last.url}/v1/stream/pg/shop/orders`)).text()
    const keys = (JSON.parse(told) as { key: string }[]).map(({ key }) => Number(key))
    expect(keys).toEqual(Array.from({ length: ROWS }, (_, at) => at))
    expect(told).not.toContain("hush")
    await waitFor(async () => (await seen(last.url)) >= ROWS)
    expect(await seen(last.url)).toBe(ROWS)
  }, 120_000)

  test.skipIf(!hasPsql)(
    "an edit made with psql rouses the agent, once, also while no server was there",
    async () => {
      await using place = await directory({
        "a.ts": CLERK.replace(/"orders"/, '"bills"').replace('on: "insert"', 'on: "update"'),
      })
      const psql = (statement: string): void => void execFileSync("psql", [database.url, "-qc", statement])
      psql(
        "CREATE TABLE bills (id int8 PRIMARY KEY, paid boolean NOT NULL); INSERT INTO bills VALUES (1, false), (2, false)",
      )
      const env = { ROUSE_PG_SOURCE_URL: database.url }
      expect(await rouse(["pg-source", "install", "bills"], { cwd: place.path, env })).toMatchObject({ code: 0 })
      const start = ["start", "a.ts", "--data", `${place.path}/data`, "--pg-source", `shop=${database.url}`]
      {
        await using first = await served(place.path, start)
        await first.rouse("spawn", "/clerk/one", "--message", "begin")
        await first.rouse("spawn", "/clerk/asleep")
        await waitFor(async () => (await first.rouse("state", "/clerk/one", "subscription")).out.includes("pg/shop"))
        psql("UPDATE bills SET paid = true WHERE id = 1")
        await waitFor(async () => (await seen(first.url)) === 1)
      }
      psql("UPDATE bills SET paid = true WHERE id = 2")
      await using second = await served(place.path, start)
      await waitFor(async () => (await seen(second.url)) > 1)
      psql("UPDATE bills SET paid = false WHERE id = 1")
      await waitFor(async () => (await seen(second.url)) > 2)
      expect(await seen(second.url)).toBe(3)
      const { rows } = (await (await fetch(`${second.url}/v1/entities/clerk/asleep/state/run`)).json()) as { rows: [] }
      expect(rows).toEqual([])
    },
    120_000,
  )

  test("what is wrong is one line without the password", async () => {
    await using place = await directory()
    const none = await rouse(["pg-source", "install", "orders"], { cwd: place.path })
    expect(none).toMatchObject({
      code: 1,
      err: "rouse: which database? Give --url postgres://… or set ROUSE_PG_SOURCE_URL\n",
    })
    const bad = await rouse(["start", "--pg-source", "Shop=postgres://u:hush@h/d", "--port", "0"], { cwd: place.path })
    expect(bad.code).not.toBe(0)
    expect(bad.err).not.toContain("hush")
  })
})

async function seen(url: string): Promise<number> {
  const answer = await fetch(`${url}/v1/entities/clerk/one/state/seen`)
  const { rows } = (await answer.json()) as { rows: { value: { count: number } }[] }
  return rows.reduce((sum, { value }) => sum + value.count, 0)
}

/** Looks again until it holds: bounded by the test's own time. */
async function waitFor(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20))
}
