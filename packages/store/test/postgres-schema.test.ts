import { createHash } from "node:crypto"
import type { Store } from "@rouse/store"
import { openPostgresStore } from "@rouse/store/postgres"
import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import postgres from "postgres"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { applyFunction } from "../src/postgres/apply-function.ts"
import { literal } from "../src/postgres/literal.ts"
import { homeOfReceipt, numberOf } from "../src/core/home.ts"

/** What is in the database: what may shard it, who may do what, and what stays as it is. */

const NOW = 1_800_000_000_000
const SCHEMA = "rules"
/** Everywhere, or distributed by its own key. */
const EXEMPT = new Set(["meta", "place"])
/** Every commit syncs a disk that others use, too. */
vi.setConfig({ testTimeout: 180_000 })

const real = describe.skipIf(!hasPostgres())
let server: PostgresDatabase
let sql: postgres.Sql
let store: Store

beforeAll(async () => {
  server = await sharedPostgres()
  sql = postgres(server.url, { max: 2, onnotice: () => undefined })
  store = await openPostgresStore({ url: server.url, schema: SCHEMA, clock: () => NOW })
})
afterAll(async () => {
  await store.close()
  await sql.end()
  await server.close()
})

real("distribution", () => {
  it("every table has a tree, and every unique constraint begins with it", async () => {
    const tables =
      await sql`SELECT relname FROM pg_class WHERE relnamespace = ${SCHEMA}::regnamespace AND relkind = 'r'`
    expect(tables.length).toBeGreaterThan(15)
    const first = await sql`SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
      WHERE c.relnamespace = ${SCHEMA}::regnamespace AND i.indisunique`
    const wrong = first.filter(({ relname, attname }) => attname !== "tree" && !EXEMPT.has(relname as string))
    expect(wrong).toEqual([])
    expect(new Set(first.map(({ relname }) => relname))).toEqual(new Set(tables.map(({ relname }) => relname)))
  })

  it("every statement of a commit that names a table names the tree", () => {
    const list = /\(SELECT c, [^;]*? WITH ORDINALITY p\(c, i\)\) w/g
    const body = applyFunction(SCHEMA).replaceAll(/--.*$/gm, "").replaceAll(list, "0 w")
    const statements = body
      .split(/;|UNION ALL|THEN\b|LOOP\b/)
      .filter((text) => /\b(FROM|INTO|UPDATE|USING)\s+"?[a-z]/.test(text))
    const named = statements.filter((text) => !/\b(meta|place)\b/.test(text))
    expect(named.length).toBeGreaterThan(25)
    // A thing that is told to be nowhere has no tree to look in; what an entity observes is anywhere, and looked for when the entity goes.
    const byIdentity =
      /NOT EXISTS|EXISTS \(SELECT FROM (timer|work) t WHERE t\.id = w\.id\)|FROM observation o WHERE o\.url = w\.url/
    expect(named.filter((text) => !/\btree\b/.test(text) && !byIdentity.test(text))).toEqual([])
  })

  it("what an entity spawns lives in its tree", async () => {
    const record = (url: string, parent: string | null) => {
      const [, type = "", id = ""] = url.split("/")
      const rest = { epoch: 0, createdAtMs: NOW, activeAtMs: NOW, dueAtMs: null, tags: {}, args: {}, control: {} }
      return { op: "putEntity", record: { url, type, id, parent, status: "idle", ...rest } } as const
    }
    const log = (url: string) =>
      ({ op: "createStream", path: `entities${url}`, contentType: "application/json", nowMs: NOW }) as const
    await store.commit({ ops: [log("/t/root"), record("/t/root", null)] })
    await store.commit({ ops: [log("/t/child"), record("/t/child", "/t/root")] })
    await store.commit({ ops: [record("/t/grandchild", "/t/child"), log("/t/grandchild")] })
    await store.commit({ ops: [{ op: "putRow", url: "/t/grandchild", collection: "c", key: "k", value: 1 }] })
    const trees =
      await sql`SELECT DISTINCT tree::text FROM rules.entity UNION SELECT tree::text FROM rules.stream UNION SELECT tree::text FROM rules."row"`
    expect(trees.map(({ tree }) => Number(tree))).toEqual([numberOf("/t/root")])
    expect(await store.rows("/t/grandchild")).toEqual([{ collection: "c", key: "k", value: 1 }])
  })

  it("a name has the number that it always had", () => {
    expect([numberOf(""), numberOf("/support/1"), numberOf(homeOfReceipt("key")), numberOf("s:\u{1f600}")])
      .toMatchInlineSnapshot(`
      [
        487108626665438,
        3266896309856915,
        1784121649051297,
        266661209048414,
      ]
    `)
    const numbers = Array.from({ length: 20_000 }, (_, n) => numberOf(`/chat/${n}`))
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(numbers.every((number) => Number.isSafeInteger(number) && number >= 0 && number < 2 ** 52)).toBe(true)
  })
})

real("migrations", () => {
  it("are done once, however many replicas start at once", async () => {
    const open = () => openPostgresStore({ url: server.url, schema: "many", clock: () => NOW })
    const stores = await Promise.all(Array.from({ length: 5 }, open))
    for (const one of stores) await one.close()
    expect(await sql`SELECT value FROM many.meta WHERE key = 'version'`).toMatchObject([{ value: "1" }])
  })

  it("of a newer Rouse are left alone", async () => {
    const open = () => openPostgresStore({ url: server.url, schema: "newer", clock: () => NOW })
    await (await open()).close()
    await sql`UPDATE newer.meta SET value = '9' WHERE key = 'version'`
    await (await open()).close()
    expect(await sql`SELECT value FROM newer.meta WHERE key = 'version'`).toMatchObject([{ value: "9" }])
  })
})

real("roles", () => {
  it("a replica needs no right to change tables", async () => {
    await sql.unsafe(`CREATE ROLE runtime LOGIN PASSWORD 'hush'; GRANT USAGE ON SCHEMA rules TO runtime;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rules TO runtime;
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA rules TO runtime; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rules TO runtime`)
    const url = server.url.replace("postgres@", "runtime:hush@")
    const least = await openPostgresStore({ url, schema: SCHEMA, clock: () => NOW })
    await least.commit({ ops: [{ op: "createStream", path: "r", contentType: "text/plain", nowMs: NOW }] })
    await least.sweep(NOW)
    await least.check()
    await least.close()
    const role = postgres(url, { max: 1, onnotice: () => undefined })
    for (const forbidden of [
      "CREATE TABLE rules.t (a int)",
      "DROP TABLE rules.meta",
      "ALTER TABLE rules.meta ADD b int",
      "CREATE SCHEMA mine",
    ]) {
      await expect(role.unsafe(forbidden)).rejects.toMatchObject({ code: "42501" })
    }
    await role.end()
    const refused = openPostgresStore({ url, schema: "not_made", clock: () => NOW })
    await expect(refused).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" })
  })

  it("a password is in no error", async () => {
    for (const url of [
      "postgres://u:hush@127.0.0.1:1/d",
      server.url.replace("postgres@", "nobody:hush@"),
      "postgres://u:hush@[nonsense",
    ]) {
      const error: unknown = await openPostgresStore({ url, schema: "none", clock: () => NOW }).catch(
        (reason: unknown) => reason,
      )
      expect(error).toBeInstanceOf(Error)
      const { message, stack, cause } = error as Error
      expect(`${message}${stack}${JSON.stringify(error)}${String(cause)}`).not.toContain("hush")
    }
  })
})

real("literals", () => {
  it("come back as they were, whatever the server takes a backslash for", async () => {
    const texts = [
      "",
      "'",
      "\\",
      "a'b\\c",
      "\\'; DROP TABLE x; --",
      "$1 ${2}",
      "\n\t\u{1f600}",
      "E'\\x41'",
      createHash("sha1").digest("hex"),
    ]
    for (const setting of ["on", "off"]) {
      for (const text of texts) {
        const [, row] = (await sql
          .unsafe(`SET standard_conforming_strings = ${setting}; SELECT ${literal(text)} AS text`)
          .simple()) as unknown as [unknown, { text: string }[]]
        expect(row[0]?.text).toBe(text)
      }
    }
  })
})

real("what the database cannot keep", () => {
  it("is refused, and nobody else's commit with it", async () => {
    const create = (path: string) => ({ op: "createStream", path, contentType: "text/plain", nowMs: NOW }) as const
    const paths = ["nul/\0", "half/\ud800", "fine/1", "fine/2"]
    const made = await Promise.allSettled(paths.map((path) => store.commit({ ops: [create(path)] })))
    expect(made.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled", "fulfilled"])
    for (const one of made.slice(0, 2)) expect(one).toMatchObject({ reason: { code: "BAD_REQUEST" } })
    const value = { text: "a\0b\ud800" }
    await store.commit({
      ops: [{ op: "putReceipt", receipt: { key: "nul", fingerprint: "", response: value, expiresAtMs: NOW } }],
    })
    expect((await store.receipt("nul"))?.response).toEqual(value)
  })
})
