import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { defineEntity, defineShared } from "@rouse/agents"
import { entityStreamPath, sharedStreamPath } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import { expect, test } from "vitest"
import { z } from "zod"
import { IdleExpiry } from "../src/idle-expiry.ts"
import type { Plane } from "../src/plane.ts"
import { tombstoneOf } from "../src/purge.ts"
import { Settlements } from "../src/settlements.ts"
import { forgetRows } from "../src/shared/disown.ts"
import { Transactor } from "../src/transactor.ts"
import { Harness, temporaryStore } from "./harness.ts"

function later(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

const board = defineShared("board", {
  collections: { notes: { schema: z.object({ id: z.string(), text: z.string() }), key: "id" } },
})
const simple = defineEntity("simple", { handler: (ctx) => ctx.reply("ok") })

test("delete stops an agent and keeps its log; purge removes both, and the address may be used again", async () => {
  const harness = await Harness.open({ entities: [simple] })
  await harness.spawn("/simple/a", { message: "hello" })
  await harness.ask("/simple/a", "again")
  expect((await harness.call("DELETE", "/v1/entities/simple/a")).status).toBe(204)
  expect((await harness.call("GET", "/v1/entities/simple/a")).body).toMatchObject({ status: "stopped" })
  expect((await harness.log("/simple/a")).length).toBeGreaterThan(4)
  expect((await harness.call("DELETE", "/v1/entities/simple/a?purge=true")).status).toBe(204)
  expect(await harness.call("GET", "/v1/entities/simple/a")).toMatchObject({
    status: 410,
    body: { code: "GONE", details: { url: "/simple/a", by: "local", reason: "deleted" } },
  })
  expect(await harness.store.stream(entityStreamPath("/simple/a"))).toBeUndefined()
  expect(await harness.store.rows("/simple/a")).toEqual([])
  expect((await harness.call("DELETE", "/v1/entities/simple/a?purge=true")).status).toBe(404)
  expect((await harness.spawn("/simple/a", { message: "new" })).status).toBe(201)
  expect(await harness.ask("/simple/a", "still")).toMatchObject({ status: "processed" })
  await harness.close()
})

test("of an agent that was purged no byte stays on the disk once it was swept", async () => {
  const temporary = await temporaryStore()
  const { store, directory } = temporary
  const harness = await Harness.open({ entities: [simple], store })
  const mark = "purge-me-7f3a9c"
  await harness.spawn("/simple/a", { args: { note: `${mark} args` }, tags: { note: `${mark} tag` } })
  for (let n = 0; n < 20; n++) await harness.ask("/simple/a", `${mark} ${n} ${"x".repeat(n * 500)}`)
  await harness.call("POST", "/v1/entities/simple/a/messages", { content: `${mark} later`, afterMs: 1e9 })
  await harness.spawn("/simple/b", { message: "stays" })
  expect((await harness.call("DELETE", "/v1/entities/simple/a?purge=true")).status).toBe(204)
  while ((await store.sweep(Date.now())) > 0);
  await harness.close()
  const files = await readdir(directory)
  const found = await Promise.all(files.map(async (file) => (await readFile(join(directory, file))).includes(mark)))
  expect(files.filter((_, i) => found[i])).toEqual([])
  await temporary.remove()
})

const spaced = defineEntity("spaced", {
  async handler(ctx, wake) {
    const { notes } = ctx.shared("board", board)
    const text = String(wake.messages[0]?.content)
    for (let n = 0; n < 3; n++) await notes.insert({ id: `${ctx.entity.id}-${text.slice(0, 5)}-${n}`, text })
    ctx.reply("ok")
  },
})

test("with shared=true the rows go that it inserted into shared spaces, and what the spaces' logs said of them", async () => {
  const temporary = await temporaryStore()
  const { store, directory } = temporary
  const harness = await Harness.open({ entities: [spaced], store })
  const mark = "purge-me-91bd04"
  for (const id of ["a", "b"]) await harness.spawn(`/spaced/${id}`)
  for (let n = 0; n < 4; n++) await harness.ask("/spaced/a", `${n} ${mark} ${"x".repeat(n * 500)} ${mark}`)
  await harness.ask("/spaced/b", "stays")
  await harness.call("POST", "/v1/shared/board/claims", { collection: "notes", limit: 2 })
  await harness.call("POST", "/v1/shared/board/notes", {
    ops: [{ op: "update", key: "b-stays-0", set: { text: "more" } }],
  })
  const refused = await harness.call("DELETE", "/v1/entities/spaced/a?shared=true")
  expect(refused).toMatchObject({ status: 422, body: { code: "INVALID_ARGS" } })
  expect((await harness.call("DELETE", "/v1/entities/spaced/a?purge=true&shared=true")).status).toBe(204)
  const left = await harness.call<{ rows: { key: string }[] }>("GET", "/v1/shared/board/notes")
  expect(left.body.rows.map(({ key }) => key)).toEqual(["b-stays-0", "b-stays-1", "b-stays-2"])
  const plane = { store, clock: Date.now, defer: later } as const
  while ((await forgetRows(plane)) + (await store.sweep(Date.now())) > 0);
  expect(await store.forgetfulSpaces(9)).toEqual([])
  const at = (await store.stream(sharedStreamPath("board")))?.next
  const past = await harness.call("GET", `/v1/shared/board/notes?at=${at}`)
  expect(past.body).toMatchObject({ rows: [{ key: "b-stays-0", value: { text: "more" } }, {}, {}] })
  await harness.close()
  const files = await readdir(directory)
  const found = await Promise.all(files.map(async (file) => (await readFile(join(directory, file))).includes(mark)))
  expect(files.filter((_, i) => found[i])).toEqual([])
  await temporary.remove()
})

test("without it they stay, as do the rows of others", async () => {
  const harness = await Harness.open({ entities: [spaced] })
  await harness.spawn("/spaced/a")
  await harness.ask("/spaced/a", "one")
  await harness.call("DELETE", "/v1/entities/spaced/a?purge=true")
  expect(await harness.store.space(sharedStreamPath("board"))).toMatchObject({ rows: 3 })
  expect(await harness.store.forgetfulSpaces(9)).toEqual([])
  await harness.close()
})

test("a purge that was broken off after some rows is finished when it is asked for again", async () => {
  const harness = await Harness.open({ entities: [spaced] })
  await harness.spawn("/spaced/a")
  await harness.ask("/spaced/a", "one")
  await harness.call("DELETE", "/v1/entities/spaced/a")
  const path = sharedStreamPath("board")
  const rows = (await harness.store.ownedRows("/spaced/a", 2))?.rows ?? []
  const change = { kind: "disown", owner: "/spaced/a", rows } as const
  await harness.store.commit({ ops: [{ op: "space", path, change, nowMs: Date.now() }] })
  await harness.call("DELETE", "/v1/entities/spaced/a?purge=true&shared=true")
  expect(await harness.store.space(path)).toMatchObject({ rows: 0 })
  expect(await harness.store.entity("/spaced/a")).toBeUndefined()
  await harness.close()
})

test("agents that are idle for longer than their type's rule are purged, with a tombstone; those with anything to come are not", async () => {
  let nowMs = Date.now()
  const clock = (): number => nowMs
  const harness = await Harness.open({ entities: [simple], clock })
  for (const id of ["old", "scheduled", "young"]) {
    await harness.spawn(`/simple/${id}`)
    await harness.ask(`/simple/${id}`, "hello")
  }
  await harness.call("POST", "/v1/entities/simple/scheduled/schedules", { name: "x", every: 1e9, message: "m" })
  nowMs += 86_400_000
  await harness.ask("/simple/young", "again")
  const plane = { store: harness.store, clock, transactor: { forget: () => undefined } } as unknown as Plane
  const expiry = new IdleExpiry(plane, [{ type: "simple", keepMs: 3_600_000 }])
  expect(await expiry.step()).toBe(1)
  expect(await expiry.step()).toBe(0)
  expect((await harness.call("GET", "/v1/entities/simple/young")).status).toBe(200)
  expect((await harness.call("GET", "/v1/entities/simple/scheduled")).status).toBe(200)
  expect(await harness.store.entity("/simple/old")).toBeUndefined()
  expect(await tombstoneOf(plane, "/simple/old")).toMatchObject({ by: { id: "retention" } })
  await harness.close()
})

test("with shared rows, one that is idle is stopped, and then goes with its rows; one that moved meanwhile is left", async () => {
  let nowMs = Date.now()
  const clock = (): number => nowMs
  const harness = await Harness.open({ entities: [spaced], clock })
  for (const id of ["a", "b"]) {
    await harness.spawn(`/spaced/${id}`)
    await harness.ask(`/spaced/${id}`, id)
  }
  nowMs += 86_400_000
  const { store } = harness
  const moved: Pick<Store, "entities" | "rows" | "ownedRows" | "commit" | "stream" | "streamPaths"> = {
    entities: (filter) => store.entities(filter),
    async rows(url, collection) {
      if (url === "/spaced/b") await harness.call("POST", "/v1/entities/spaced/b/tags", { tags: { moved: "yes" } })
      return store.rows(url, collection)
    },
    ownedRows: (owner, limit) => store.ownedRows(owner, limit),
    commit: (commit) => store.commit(commit),
    stream: (path) => store.stream(path),
    streamPaths: (page) => store.streamPaths(page),
  }
  const transactor = new Transactor(store, clock)
  const rest = {
    random: Math.random,
    abort: () => undefined,
    dueAt: () => undefined,
    tellAskers: () => undefined,
    dispatcher: { queueing: false },
  }
  const plane = { store: moved, clock, transactor, ...rest, settlements: new Settlements() } as unknown as Plane
  const expiry = new IdleExpiry(plane, [{ type: "spaced", keepMs: 3_600_000, shared: true }])
  expect(await expiry.step()).toBe(1)
  expect(await store.entity("/spaced/a")).toBeUndefined()
  expect(await store.ownedRows("/spaced/a", 1)).toBeUndefined()
  expect(await store.entity("/spaced/b")).toMatchObject({ status: "idle" })
  expect(await store.space(sharedStreamPath("board"))).toMatchObject({ rows: 3 })
  await harness.close()
})
