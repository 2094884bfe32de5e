import { setStreamPath, sharedStreamPath } from "@rouse/protocol"
import { frameJson } from "@rouse/store"
import type { EntityRecord, Op, SpaceWrite, Store } from "@rouse/store"
import { openPostgresStore } from "@rouse/store/postgres"
import { homeOfStream, numberOf } from "../src/core/home.ts"
import { hasPostgres, startPostgres } from "@rouse/testkit/postgres"
import type { PostgresServer } from "@rouse/testkit/postgres"
import { once } from "node:events"
import { connect, createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { setTimeout as pause } from "node:timers/promises"
import postgres from "postgres"
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest"

/** Several replicas of one store, on a real server. */

const NOW = 1_800_000_000_000
/** Every commit syncs a disk that others use, too. */
vi.setConfig({ testTimeout: 180_000 })

const real = describe.skipIf(!hasPostgres())
let server: PostgresServer
let schemas = 0
const open: Store[] = []

beforeAll(async () => {
  server = await startPostgres()
})
afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
})
afterAll(() => server.stop())

async function replicas(count: number, options: { readonly pooled?: boolean } = {}): Promise<readonly Store[]> {
  schemas += 1
  const schema = `replicas_${schemas}`
  const make = (): Promise<Store> => openPostgresStore({ url: server.url, schema, clock: () => NOW, ...options })
  const stores = await Promise.all(Array.from({ length: count }, make))
  open.push(...stores)
  return stores
}

const create = (path: string) => ({ op: "createStream", path, contentType: "application/json", nowMs: NOW }) as const
const append = (path: string, message: number) =>
  ({ op: "append", path, data: frameJson([message]), nowMs: NOW }) as const
const entity = (url: string, epoch: number): Omit<EntityRecord, "version"> => {
  const [, type = "", id = ""] = url.split("/")
  const times = { createdAtMs: NOW, activeAtMs: NOW, dueAtMs: null }
  return { url, type, id, status: "idle", epoch, parent: null, ...times, tags: {}, args: {}, control: {} }
}
const storeOf = (stores: readonly Store[], n: number): Store => {
  const store = stores[n % stores.length]
  if (store === undefined) throw new Error("there is no replica")
  return store
}
const textOf = async (store: Store, path: string): Promise<string> =>
  new TextDecoder().decode((await store.read(path, "-1" as never, 1e6)).data)

real("replicas", () => {
  it("append to one stream at once, each message once, in the order that each replica gave", async () => {
    const stores = await replicas(3)
    await storeOf(stores, 0).commit({ ops: [create("a")] })
    const numbers = Array.from({ length: 150 }, (_, n) => n)
    await Promise.all(numbers.map((n) => storeOf(stores, n).commit({ ops: [append("a", n)] })))
    for (const store of stores) {
      const found = JSON.parse(`[${(await textOf(store, "a")).slice(0, -1)}]`) as number[]
      expect(found.toSorted((a, b) => a - b)).toEqual(numbers)
      for (const own of [0, 1, 2])
        expect(found.filter((n) => n % 3 === own)).toEqual(numbers.filter((n) => n % 3 === own))
    }
  })

  it("race for one lease: one wins each time", async () => {
    const stores = await replicas(3)
    const url = "/t/a"
    await storeOf(stores, 0).commit({ ops: [{ op: "putEntity", record: entity(url, 0) }] })
    for (let round = 1; round <= 40; round += 1) {
      const taken = await Promise.allSettled(
        stores.map((store) =>
          store.commit({
            guards: [{ kind: "version", url, version: round }],
            ops: [{ op: "putEntity", record: entity(url, round) }],
          }),
        ),
      )
      expect(taken.filter(({ status }) => status === "fulfilled")).toHaveLength(1)
    }
  })

  it("one makes what two would make", async () => {
    const stores = await replicas(2)
    for (let round = 0; round < 10; round += 1) {
      const made = await Promise.all(stores.map((store) => store.commit({ ops: [create(`s${round}`)] })))
      expect(made.map(({ streams }) => streams[`s${round}`]?.created).filter(Boolean)).toEqual([true])
    }
  })

  it.each([{ pooled: false }, { pooled: true }])(
    "hear of each other's appends, closes and deletes (%o)",
    async (options) => {
      const [one, other] = (await replicas(2, options)) as [Store, Store]
      const heard: string[] = []
      const stop = other.watchStream("a", ({ next, closed, deleted }) =>
        heard.push(`${next.slice(-3)} ${closed} ${deleted}`),
      )
      const entities: string[] = []
      const stopEntities = other.watchEntities(({ url, version }) => entities.push(`${url} ${version}`))
      await one.commit({ ops: [create("a")] })
      await expect.poll(() => heard).toContain("000 false false")
      await one.commit({ ops: [append("a", 1), { op: "putEntity", record: entity("/t/x", 1) }] })
      await expect.poll(() => heard).toContain("002 false false")
      await expect.poll(() => entities).toEqual(["/t/x 1"])
      await one.commit({ ops: [{ op: "append", path: "a", data: new Uint8Array(), close: true, nowMs: NOW }] })
      await expect.poll(() => heard).toContain("002 true false")
      await one.commit({ ops: [{ op: "deleteStream", path: "a" }] })
      await expect.poll(() => heard.at(-1)).toMatch(/false true$/)
      stop()
      stopEntities()
    },
  )

  it("one that is alone tells nobody, and from when another listens it does", async () => {
    schemas += 1
    const schema = `replicas_${schemas}`
    let nowMs = NOW
    const make = async (): Promise<Store> => {
      const store = await openPostgresStore({ url: server.url, schema, clock: () => nowMs })
      open.push(store)
      return store
    }
    const heard: { readonly entities: readonly string[] }[] = []
    const urls = (): readonly string[] => heard.flatMap(({ entities }) => entities)
    const put = (store: Store, url: string) => store.commit({ ops: [{ op: "putEntity", record: entity(url, 0) }] })
    const sql = postgres(server.url, { max: 2, onnotice: () => undefined })
    try {
      await sql.listen(`${schema}_changes`, (text) => void heard.push(JSON.parse(text) as (typeof heard)[number]))
      const one = await make()
      await put(one, "/t/settling")
      await expect.poll(urls).toEqual(["/t/settling"])
      nowMs += 10_000
      await put(one, "/t/alone")
      const other = await make()
      await expect.poll(() => heard.length).toBeGreaterThan(2)
      const seen: string[] = []
      const stop = other.watchEntities(({ url }) => seen.push(url))
      await put(one, "/t/heard")
      await expect.poll(() => seen).toContain("/t/heard")
      expect(urls()).not.toContain("/t/alone")
      stop()
    } finally {
      await sql.end()
    }
  })

  it("what one read as absent, and another made since, is not made again", async () => {
    const [one, other] = (await replicas(2)) as [Store, Store]
    const url = "/t/late"
    const made = { ops: [{ op: "putEntity", record: entity(url, 0) }, create(`entities${url}`)] } as const
    expect(await one.entity(url)).toBeUndefined()
    await other.commit({ ops: [...made.ops, append(`entities${url}`, 1)] })
    const again = one.commit({ guards: [{ kind: "version", url, version: 0 }], ops: made.ops })
    await expect(again).rejects.toMatchObject({ code: "CONFLICT" })
    expect(await one.entity(url)).toMatchObject({ version: 1 })
    await other.commit({ ops: [append(`entities${url}`, 2)] })
    await one.commit({ guards: [{ kind: "version", url, version: 1 }], ops: [append(`entities${url}`, 3)] })
    expect(await textOf(other, `entities${url}`)).toBe("1,2,3,")
  })

  it("many commits at once are few groups", async () => {
    const [store] = (await replicas(1)) as [Store]
    const count = async (): Promise<number> => {
      const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
      const [row] = await sql.unsafe(`SELECT count(*)::int4 AS n FROM replicas_${schemas}.batch`)
      await sql.end()
      return Number(row?.["n"])
    }
    await Promise.all(Array.from({ length: 200 }, (_, n) => store.commit({ ops: [create(`s${n}`)] })))
    expect(await count()).toBeLessThan(10)
  })

  it("an append in one finds the subscription made in another", async () => {
    const [one, other] = (await replicas(2)) as [Store, Store]
    await one.commit({ ops: [create("x/a"), append("x/a", 1)] })
    await other.commit({ ops: [create("x/b"), append("x/b", 1)] })
    const record = { id: "s", pattern: "x/*", wakeStream: null, idle: true, dueAtMs: null, config: "", state: "" }
    await other.commit({ ops: [{ op: "subscription", change: { kind: "put", record, nowMs: NOW } }] })
    const due = await one.commit({ ops: [append("x/a", 2)] })
    expect(due.subscriptionDueAtMs).toBe(NOW)
    expect(await other.subscription("s")).toMatchObject({ pending: 1 })
  })
})

const observe = (url: string, path: string): Op => {
  const [name, filter] = ["watch", {}]
  const record = { url, name, path, filter, debounceMs: 0, cursor: null, timeoutAtMs: null, config: "" }
  return { op: "observation", change: { kind: "put", record, nowMs: NOW } }
}

real("observations", () => {
  it("made in one are found by an append in another that believed there was none", async () => {
    const [one, other] = (await replicas(2)) as [Store, Store]
    const due: number[] = []
    other.watchObservations((dueAtMs) => due.push(dueAtMs))
    await one.commit({ ops: [create("a"), append("a", 1)] })
    await other.commit({ ops: [{ op: "putEntity", record: entity("/t/o", 0) }, observe("/t/o", "a")] })
    const result = await one.commit({ ops: [append("a", 2)] })
    expect(result.observationDueAtMs).toBe(NOW)
    expect(await other.observation("/t/o", "watch")).toMatchObject({ pending: true, dueAtMs: NOW })
    await expect.poll(() => due).toEqual([NOW])
  })

  it("wait for those who looked whether there are any, and these not for each other", async () => {
    const [store] = (await replicas(1)) as [Store]
    const admin = postgres(server.url, { max: 2, onnotice: () => undefined })
    const home = numberOf(homeOfStream(setStreamPath("t")))
    const put = (id: string) => store.commit({ ops: [{ op: "putEntity", record: entity(`/t/${id}`, 0) }] })
    const waiting = async (): Promise<number> =>
      (await admin`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`).length
    await admin.begin(async (looker) => {
      await looker.unsafe(`SELECT pg_advisory_xact_lock_shared(${home})`)
      await put("a")
    })
    let isDone = false
    const second = await admin.begin(async (observer) => {
      await observer.unsafe(`SELECT pg_advisory_xact_lock(${home})`)
      const done = put("b").then(() => {
        isDone = true
      })
      await expect.poll(waiting).toBe(1)
      expect(isDone).toBe(false)
      return { done }
    })
    await second.done
    await admin.end()
  })

  it("of a type's entities miss none that changes while they are made", async () => {
    const stores = await replicas(3)
    const set = setStreamPath("t")
    await storeOf(stores, 0).commit({ ops: [create(set), { op: "putEntity", record: entity("/w/o", 0) }] })
    const put = (n: number) => ({ op: "putEntity", record: entity(`/t/${n}`, 0) }) as const
    const numbers = Array.from({ length: 60 }, (_, n) => n)
    const puts = numbers.map((n) =>
      storeOf(stores, n)
        .commit({ ops: [put(n)] })
        .then(() => storeOf(stores, n).entity(`/t/${n}`)),
    )
    await storeOf(stores, 1).commit({ ops: [observe("/w/o", set)] })
    const { entities } = await storeOf(stores, 1).entities({ type: "t", limit: 100 })
    await Promise.all(puts)
    const told = (JSON.parse(`[${(await textOf(storeOf(stores, 2), set)).slice(0, -1)}]`) as { key: string }[]).map(
      ({ key }) => key,
    )
    expect(new Set([...entities.map(({ url }) => url), ...told]).size).toBe(numbers.length)
  })
})

real("spaces", () => {
  const path = sharedStreamPath("board")
  const writing = (writes: readonly SpaceWrite[]): Op => ({
    op: "space",
    path,
    change: { kind: "write", by: "", writes },
    nowMs: NOW,
  })

  it("give each row to one of those who claim at once in several replicas", async () => {
    const stores = await replicas(3)
    const definition = { collections: { tasks: { schema: { type: "object" }, key: "id" } } }
    const keys = Array.from({ length: 90 }, (_, n) => `k${String(n).padStart(2, "0")}`)
    const inserts = keys.map(
      (key) => ({ kind: "insert", collection: "tasks", key, value: "{}", rowsMax: 100 }) as const,
    )
    await storeOf(stores, 0).commit({
      ops: [{ op: "space", path, change: { kind: "define", definition, version: 0 }, nowMs: NOW }, writing(inserts)],
    })
    const claim = async (n: number): Promise<readonly string[]> => {
      const asked = {
        kind: "claim",
        collection: "tasks",
        queue: "",
        limit: 1,
        heldMax: 9,
        expiresAtMs: NOW + 1,
      } as const
      const { spaces = [] } = await storeOf(stores, n).commit({
        ops: [writing([{ ...asked, holder: `w${n}`, claim: "c" }])],
      })
      return spaces.flatMap((one) => (one.kind === "claimed" ? one.rows.map(({ key }) => key) : []))
    }
    const taken = await Promise.all(keys.map((_, n) => claim(n)))
    expect(taken.flat().toSorted()).toEqual(keys)
    const add = { kind: "increment", collection: "tasks", key: "k00", field: "n", by: 1 } as const
    await Promise.all(keys.map((_, n) => storeOf(stores, n).commit({ ops: [writing([add])] })))
    expect((await storeOf(stores, 1).spaceRow(path, "tasks", "k00"))?.value).toBe(`{"n":${keys.length}}`)
  })
})

real("round trips", () => {
  it("a commit of what this replica touched last is one, whoever observes others", async () => {
    const proxy = await cuttingProxy()
    const url = server.url.replace(`:${server.port}`, `:${proxy.port}`)
    const open = async (): Promise<Store> => openPostgresStore({ url, schema: "trips", clock: () => NOW, pooled: true })
    const [one, other] = [await open(), await open()]
    const log = "entities/t/a"
    await one.commit({ ops: [create(log), { op: "putEntity", record: entity("/t/a", 1) }] })
    await other.commit({ ops: [{ op: "putEntity", record: entity("/w/o", 0) }, observe("/w/o", "elsewhere")] })
    const turn = async (n: number, status: "idle" | "running"): Promise<number> => {
      const before = proxy.calls()
      const guards = [{ kind: "lease", url: "/t/a", epoch: 1, seq: n }] as const
      await one.commit({ guards, ops: [append(log, n), { op: "putEntity", record: { ...entity("/t/a", 1), status } }] })
      return proxy.calls() - before
    }
    expect([await turn(1, "running"), await turn(2, "idle"), await turn(3, "running")]).toEqual([1, 1, 1])
    await other.commit({ ops: [observe("/w/o", log)] })
    expect(await turn(4, "idle")).toBeGreaterThan(1)
    await other.commit({ ops: [{ op: "observation", change: { kind: "drop", url: "/w/o", name: "watch" } }] })
    await turn(5, "running")
    expect([await turn(6, "idle"), await turn(7, "running")]).toEqual([1, 1])
    await Promise.all([one.close(), other.close()])
    proxy.close()
  })
})

real("lost connections", () => {
  it("leave every commit done once, and told as what it is", async () => {
    const [store] = (await replicas(1)) as [Store]
    const admin = postgres(server.url, { max: 1, onnotice: () => undefined })
    await store.commit({ ops: [create("a")] })
    const done: number[] = []
    const progress = { next: 0 }
    const write = async (): Promise<void> => {
      while (progress.next < 200) {
        const n = (progress.next += 1)
        const isDone = await store.commit({ ops: [append("a", n)] }).then(
          () => true,
          () => false,
        )
        if (isDone) done.push(n)
      }
    }
    const kill = async (): Promise<void> => {
      while (progress.next < 180) {
        await admin`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%apply_1%' AND pid <> pg_backend_pid()`
        await pause(30)
      }
    }
    await Promise.all([write(), write(), write(), kill()])
    await admin.end()
    const found = JSON.parse(`[${(await textOf(store, "a")).slice(0, -1)}]`) as number[]
    expect(new Set(found).size).toBe(found.length)
    expect(found.toSorted((a, b) => a - b)).toEqual(done.toSorted((a, b) => a - b))
  })

  it("whose answer was on its way leave no commit done twice, and none told as failed", async () => {
    const cutting = await cuttingProxy()
    const url = server.url.replace(`:${server.port}`, `:${cutting.port}`)
    const store = await openPostgresStore({ url, schema: "cut", clock: () => NOW, pooled: true })
    open.push(store)
    await store.commit({ ops: [create("a")] })
    cutting.cut(5)
    for (let n = 1; n <= 20; n += 1) await store.commit({ ops: [append("a", n)] })
    expect(cutting.left()).toBe(0)
    expect(await textOf(store, "a")).toBe(Array.from({ length: 20 }, (_, n) => `${n + 1},`).join(""))
    cutting.close()
  })

  it("a crash of the server loses nothing, and the store goes on", async () => {
    const [store] = (await replicas(1)) as [Store]
    await store.commit({ ops: [create("a"), append("a", 1)] })
    await server.crash()
    await expect(store.commit({ ops: [append("a", 2)] })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" })
    await server.start()
    await expect
      .poll(() =>
        store.commit({ ops: [append("a", 3)] }).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true)
    expect(await textOf(store, "a")).toBe("1,3,")
  })
})

interface CuttingProxy {
  readonly port: number
  /** The answers to so many groups of commits are lost with their connections, every second one. */
  cut(count: number): void
  left(): number
  /** How often the database was asked to look up or to do something for a commit. */
  calls(): number
  close(): void
}

async function cuttingProxy(): Promise<CuttingProxy> {
  let left = 0
  let groups = 0
  let calls = 0
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const upstream = connect(server.port, "127.0.0.1")
    let isDoomed = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket
        .on("error", () => undefined)
        .on("close", () => {
          sockets.delete(socket)
          client.destroy()
          upstream.destroy()
        })
    }
    client.on("data", (data) => {
      calls += Number(data.includes("apply_1(") || data.includes("load_1("))
      if (data.includes("apply_1(") && left > 0) {
        groups += 1
        isDoomed = groups % 2 === 0
      }
      upstream.write(data)
    })
    upstream.on("data", (data) => {
      if (!isDoomed) return void client.write(data)
      left -= 1
      client.destroy()
    })
  })
  proxy.listen(0, "127.0.0.1")
  await once(proxy, "listening")
  return {
    port: (proxy.address() as AddressInfo).port,
    cut: (count) => {
      left = count
    },
    left: () => left,
    calls: () => calls,
    close: () => {
      for (const socket of sockets) socket.destroy()
      proxy.close()
    },
  }
}
