import { defineEntity, pgTable } from "@rouse/agents"
import type { PgTable } from "@rouse/agents"
import type { ChangeNotice, Json } from "@rouse/protocol"
import { openMemoryStore, parseJson } from "@rouse/store"
import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import postgres from "postgres"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { installPgTable, openPgSource, removePgTable } from "../src/pg-source/index.ts"
import type { PgSource } from "../src/pg-source/index.ts"
import { Harness } from "./harness.ts"

const TABLE = `DROP TABLE IF EXISTS orders; DROP SCHEMA IF EXISTS rouse_feed CASCADE;
  CREATE TABLE orders (id int8 PRIMARY KEY, customer text NOT NULL, status text NOT NULL, card text)`

describe.skipIf(!hasPostgres())("rows of an application's own table", () => {
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
  beforeEach(async () => {
    await sql.unsafe(TABLE)
    await installPgTable({ url: database.url, table: "orders", columns: ["customer", "status"] })
  })

  const open: { close(): Promise<void> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
  })

  function source(): PgSource {
    const opened = openPgSource({ name: "db", url: database.url })
    open.push(opened)
    return opened
  }

  async function serve(told: ChangeNotice[], what: PgTable, store = openMemoryStore({ clock: Date.now })) {
    const watcher = defineEntity("watcher", {
      handler(ctx, wake) {
        ctx.observe(what, { where: { customer: ctx.entity.id } })
        told.push(...wake.changes)
      },
    })
    const harness = await Harness.open({ entities: [watcher], store: await store, rowSources: [source()] })
    open.unshift(harness)
    return harness
  }

  async function begin(harness: Harness, id: string): Promise<void> {
    await harness.spawn(`/watcher/${id}`, { message: "begin" })
    await harness.until(async () => (await harness.rows(`/watcher/${id}`, "subscription")).length === 1, "observed")
  }

  const rowsOf = (told: readonly ChangeNotice[]): readonly unknown[] => told.flatMap(({ changes }) => changes)

  async function events(harness: Harness): Promise<{ key: string; value?: Json; old_value?: Json; headers: Json }[]> {
    const { status, body } = await harness.call<never>("GET", "/v1/stream/pg/db/orders")
    return status === 404 ? [] : body
  }

  const waiting = async (): Promise<number> => Number((await sql`SELECT count(*) FROM rouse_feed.change`)[0]?.["count"])

  test("rouse the agent that observes them, once, without the columns that were not named", async () => {
    const told: ChangeNotice[] = []
    const harness = await serve(told, pgTable("orders", { on: ["insert", "update"], where: { status: "paid" } }))
    for (const id of ["ann", "bob"]) await begin(harness, id)
    await sql`INSERT INTO orders VALUES (1, 'ann', 'new', '4111'), (2, 'bob', 'new', '4222')`
    await sql`UPDATE orders SET status = 'paid' WHERE id = 1`
    await sql`UPDATE orders SET card = '4333' WHERE id = 2`
    await sql`DELETE FROM orders WHERE id = 1`
    await harness.until(async () => (await events(harness)).length === 4 && told.length > 0, "told")
    const row = { id: 1, customer: "ann", status: "paid" }
    expect(rowsOf(told)).toEqual([{ collection: "orders", key: "1", operation: "update", row }])
    expect((await events(harness)).map(({ headers }) => (headers as { operation: string }).operation)).toEqual([
      "insert",
      "insert",
      "update",
      "delete",
    ])
    expect(JSON.stringify(await events(harness))).not.toMatch(/card|4111|4222|4333/)
    await harness.until(async () => (await waiting()) === 0, "nothing waits")
  })

  test("are told after the server was down, and not those of a transaction that was rolled back", async () => {
    const store = await openMemoryStore({ clock: Date.now })
    const told: ChangeNotice[] = []
    const first = await serve(told, pgTable("orders"), Promise.resolve(store))
    await begin(first, "ann")
    await first.stop()
    await sql`INSERT INTO orders VALUES (1, 'ann', 'new', null)`
    await sql
      .begin(async (transaction) => {
        await transaction`INSERT INTO orders VALUES (2, 'ann', 'never', null)`
        throw new Error("no")
      })
      .catch(() => undefined)
    open.splice(open.indexOf(first), 1)
    const second = await serve(told, pgTable("orders"), Promise.resolve(store))
    await second.until(async () => told.length > 0, "told")
    expect(rowsOf(told)).toMatchObject([{ key: "1", operation: "insert" }])
  })

  test("that were appended by a server which died before it said so, or by another, are appended once", async () => {
    const store = await openMemoryStore({ clock: Date.now })
    await sql`INSERT INTO orders SELECT n, 'ann', 'new' FROM generate_series(1, 1200) n`
    const [taken] = await source().take()
    if (!taken) throw new Error("nothing was taken")
    expect(taken).toMatchObject({ label: "orders", number: 0 })
    const nowMs = Date.now()
    const path = "pg/db/orders"
    const producer = { id: "pg-source", epoch: taken.epoch, seq: taken.number }
    await store.commit({
      ops: [
        { op: "createStream", path, contentType: "application/json", nowMs },
        { op: "append", path, data: new TextEncoder().encode(taken.events), producer, nowMs },
      ],
    })
    await sql`UPDATE orders SET status = 'late' WHERE id <= 10`
    const harness = await serve([], pgTable("orders"), Promise.resolve(store))
    const other = await Harness.open({ entities: [], store, rowSources: [source()] })
    await harness.until(async () => (await waiting()) === 0, "all is taken")
    await other.stop()
    const keys = (await events(harness)).map(({ key }) => Number(key))
    expect(keys).toEqual([
      ...Array.from({ length: 1200 }, (_, n) => n + 1),
      ...Array.from({ length: 10 }, (_, n) => n + 1),
    ])
  })

  test("of a transaction that ends late come late, and of one row in their order", async () => {
    const harness = await serve([], pgTable("orders"))
    await sql`INSERT INTO orders VALUES (1, 'ann', 'a', null)`
    await sql.begin(async (slow) => {
      await slow`INSERT INTO orders VALUES (2, 'ann', 'slow', null)`
      await sql`UPDATE orders SET status = 'b' WHERE id = 1`
      await harness.until(async () => (await events(harness)).length === 2, "what is durable is told")
      await slow`UPDATE orders SET status = 'c' WHERE id = 1`
    })
    await harness.until(async () => (await events(harness)).length === 4, "the rest")
    const seen = (await events(harness)).map(({ key, value }) => `${key} ${(value as { status: string }).status}`)
    expect(seen).toEqual(["1 a", "1 b", "2 slow", "1 c"])
  })

  test("go on when Rouse's store is another one, which does not know their numbers", async () => {
    const { label, epoch } = (await sql`SELECT label, epoch FROM rouse_feed.source`)[0] as {
      label: string
      epoch: string
    }
    await sql`UPDATE rouse_feed.source SET batch = 41`
    await sql`INSERT INTO orders VALUES (1, 'ann', 'new', null)`
    const harness = await serve([], pgTable("orders"))
    await harness.until(async () => (await events(harness)).length === 1 && (await waiting()) === 0, "told")
    expect((await sql`SELECT label, epoch FROM rouse_feed.source`)[0]).toEqual({
      label,
      epoch: String(Number(epoch) + 1),
    })
  })

  test("of which the key changes are another row; a large one is told by its key", async () => {
    const harness = await serve([], pgTable("orders"))
    await sql`INSERT INTO orders VALUES (1, 'ann', 'a', null)`
    await sql`UPDATE orders SET id = 2`
    await sql`UPDATE orders SET status = repeat('x', 1100000)`
    await harness.until(async () => (await events(harness)).length === 4, "all")
    expect(
      (await events(harness)).map(({ key, headers }) => [key, (headers as { operation: string }).operation]),
    ).toEqual([
      ["1", "insert"],
      ["1", "delete"],
      ["2", "insert"],
      ["2", "update"],
    ])
    expect((await events(harness))[3]).toMatchObject({ value: { id: 2 }, headers: { large: true } })
  })

  test("are taken by a role with no right but to take them, while applications need none", async () => {
    await sql.unsafe("DROP ROLE IF EXISTS rouse_taker; DROP ROLE IF EXISTS shop")
    await sql.unsafe("CREATE ROLE rouse_taker LOGIN; CREATE ROLE shop LOGIN; GRANT INSERT ON orders TO shop")
    await installPgTable({ url: database.url, table: "orders", grantTo: "rouse_taker" })
    const as = (user: string): string => Object.assign(new URL(database.url), { username: user, password: "" }).href
    const shop = postgres(as("shop"), { max: 1 })
    const taker = postgres(as("rouse_taker"), { max: 1 })
    const taking = openPgSource({ name: "db", url: as("rouse_taker") })
    try {
      await shop`INSERT INTO orders VALUES (1, 'ann', 'new', null)`
      await expect(shop`SELECT * FROM rouse_feed.take(1, 1)`).rejects.toThrow(/permission denied/)
      await expect(taker`SELECT * FROM orders`).rejects.toThrow(/permission denied/)
      await expect(taker`SELECT * FROM rouse_feed.change`).rejects.toThrow(/permission denied/)
      const [batch] = await taking.take()
      if (!batch) throw new Error("nothing was taken")
      expect(parseJson([new TextEncoder().encode(batch.events)])).toMatchObject([{ key: "1" }])
      await taking.done(batch)
      expect(await waiting()).toBe(0)
    } finally {
      await taking.close()
      await shop.end()
      await taker.end()
      await sql.unsafe("DROP OWNED BY rouse_taker, shop; DROP ROLE rouse_taker; DROP ROLE shop")
    }
  })

  test("are told no more when the trigger is gone; what is wrong is refused by name", async () => {
    await removePgTable({ url: database.url, table: "orders" })
    await sql`INSERT INTO orders VALUES (1, 'ann', 'new', null)`
    expect(await waiting()).toBe(0)
    const install = (more: object) => installPgTable({ url: database.url, table: "orders", ...more })
    await expect(install({ columns: ["nope"] })).rejects.toThrow(/^columns: .*"nope"/)
    await expect(install({ table: "nope" })).rejects.toThrow(/^table: there is no table public\.nope/)
    await sql.unsafe("CREATE TABLE IF NOT EXISTS keyless (a int)")
    await expect(install({ table: "keyless" })).rejects.toThrow(/^table: .* no primary key/)
    await expect(install({ feed: "a b" })).rejects.toThrow(/^feed:/)
    expect(() => pgTable("orders; drop")).toThrow(/^table:/)
    expect(() => pgTable("orders", { source: "A" })).toThrow(/^source:/)
  })
})
