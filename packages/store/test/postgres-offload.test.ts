import { RouseError, START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import type { ReadResult, Store } from "@rouse/store"
import { endsOf } from "@rouse/store"
import { openPostgresStore } from "@rouse/store/postgres"
import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import { S3Server } from "@rouse/testkit/s3"
import postgres from "postgres"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest"
import type { OffloadStage } from "../src/postgres/offload/offloader.ts"
import { bucketAt, HOUR_MS, offloadAll, openOffloading } from "./support/offload.ts"

vi.setConfig({ testTimeout: 180_000 })

const BATCHES = 150
const PATH = "log"
const ROUND = 1_900_000_000_000
let database: PostgresDatabase
let sql: postgres.Sql
let s3: S3Server
let store: Store
let schemas = 0
let schema: string
let now: number
const opened: Store[] = []

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
/** Batches of many lengths, some longer than a block or an object. */
const batch = (n: number): string => `${n}:${"x".repeat(n % 37 === 5 ? 700 : n % 61 === 7 ? 2_500 : (n * 7) % 50)};`
const whole = Array.from({ length: BATCHES }, (_, n) => batch(n)).join("")

async function open(options: Parameters<typeof openOffloading>[2] = {}): Promise<Store> {
  const one = await openOffloading({ url: database.url, schema, clock: () => now }, s3, options)
  opened.push(one)
  return one
}

async function fill(path: string = PATH, to: Store = store): Promise<Offset[]> {
  await to.commit({ ops: [{ op: "createStream", path, contentType: "text/plain", nowMs: now }] })
  for (let n = 0; n < BATCHES; n += 50) {
    const ops = Array.from({ length: 50 }, (_, i) => {
      return { op: "append", path, data: Buffer.from(batch(n + i)), nowMs: now } as const
    })
    await to.commit({ ops })
  }
  const all = await to.read(path, START, 1e9)
  return [START, ...(endsOf(all) ?? [])]
}

async function count(table: string): Promise<number> {
  return Number((await sql.unsafe(`SELECT count(*) AS n FROM ${schema}.${table}`))[0]?.["n"])
}

function nth<T>(list: readonly T[], n: number): T {
  const found = list[n]
  if (found === undefined) throw new Error(`there is no ${n}`)
  return found
}

async function sweepAll(): Promise<void> {
  for (let dropped = 1; dropped > 0;) dropped = await store.sweep(now)
}

/** Reads on from an offset to the end, as a client does. */
async function follow(path: string, from: Offset, bytesMax: number): Promise<string> {
  let read: ReadResult
  let got = ""
  let at = from
  do {
    read = await store.read(path, at, bytesMax)
    got += text(read.data)
    expect(read.next > at || read.upToDate).toBe(true)
    at = read.next
  } while (!read.upToDate)
  return got
}

async function back(path: string, before: Offset, bytesMax: number): Promise<string> {
  let got = ""
  for (let at = before; ;) {
    const read = await store.readBack(path, at, bytesMax)
    if (read.data.length === 0) return got
    got = text(read.data) + got
    at = read.start
  }
}

describe.skipIf(!hasPostgres())("logs in a bucket", () => {
  beforeAll(async () => {
    database = await sharedPostgres()
    sql = postgres(database.url, { max: 2, onnotice: () => undefined })
  })
  afterAll(async () => {
    await sql.end()
    await database.close()
  })
  beforeEach(async () => {
    schemas += 1
    schema = `offload_${schemas}`
    now = 1_800_000_000_000
    s3 = await S3Server.open()
    store = await open()
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close()
    s3.close()
  })

  it("are the same from every offset, forwards and backwards", async () => {
    const offsets = await fill()
    const before = await Promise.all(offsets.map((from) => store.read(PATH, from, 300)))
    await offloadAll(store)
    expect([await count("offloaded"), await count("loose")]).toEqual([s3.objects.size, 0])
    expect(s3.objects.size).toBeGreaterThan(3)
    expect(await count("chunk")).toBeLessThan(BATCHES / 4)
    for (const [n, from] of offsets.entries()) {
      const { info: _, ...read } = await store.read(PATH, from, 300)
      const { info: __, ...was } = nth(before, n)
      expect(read).toEqual(was)
    }
    for (const bytesMax of [1, 450, 5_000, 1e9]) {
      expect(await follow(PATH, START, bytesMax)).toBe(whole)
      expect(await back(PATH, nth(offsets, offsets.length - 1), bytesMax)).toBe(whole)
    }
    const wrong = `${String(nth(offsets, 3)).slice(0, -1)}9` as Offset
    await expect(store.read(PATH, wrong, 9)).rejects.toMatchObject({ code: "BAD_OFFSET" })
  })

  it("grow on: what is new goes after what is there", async () => {
    await fill()
    await offloadAll(store)
    const first = s3.objects.size
    const more = Array.from({ length: 90 }, (_, n) => `more ${n} `)
    await store.commit({
      ops: more.map((line) => ({ op: "append", path: PATH, data: Buffer.from(line), nowMs: now }) as const),
    })
    await offloadAll(store)
    expect(s3.objects.size).toBeGreaterThan(first)
    expect(await follow(PATH, START, 700)).toBe(whole + more.join(""))
  })

  it("stay while they are young, and as long as there is little", async () => {
    const aged = await open({ afterMs: 24 * HOUR_MS })
    await fill(PATH, aged)
    await aged.commit({
      ops: [
        {
          op: "createStream",
          path: "little",
          contentType: "text/plain",
          data: Buffer.from("a".repeat(250)),
          nowMs: now,
        },
      ],
    })
    const round = async (): Promise<number> => {
      now += 2 * HOUR_MS
      await aged.sweep(now)
      await offloadAll(aged, now)
      return s3.objects.size
    }
    expect([await round(), await round()]).toEqual([0, 0])
    now += 24 * HOUR_MS
    expect(await round()).toBeGreaterThan(3)
    expect(await sql.unsafe(`SELECT DISTINCT stream FROM ${schema}.offloaded`)).toHaveLength(1)
    expect(await follow(PATH, START, 700)).toBe(whole)
  })

  it("are read by forks, made before and after, whole and from within a batch", async () => {
    const offsets = await fill()
    const fork = (path: string, source: string, at: number, more: object = {}) =>
      store.commit({
        ops: [
          {
            op: "forkStream",
            path,
            source,
            offset: nth(offsets, at),
            data: Buffer.from(`|${path}`),
            nowMs: now,
            ...more,
          },
        ],
      })
    const upTo = (n: number): string => whole.slice(0, Array.from({ length: n }, (_, i) => batch(i)).join("").length)
    await fork("early", PATH, 40)
    await offloadAll(store)
    await fork("late", PATH, 60)
    await fork("part", PATH, 42, { subOffset: 400 })
    await fork("above", "early", 20)
    expect(await follow("early", START, 800)).toBe(`${upTo(40)}|early`)
    expect(await follow("late", START, 800)).toBe(`${upTo(60)}|late`)
    expect(await follow("part", START, 800)).toBe(`${upTo(42)}${batch(42).slice(0, 400)}|part`)
    expect(await follow("above", START, 800)).toBe(`${upTo(20)}|above`)
    const { info } = await store.read("part", START, 1)
    expect(await back("part", info.next, 300)).toBe(`${upTo(42)}${batch(42).slice(0, 400)}|part`)
    await expect(fork("wrong", PATH, 40, { offset: `${String(nth(offsets, 3)).slice(0, -1)}9` })).rejects.toMatchObject(
      {
        code: "BAD_OFFSET",
      },
    )
  })

  it("are trimmed, and what lies below the horizon is deleted from the bucket", async () => {
    const offsets = await fill()
    await offloadAll(store)
    const all = s3.objects.size
    const to = nth(offsets, 70)
    await store.commit({ ops: [{ op: "trimStream", path: PATH, to, data: Buffer.from("state") }] })
    expect(await store.snapshot(PATH)).toMatchObject({ at: to })
    await sweepAll()
    await offloadAll(store)
    expect(s3.objects.size).toBeLessThan(all)
    expect([await count("offloaded"), await count("loose")]).toEqual([s3.objects.size, 0])
    const rest = whole.slice(Array.from({ length: 70 }, (_, i) => batch(i)).join("").length)
    expect(await follow(PATH, to, 700)).toBe(rest)
    const { info } = await store.read(PATH, to, 1)
    expect(await back(PATH, info.next, 700)).toBe(rest)
    await expect(store.read(PATH, nth(offsets, 69), 1)).rejects.toMatchObject({ code: "GONE" })
    const trimmable = await store.trimmable(PATH, { nowMs: now, bytes: 3_000 })
    expect(trimmable?.bytes).toBeGreaterThan(0)
    await store.commit({ ops: [{ op: "trimStream", path: PATH, to: trimmable?.to as Offset }] })
  })

  it("leave the bucket with their stream, once no fork needs them, however often the bucket refuses", async () => {
    const offsets = await fill()
    await store.commit({
      ops: [{ op: "forkStream", path: "fork", source: PATH, offset: nth(offsets, 100), nowMs: now }],
    })
    await offloadAll(store)
    const all = s3.objects.size
    await store.commit({ ops: [{ op: "deleteStream", path: PATH }] })
    await sweepAll()
    await offloadAll(store)
    expect([s3.objects.size, (await follow("fork", START, 900)).length > 1_000]).toEqual([all, true])
    await store.commit({ ops: [{ op: "deleteStream", path: "fork" }] })
    await sweepAll()
    s3.isDown = true
    await expect(offloadAll(store)).rejects.toMatchObject({ code: "OVERLOADED" })
    expect(s3.objects.size).toBe(all)
    s3.isDown = false
    const other = await open()
    await offloadAll(other)
    await offloadAll(other)
    expect([s3.objects.size, await count("loose"), await count("offloaded"), await count("chunk")]).toEqual([
      0, 0, 0, 0,
    ])
  })

  it.each(["noted", "put", "checked", "swapped"] as const)("are whole after a crash when it was %s", async (at) => {
    await fill()
    let crashes = 0
    const crashing = await open({
      onStage: (stage: OffloadStage) => {
        if (stage !== at) return
        crashes += 1
        throw new RouseError("INTERNAL", "crashed")
      },
    })
    await expect(offloadAll(crashing)).rejects.toThrow("crashed")
    expect(await follow(PATH, START, 700)).toBe(whole)
    const next = await open()
    await offloadAll(next)
    await offloadAll(next)
    expect(await follow(PATH, START, 700)).toBe(whole)
    expect([crashes, await count("offloaded"), await count("loose")]).toEqual([1, s3.objects.size, 0])
  })

  it("are moved by one of two replicas that race, and the other's object is deleted", async () => {
    await fill()
    let raced: Promise<void> | undefined
    const rival = await open()
    const slow = await open({
      bucket: {
        put: (key, data) => bucketAt(s3).put(key, data),
        delete: (key) => bucketAt(s3).delete(key),
        bytes: async (key) => {
          raced ??= (async () => {
            // The note keeps others off the stream, and the round is the same for all: as if the rival had looked before.
            await sql.unsafe(`UPDATE ${schema}.loose SET stream = -stream; DELETE FROM ${schema}.walk`)
            await offloadAll(rival, ROUND)
          })()
          await raced
          return bucketAt(s3).bytes(key)
        },
      },
    })
    await offloadAll(slow, ROUND)
    expect(await follow(PATH, START, 700)).toBe(whole)
    const lost = s3.objects.size - (await count("offloaded"))
    expect([lost, await count("loose")]).toEqual([1, 1])
    await offloadAll(rival)
    expect([await count("offloaded"), await count("loose")]).toEqual([s3.objects.size, 0])
  })

  it("cannot be read while the bucket is down, and all else can", async () => {
    const offsets = await fill()
    await store.commit({
      ops: [{ op: "forkStream", path: "fork", source: PATH, offset: nth(offsets, 9), nowMs: now }],
    })
    await offloadAll(store)
    s3.isDown = true
    const fresh = await open()
    for (const work of [
      () => fresh.read(PATH, START, 10),
      () => fresh.readBack(PATH, nth(offsets, 30), 10),
      () => fresh.read("fork", START, 10),
      () =>
        fresh.commit({
          ops: [{ op: "forkStream", path: "new", source: PATH, offset: nth(offsets, 9), nowMs: now }],
        }),
    ]) {
      await expect(work()).rejects.toMatchObject({ code: "BUCKET_UNAVAILABLE", status: 503, retryable: true })
    }
    const data = Buffer.from("still here")
    const [, appended] = await Promise.all([
      fresh
        .commit({ ops: [{ op: "forkStream", path: "new", source: PATH, offset: nth(offsets, 9), nowMs: now }] })
        .catch(() => undefined),
      fresh.commit({ ops: [{ op: "append", path: PATH, data, nowMs: now }] }),
    ])
    expect(appended.applied).toBe(true)
    const tail = await fresh.read(PATH, nth(offsets, offsets.length - 1), 100)
    expect([text(tail.data), tail.upToDate]).toEqual(["still here", true])
    await fresh.commit({ ops: [{ op: "forkStream", path: "atTail", source: PATH, nowMs: now }] })
    s3.isDown = false
    expect(text((await fresh.read(PATH, START, 10)).data)).toBe(batch(0))
    const without = await openPostgresStore({ url: database.url, schema, clock: () => now })
    opened.push(without)
    await expect(without.read(PATH, START, 10)).rejects.toThrow(/this server was given none/)
  })

  it("that were changed in the bucket, or lost, are an error and never data", async () => {
    await fill()
    await offloadAll(store)
    const [key = "", object = Buffer.alloc(0)] = [...s3.objects].find(([name]) => name.includes("/0-")) ?? []
    const planted = Buffer.from(object)
    planted[40] = (planted[40] ?? 0) ^ 1
    for (const bad of [planted, object.subarray(0, 60), Buffer.concat([object.subarray(1), Buffer.alloc(1)])]) {
      s3.objects.set(key, bad)
      await expect((await open()).read(PATH, START, 1e9)).rejects.toMatchObject({ code: "BUCKET_DAMAGED", status: 500 })
    }
    s3.objects.delete(key)
    await expect((await open()).read(PATH, START, 1e9)).rejects.toMatchObject({ code: "BUCKET_DAMAGED" })
    s3.objects.set(key, object)
    expect(text((await (await open()).read(PATH, START, 10)).data)).toBe(batch(0))
  })

  it("do not leave the database when the bucket did not keep what it was given", async () => {
    await fill()
    const lying = await open({
      bucket: {
        put: (key, data) => bucketAt(s3).put(key, data.slice(1)),
        delete: (key) => bucketAt(s3).delete(key),
        bytes: (key) => bucketAt(s3).bytes(key),
      },
    })
    await expect(offloadAll(lying)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" })
    expect([await count("offloaded"), await count("chunk")]).toEqual([0, BATCHES])
  })

  it("are fetched once, however many ask at once", async () => {
    await fill()
    await offloadAll(store)
    const fresh = await open()
    s3.requests.length = 0
    const reads = await Promise.all(Array.from({ length: 20 }, () => fresh.read(PATH, START, 10)))
    await fresh.read(PATH, START, 10)
    expect([new Set(reads.map(({ data }) => text(data))).size, s3.requests.length]).toEqual([1, 1])
  })
})
