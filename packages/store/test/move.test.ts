import { DatabaseSync } from "node:sqlite"
import { join } from "node:path"
import { START } from "@rouse/protocol"
import type { Op, Store } from "@rouse/store"
import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import postgres from "postgres"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { MIGRATIONS } from "../src/sqlite/schema.ts"
import { MOVE_TABLES, keptColumns } from "../src/move/tables.ts"
import { makePlaces, move, openAt } from "./moving.ts"

vi.setConfig({ testTimeout: 180_000 })

const NOW = 1_800_000_000_000
const clock = (): number => NOW
const long = "x".repeat(5_000)

const real = describe.skipIf(!hasPostgres())
let server: PostgresDatabase
let sql: postgres.Sql
beforeAll(async () => {
  server = await sharedPostgres()
  sql = postgres(server.url, { max: 2, onnotice: () => undefined })
})
afterAll(async () => {
  await sql.end()
  await server.close()
})

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (chunks: readonly Uint8Array[]): string => Buffer.concat(chunks).toString()

function entity(url: string, parent: string | null, more: object = {}): Op {
  const [, type = "", id = ""] = url.split("/")
  const rest = {
    status: "idle",
    epoch: 3,
    createdAtMs: NOW,
    activeAtMs: NOW + 1,
    dueAtMs: null,
    args: { a: 1 },
  } as const
  return {
    op: "putEntity",
    record: { url, type, id, parent, ...rest, tags: { team: "blue" }, control: {}, ...more },
  }
}

function stream(path: string): Op {
  return { op: "createStream", path, contentType: "text/plain", nowMs: NOW }
}

function append(path: string, text: string): Op {
  return { op: "append", path, data: bytes(text), nowMs: NOW }
}

const definition = { collections: { jobs: { indexes: [["kind"]] } } }

/** Something of every kind. */
async function fill(store: Store): Promise<void> {
  await store.commit({ ops: [stream("entities/a/root"), entity("/a/root", null, { control: { dead: 2 } })] })
  await store.commit({
    ops: [stream("entities/a/child"), entity("/a/child", "/a/root", { status: "running", dueAtMs: NOW })],
  })
  await store.commit({ ops: [stream("entities/a/leaf"), entity("/a/leaf", "/a/child")] })
  await store.commit({
    ops: [append("entities/a/root", "one"), append("entities/a/root", "two"), append("entities/a/leaf", "leaf")],
  })
  await store.sweep(NOW)
  await store.commit({ ops: [append("entities/a/root", "three"), stream("doomed")] })
  await store.commit({ ops: [append("doomed", "gone"), { op: "deleteStream", path: "doomed" }] })
  await store.commit({
    ops: [
      { op: "putRow", url: "/a/leaf", collection: "note", key: "k", value: { text: long } },
      { op: "putRow", url: "/a/leaf", collection: "message", key: "m000001", value: { n: 1 } },
      { op: "putTimer", timer: { id: "t", dueAtMs: NOW + 5, url: "/a/leaf", payload: { kind: "x" } } },
      {
        op: "putWork",
        item: { id: "w", queue: "q", name: "n", url: "/a/child", open: true, position: 1, payload: {} },
      },
      { op: "putReceipt", receipt: { key: "r", fingerprint: "f", response: { status: 200 }, expiresAtMs: NOW + 9 } },
    ] as unknown as Op[],
  })
  const { next } = await store.read("entities/a/root", START, 3)
  await store.commit({
    ops: [{ op: "forkStream", path: "entities/a/fork", source: "entities/a/root", offset: next, nowMs: NOW }],
  })
  await store.commit({ ops: [append("entities/a/fork", "forked")] })
  const space = (change: object): Op => ({ op: "space", path: "shared/s", nowMs: NOW, change }) as Op
  await store.commit({ ops: [space({ kind: "define", version: 0, definition })] })
  const write = (key: string) => ({
    kind: "insert",
    collection: "jobs",
    key,
    value: JSON.stringify({ kind: key }),
    rowsMax: 9,
  })
  await store.commit({
    ops: [space({ kind: "write", by: "me", writes: [write("red"), write(`blue${"y".repeat(300)}`)] })],
  })
}

const claim = {
  kind: "claim",
  collection: "jobs",
  queue: "",
  limit: 1,
  holder: "/a/leaf",
  claim: "c",
  expiresAtMs: NOW + 60_000,
  heldMax: 9,
}

real("what is moved", () => {
  it("goes up and back down, and is there: logs, offsets, forks, rows, claims", async () => {
    await using places = makePlaces(server.url)
    const first = await openAt(places.embedded, clock)
    await fill(first)
    const { next } = await first.read("entities/a/root", START, 3)
    await first.close()
    const up = await move(places.embedded, places.distributed)
    expect(up.tables.map(({ table }) => table)).toEqual(
      expect.arrayContaining([
        "era",
        "entity",
        "stream",
        "chunk",
        "row",
        "timer",
        "work",
        "receipt",
        "space",
        "space_row",
      ]),
    )
    const second = await openAt(places.distributed, clock)
    expect(textOf((await second.read("entities/a/root", next, 100)).chunks)).toBe("twothree")
    expect(textOf((await second.read("entities/a/fork", START, 100)).chunks)).toBe("oneforked")
    expect(await second.row("/a/leaf", "note", "k")).toMatchObject({ value: { text: long } })
    expect((await second.entity("/a/child"))?.status).toBe("running")
    const found = await second.entities({ limit: 9, tag: { name: "team", value: "blue" }, hasDead: true })
    expect(found.entities.map(({ url }) => url)).toEqual(["/a/root"])
    const { spaces } = await second.commit({
      ops: [
        {
          op: "space",
          path: "shared/s",
          nowMs: NOW,
          change: { kind: "write", by: "me", writes: [claim] },
        } as unknown as Op,
      ],
    })
    expect(spaces).toMatchObject([{ kind: "claimed", rows: [{ key: "red" }] }])
    await second.commit({ ops: [append("entities/a/root", "four"), stream("fresh")] })
    await second.close()
    const trees = await sql`SELECT DISTINCT tree::text FROM ${sql(places.distributed.schema)}.entity`
    expect(trees).toHaveLength(1)
    expect(await sql`SELECT key FROM ${sql(places.distributed.schema)}.space_index`).toHaveLength(2)
    await expect(move(places.distributed, places.embedded)).rejects.toMatchObject({ code: "ALREADY_EXISTS" })
    const down = await move(places.distributed, places.embedded, { replace: true })
    const third = await openAt(places.embedded, clock)
    expect(textOf((await third.read("entities/a/root", next, 100)).chunks)).toBe("twothreefour")
    await third.commit({ ops: [append("entities/a/root", "five"), stream("fresher")] })
    expect(textOf((await third.read("entities/a/root", next, 100)).chunks)).toBe("twothreefourfive")
    await third.close()
    const again = (report: typeof up, table: string) => report.tables.find((one) => one.table === table)?.checksum
    for (const table of ["row", "timer", "work", "receipt", "entity", "era"])
      expect(again(down, table)).toBe(again(up, table))
  })

  it("leaves behind a place where no server starts, which says where it went without a password", async () => {
    await using places = makePlaces(server.url)
    const store = await openAt(places.embedded, clock)
    await fill(store)
    await store.close()
    await move(places.embedded, { ...places.distributed, url: server.url.replace("postgres@", "postgres:hush@") })
    const refused = await openAt(places.embedded, clock).catch((error: unknown) => error)
    expect(refused).toMatchObject({
      code: "STORE_MOVED",
      message: expect.stringMatching(/was moved to postgres:\/\/127/),
    })
    expect(String(refused)).not.toContain("hush")
    await expect(move(places.embedded, { ...places.distributed, schema: "elsewhere" })).rejects.toMatchObject({
      code: "STORE_MOVED",
    })
  })

  it("is refused where parts of logs are in a bucket: they would be left behind, or forgotten there", async () => {
    await using places = makePlaces(server.url)
    const store = await openAt(places.distributed, clock)
    await fill(store)
    await store.close()
    const { schema } = places.distributed
    await sql.unsafe(`INSERT INTO ${schema}.loose (tree, key, stream, due_at, tries) VALUES (1, 'objects/1', 1, 1, 0)`)
    const refusal = { code: "CONFLICT", message: expect.stringContaining("in a bucket") as string }
    await expect(move(places.distributed, places.embedded)).rejects.toMatchObject(refusal)
    const other = await openAt(places.embedded, clock)
    await other.commit({ ops: [stream("own")] })
    await other.close()
    await expect(move(places.embedded, places.distributed, { replace: true })).rejects.toMatchObject(refusal)
  })

  it("is refused while a server has it, and where another store is", async () => {
    await using places = makePlaces(server.url)
    const store = await openAt(places.embedded, clock)
    await fill(store)
    await expect(move(places.embedded, places.distributed)).rejects.toMatchObject({
      code: "CONFLICT",
      details: { busy: true },
    })
    await store.close()
    const other = await openAt(places.distributed, clock)
    await other.commit({ ops: [stream("own")] })
    await expect(move(places.embedded, places.distributed, { replace: true })).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
    })
    await other.replicas?.join(1, { onReplicas: () => undefined, onEntities: () => undefined, onDue: () => undefined })
    await expect(move(places.distributed, places.embedded)).rejects.toMatchObject({ code: "CONFLICT" })
    await other.close()
    await using empty = makePlaces(server.url)
    await expect(move(empty.embedded, places.distributed)).rejects.toMatchObject({ code: "NOT_FOUND" })
  })

  it("stops a process that still has the source open, and was not seen", async () => {
    await using places = makePlaces(server.url)
    const store = await openAt(places.distributed, clock)
    await fill(store)
    await move(places.distributed, places.embedded)
    await expect(store.commit({ ops: [append("entities/a/root", "late")] })).rejects.toMatchObject({
      code: "STORE_MOVED",
    })
    await store.close()
    await expect(openAt(places.distributed, clock)).rejects.toMatchObject({ code: "STORE_MOVED" })
  })
})

real("a copy that is not what was read", () => {
  it.each(["row", "chunk"])("is found by one byte of a %s, named, and not published", async (table) => {
    await using places = makePlaces(server.url)
    const store = await openAt(places.embedded, clock)
    await fill(store)
    await store.close()
    const { schema } = places.distributed
    const plant = async (): Promise<void> => {
      if (table === "row") await sql.unsafe(`UPDATE ${schema}."row" SET value = replace(value, '"n":1', '"n":2')`)
      else await sql.unsafe(`UPDATE ${schema}.chunk SET data = 'trow' WHERE data = 'leaf'`)
    }
    let isPlanted = false
    const onProgress = async ({ phase }: { readonly phase: string }): Promise<void> => {
      if (phase === "verify" && !isPlanted) await plant()
      isPlanted ||= phase === "verify"
    }
    const key = table === "row" ? '"/a/leaf" "message" "m000001"' : '"entities/a/leaf" 4'
    await expect(move(places.embedded, places.distributed, { onProgress })).rejects.toMatchObject({
      code: "STORE_DAMAGED",
      details: { table, key, what: "changed" },
    })
    const refused = await openAt(places.distributed, clock).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: "STORE_MOVED", message: expect.stringContaining("not finished") })
    await (await openAt(places.embedded, clock)).close()
    await move(places.embedded, places.distributed)
    await (await openAt(places.distributed, clock)).close()
  })

  it("is found in a directory, too", async () => {
    await using places = makePlaces(server.url)
    const store = await openAt(places.distributed, clock)
    await fill(store)
    await store.close()
    const onProgress = ({ phase }: { readonly phase: string }): void => {
      if (phase !== "verify") return
      const db = new DatabaseSync(join(places.embedded.directory, "rouse.db"), { timeout: 1_000 })
      db.exec(`DELETE FROM timer`)
      db.close()
    }
    await expect(move(places.distributed, places.embedded, { onProgress })).rejects.toMatchObject({
      details: { table: "timer", key: '"t"', what: "missing" },
    })
    await expect(openAt(places.embedded, clock)).rejects.toMatchObject({ code: "STORE_MOVED" })
  })
})

real("a move that is cut off", () => {
  it.each(["copy", "verify", "publish"])(
    "at %s: both cannot be started, and the same command ends it",
    async (phase) => {
      await using places = makePlaces(server.url)
      const store = await openAt(places.embedded, clock)
      await fill(store)
      await store.close()
      const onProgress = (progress: { readonly phase: string; readonly table?: string }): void => {
        if (progress.phase === phase && (progress.table ?? "chunk") === "chunk") throw new Error("cut")
      }
      await expect(move(places.embedded, places.distributed, { onProgress })).rejects.toThrow("cut")
      await expect(openAt(places.distributed, clock)).rejects.toMatchObject({ code: "STORE_MOVED" })
      expect((await move(places.embedded, places.distributed)).finished).toBe(false)
      await (await openAt(places.distributed, clock)).close()
    },
  )

  it("between the marks: neither can be started, and the same command finishes it", async () => {
    await using places = makePlaces(server.url)
    const store = await openAt(places.embedded, clock)
    await fill(store)
    await store.close()
    await move(places.embedded, places.distributed)
    const db = new DatabaseSync(join(places.embedded.directory, "rouse.db"))
    const { move: id } = JSON.parse(
      String(db.prepare("SELECT value FROM meta WHERE key = 'move'").get()?.["value"]),
    ) as {
      readonly move: string
    }
    db.close()
    const mark = JSON.stringify({ kind: "whole", move: id, from: "there" })
    await sql`INSERT INTO ${sql(places.distributed.schema)}.meta (key, value) VALUES ('move', ${mark})`
    await expect(openAt(places.distributed, clock)).rejects.toMatchObject({ code: "STORE_MOVED" })
    expect((await move(places.embedded, places.distributed)).finished).toBe(true)
    const moved: Store = await openAt(places.distributed, clock)
    expect((await moved.read("entities/a/root", START, 100)).chunks.length).toBeGreaterThan(0)
    await moved.close()
  })
})

/** Columns that follow from others, or are of one engine, or of processes. */
const EMBEDDED_ONLY = ["entity.active_second", "row.section", "row.turn", "chunk.id", "era.chunk"]
const EMBEDDED_TABLES = ["meta", "garbage", "tag", "long_value", "space_queue", "space_index"]
const DISTRIBUTED_ONLY = [
  "stream.lock",
  "stream.rev",
  "stream.source_tree",
  "stream.offloaded",
  "entity.active_second",
  "entity.dead",
  "subscription.rev",
  "observation.rev",
]
const DISTRIBUTED_TABLES = [
  "meta",
  "place",
  "batch",
  "replica",
  "tenant_reader",
  "garbage",
  "tag",
  "space_queue",
  "space_index",
  "offloaded",
  "loose",
  "walk",
]
const NOT_EMBEDDED = ["stream.source", "chunk.era", "era.n"]

describe("every column", () => {
  const moved = MOVE_TABLES.flatMap((table) => keptColumns(table).map((column) => `${table.name}.${column}`))

  it("of the embedded engine is moved, or made anew", () => {
    const db = new DatabaseSync(":memory:")
    for (const migration of MIGRATIONS) db.exec(migration)
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'").all()
    const columns = tables
      .map(({ name }) => String(name))
      .filter((name) => !EMBEDDED_TABLES.includes(name))
      .flatMap((name) =>
        db
          .prepare(`PRAGMA table_info("${name}")`)
          .all()
          .map((column) => `${name}.${String(column["name"])}`),
      )
    expect(columns.filter((column) => !EMBEDDED_ONLY.includes(column)).sort()).toEqual(
      moved.filter((column) => !NOT_EMBEDDED.includes(column)).sort(),
    )
  })

  it.skipIf(!hasPostgres())("of the distributed engine is moved, or made anew", async () => {
    await using places = makePlaces(server.url)
    await (await openAt(places.distributed, clock)).close()
    const rows = await sql`SELECT c.table_name || '.' || c.column_name AS name FROM information_schema.columns c
      JOIN information_schema.tables t USING (table_schema, table_name)
      WHERE table_schema = ${places.distributed.schema} AND t.table_type = 'BASE TABLE' AND column_name <> 'tree'
        AND table_name <> ALL (${DISTRIBUTED_TABLES})`
    const columns = rows.map(({ name }) => String(name)).filter((column) => !DISTRIBUTED_ONLY.includes(column))
    expect(columns.sort()).toEqual([...moved].sort())
  })
})
