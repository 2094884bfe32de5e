import { defineEntity } from "@rouse/agents"
import type { ChangeNotice, Json, MessageRow, ObservationInfo, TimeoutNotice } from "@rouse/protocol"
import { afterEach, expect, test } from "vitest"
import { Harness, type HarnessOptions, type Refusal } from "./harness.ts"
import { openTestStore } from "./support/test-store.ts"

const open: Harness[] = []
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

/** Everything that watchers were told, in the order of their wakes. */
interface Told {
  readonly changes: ChangeNotice[]
  readonly timeouts: TimeoutNotice[]
  readonly reasons: string[]
}

function watcher(told: Told, name = "watcher"): ReturnType<typeof defineEntity> {
  return defineEntity(name, {
    handler(_, wake) {
      told.changes.push(...wake.changes)
      told.timeouts.push(...wake.timeouts)
      told.reasons.push(...wake.reasons.map((reason) => reason.kind))
    },
  })
}

/** An agent with a collection of its own, which its messages change. */
const worker = defineEntity("worker", {
  state: { notes: { schema: anything(), key: "id" } },
  handler(ctx) {
    for (const { content } of ctx.messages) {
      const { id, size } = (typeof content === "object" && content !== null ? content : {}) as {
        id?: string
        size?: number
      }
      if (id === undefined) continue
      const row = { id, size: size ?? 0 }
      if (ctx.state.notes.get(id)) ctx.state.notes.update(id, () => row)
      else ctx.state.notes.insert(row)
    }
    ctx.reply("done")
  },
})

function anything() {
  const validate = (value: unknown) => ({ value: value as { id: string; size: number } })
  return { "~standard": { version: 1 as const, vendor: "test", validate } }
}

function nothing(): Told {
  return { changes: [], timeouts: [], reasons: [] }
}

async function opened(entities: HarnessOptions["entities"], options: Partial<HarnessOptions> = {}): Promise<Harness> {
  const harness = await Harness.open({ entities, ...options })
  open.push(harness)
  return harness
}

async function observe(harness: Harness, body: Json, url = "/watcher/a"): Promise<ObservationInfo> {
  const made = await harness.call<ObservationInfo>("POST", `/v1/entities${url}/observations`, body)
  expect(made.status).toBe(200)
  return made.body
}

const counted = (told: Told): number => told.changes.reduce((sum, change) => sum + change.count, 0)

test("a run that finishes rouses who observes the agent, with what it came to", async () => {
  const told = nothing()
  const harness = await opened([watcher(told), worker])
  await harness.spawn("/watcher/a")
  await harness.spawn("/worker/w")
  const made = await observe(harness, { source: "/worker/w" })
  expect(made).toMatchObject({ name: "worker.w", source: "/worker/w", stream: "entities/worker/w" })
  await harness.ask("/worker/w", "go")
  await harness.until(async () => counted(told) === 1, "told of the run")
  expect(told.reasons).toEqual(["change"])
  const [notice] = told.changes
  expect(notice).toMatchObject({ observation: "worker.w", source: "/worker/w", count: 1 })
  expect(notice?.changes).toMatchObject([
    { collection: "run", operation: "insert", row: { status: "completed", reply: "done" } },
  ])
  expect(notice && notice.from < notice.to).toBe(true)
  const { body } = await harness.call<{ observations: ObservationInfo[] }>("GET", "/v1/entities/watcher/a/observations")
  expect(body.observations).toMatchObject([{ name: "worker.w", pending: false, cursor: notice?.to }])
  expect(await harness.rows("/watcher/a", "subscription")).toHaveLength(1)
})

test("four updates of one row are all told, of the collections and rows that were asked for and no others", async () => {
  const told = nothing()
  const harness = await opened([watcher(told), worker])
  await harness.spawn("/watcher/a")
  await harness.spawn("/worker/w")
  await observe(harness, { source: "/worker/w", on: "notes", where: { size: { gte: 2 }, $key: "n" } })
  for (const size of [1, 2, 3, 4, 5]) await harness.ask("/worker/w", { id: "n", size })
  await harness.ask("/worker/w", { id: "other", size: 9 })
  await harness.until(async () => counted(told) === 4, "told of four updates")
  const sizes = told.changes.flatMap(({ changes }) => changes.map(({ row }) => (row as { size: number }).size))
  expect(sizes).toEqual([2, 3, 4, 5])
  // One range follows the other.
  for (const [at, { from }] of told.changes.entries())
    if (at > 0) expect(from >= (told.changes[at - 1]?.to ?? "")).toBe(true)
})

test("a debounce gathers what follows into one message, and what comes before it is taken is added to it", async () => {
  const told = nothing()
  let skewMs = 0
  const entities = [watcher(told), worker]
  const harness = await opened(entities, { clock: () => Date.now() + skewMs })
  await harness.spawn("/watcher/a")
  await harness.spawn("/worker/w")
  await observe(harness, { source: "/worker/w", debounce: 60_000 })
  for (const text of ["a", "b", "c"]) await harness.ask("/worker/w", text)
  await harness.call("POST", "/v1/entities/watcher/a/signals", { signal: "pause" })
  skewMs += 60_000
  harness.server.replaceEntities(entities)
  const waiting = async (): Promise<readonly MessageRow[]> =>
    (await harness.rows<MessageRow>("/watcher/a", "message")).map(({ value }) => value)
  await harness.until(async () => (await waiting()).length === 1, "one message for three changes")
  expect((await waiting())[0]?.content).toMatchObject({ count: 3 })
  await harness.ask("/worker/w", "d")
  skewMs += 60_000
  harness.server.replaceEntities(entities)
  await harness.until(async () => (await waiting()).some((row) => (row.content as never)["count"] === 4), "extended")
  expect(await waiting()).toHaveLength(1)
  await harness.call("POST", "/v1/entities/watcher/a/signals", { signal: "resume" })
  await harness.until(async () => counted(told) === 4, "told of all of them")
  expect(told.changes).toHaveLength(1)
})

test("a timeout tells, once, that nothing came", async () => {
  const told = nothing()
  let skewMs = 0
  const entities = [watcher(told), worker]
  const harness = await opened(entities, { clock: () => Date.now() + skewMs })
  await harness.spawn("/watcher/a")
  await observe(harness, { name: "dog", source: "/worker/w", timeout: 60_000 })
  const later = (): void => {
    skewMs += 61_000
    harness.server.replaceEntities(entities)
  }
  later()
  await harness.until(async () => told.timeouts.length === 1, "timed out")
  expect(told.timeouts[0]).toEqual({ observation: "dog", source: "/worker/w", timeout: 60_000 })
  later()
  await harness.spawn("/worker/w", { message: "go" })
  await harness.until(async () => counted(told) === 1, "told of a change")
  later()
  await harness.until(async () => told.timeouts.length === 2, "timed out anew")
  expect(told.reasons).toEqual(["timeout", "change", "timeout"])
})

test("a set tells who joins it and who leaves it, and not of the observer itself", async () => {
  const told = nothing()
  const harness = await opened([watcher(told), worker])
  await harness.spawn("/watcher/a")
  await harness.spawn("/worker/before", { tags: { team: "x" } })
  await observe(harness, { name: "team", source: { type: "worker", tags: { team: "x" } }, on: ["join", "leave"] })
  await observe(harness, { name: "own", source: { type: "watcher" } })
  await harness.spawn("/worker/new", { tags: { team: "x" } })
  await harness.spawn("/worker/other", { tags: { team: "y" } })
  await harness.ask("/worker/before", "a change of its status is no join")
  await harness.call("POST", "/v1/entities/worker/before/tags", { tags: { team: null } })
  await harness.call("DELETE", "/v1/entities/worker/new?purge=true")
  await harness.until(async () => counted(told) === 3, "told of the set")
  const seen = told.changes.flatMap(({ changes }) => changes.map(({ key, operation }) => `${operation} ${key}`))
  expect(seen).toEqual(["join /worker/new", "leave /worker/before", "leave /worker/new"])
  expect(told.changes.every(({ observation }) => observation === "team")).toBe(true)
})

test("an application's stream is observed from its beginning when that is asked for, and deltas are not told", async () => {
  const told = nothing()
  const harness = await opened([watcher(told)])
  const stream = (body: Json) => harness.call("POST", "/v1/stream/orders", body, { "content-type": "application/json" })
  await harness.call("PUT", "/v1/stream/orders", undefined, { "content-type": "application/json" })
  await stream([{ cents: 5 }, { cents: 500 }])
  await harness.spawn("/watcher/a")
  await observe(harness, { source: "orders", where: { cents: { gt: 100 } }, from: "beginning" })
  await stream([{ cents: 7 }, { cents: 700 }])
  await stream([{ type: "delta", key: "d", value: { cents: 900 }, headers: { operation: "insert" } }])
  await harness.until(async () => counted(told) === 2, "told of the stream")
  expect(told.changes.flatMap(({ changes }) => changes)).toEqual([{ row: { cents: 500 } }, { row: { cents: 700 } }])
})

test("an observation is set once however often it is asked for, is removed, and works at once when it is made again", async () => {
  const told = nothing()
  const harness = await opened([watcher(told), worker])
  await harness.spawn("/watcher/a")
  await harness.spawn("/worker/w")
  const first = await observe(harness, { source: "/worker/w", on: ["finished"] })
  expect(await observe(harness, { source: "/worker/w", on: "finished" })).toEqual(first)
  expect((await harness.call("DELETE", "/v1/entities/watcher/a/observations/worker.w")).status).toBe(204)
  const gone = await harness.call("DELETE", "/v1/entities/watcher/a/observations/worker.w")
  expect(gone).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } })
  await harness.ask("/worker/w", "unseen")
  await observe(harness, { source: "/worker/w", on: ["finished"] })
  await harness.ask("/worker/w", "seen")
  await harness.until(async () => counted(told) === 1, "told of what came after")
  await harness.call("POST", "/v1/entities/watcher/a/signals", { signal: "kill" })
  expect(await harness.rows("/watcher/a", "subscription")).toEqual([])
  expect(await harness.store.observations("/watcher/a")).toEqual([])
})

test("what is wrong is refused by name", async () => {
  const harness = await opened([watcher(nothing())])
  await harness.spawn("/watcher/a")
  const refused = async (body: Json): Promise<string> => {
    const answer = (await harness.call("POST", "/v1/entities/watcher/a/observations", body)) as unknown as Refusal
    expect([400, 422]).toContain(answer.status)
    return answer.body.detail
  }
  expect(await refused({ source: "/watcher/a" })).toMatch(/^source: .* itself/)
  expect(await refused({ source: "entities/watcher/a" })).toMatch(/^source: .* itself/)
  expect(await refused({ source: "/nothing" })).toMatch(/^source/)
  expect(await refused({ source: "a/../b" })).toMatch(/^source/)
  expect(await refused({ source: "sets/worker" })).toMatch(/^source/)
  expect(await refused({ source: "orders", on: ["a b"] })).toMatch(/^on/)
  expect(await refused({ source: { type: "worker" }, on: "finished" })).toMatch(/^on/)
  expect(await refused({ source: { type: "worker" }, from: "beginning" })).toMatch(/^from/)
  expect(await refused({ source: "orders", where: { a: { near: 3 } } })).toMatch(/^where.a.near/)
  expect(await refused({ source: "orders", where: { or: [] } })).toMatch(/^where.or/)
  expect(await refused({ source: "orders", debounce: -1 })).toMatch(/^debounce/)
  expect(await refused({ source: "orders", timeout: 1 })).toMatch(/^timeout/)
  expect(await refused({ source: "orders", from: "yesterday" })).toMatch(/^from/)
  expect(await refused({ source: "orders", name: "a b" })).toMatch(/^name/)
})

test("a handler observes exactly once however often its wake is tried", async () => {
  const told = nothing()
  let attempts = 0
  const manager = defineEntity("manager", {
    async handler(ctx, wake) {
      told.changes.push(...wake.changes)
      if (wake.changes.length > 0) return
      const child = ctx.spawn("worker", "w", {}, { wake: "never" })
      ctx.observe(child, { name: "mine" })
      await ctx.commit()
      attempts += 1
      if (attempts < 2) throw new Error("once more")
      ctx.send(child, "go")
    },
  })
  const harness = await opened([manager, worker])
  await harness.spawn("/manager/m", { message: "begin" })
  await harness.until(async () => counted(told) === 1, "told of the child's run")
  expect(attempts).toBe(2)
  const made = (await harness.log("/manager/m")).filter(({ type }) => type === "subscription")
  expect(made).toHaveLength(1)
})

test("agents that observe each other are frozen, and a person can let them go on", async () => {
  const told = nothing()
  const harness = await opened([watcher(told, "ping"), watcher(told, "pong")], { limits: { hopsMax: 6 } })
  await harness.spawn("/ping/a")
  await harness.spawn("/pong/b")
  await observe(harness, { source: "/pong/b" }, "/ping/a")
  await observe(harness, { source: "/ping/a" }, "/pong/b")
  await harness.call("POST", "/v1/entities/ping/a/messages", { content: "serve" })
  const statusOf = async (url: string): Promise<{ status: string; reason?: string }> =>
    (await harness.call<{ status: string; reason?: string }>("GET", `/v1/entities${url}`)).body
  const paused = async (): Promise<{ reason?: string } | undefined> =>
    (await Promise.all(["/ping/a", "/pong/b"].map(statusOf))).find(({ status }) => status === "paused")
  await harness.until(async () => (await paused()) !== undefined, "frozen")
  expect((await paused())?.reason).toMatch(/frozen: 7 messages in a row caused each other/)
})

test("what happened while the server was down is told when it is back, once", async () => {
  const told = nothing()
  const store = await openTestStore({ clock: Date.now })
  const entities = [watcher(told), worker]
  const first = await opened(entities, { store })
  await first.spawn("/watcher/a")
  await observe(first, { source: "orders", debounce: 50 })
  await first.call("PUT", "/v1/stream/orders", undefined, { "content-type": "application/json" })
  await first.call("POST", "/v1/stream/orders", [{ n: 1 }], { "content-type": "application/json" })
  await first.stop()
  open.splice(0)
  const again = await opened(entities, { store })
  await again.until(async () => counted(told) > 0, "told")
  await again.call("POST", "/v1/stream/orders", [{ n: 2 }], { "content-type": "application/json" })
  await again.until(async () => counted(told) === 2, "told of the next")
  expect(told.changes.flatMap(({ changes }) => changes.map(({ row }) => row))).toEqual([{ n: 1 }, { n: 2 }])
})

test("a notice that a handler may have read is left as it is, and what comes meanwhile is told next", async () => {
  const told = nothing()
  const released = Promise.withResolvers<void>()
  const slow = defineEntity("slow", {
    async handler(_, wake) {
      told.changes.push(...structuredClone(wake.changes))
      // It was shown the notice, and has not taken it yet.
      if (wake.changes.length > 0) await released.promise
    },
  })
  const harness = await opened([slow])
  const append = (n: number) =>
    harness.call("POST", "/v1/stream/orders", [{ n }], { "content-type": "application/json" })
  await harness.call("PUT", "/v1/stream/orders", undefined, { "content-type": "application/json" })
  await harness.spawn("/slow/a")
  await observe(harness, { source: "orders" }, "/slow/a")
  await append(1)
  await harness.until(async () => told.changes.length === 1, "shown the first")
  await append(2)
  await append(3)
  await new Promise((resolve) => setTimeout(resolve, 300))
  const [first, ...more] = await harness.rows<MessageRow>("/slow/a", "message")
  expect([first?.value.content, more]).toMatchObject([{ count: 1 }, []])
  released.resolve()
  await harness.until(async () => counted(told) === 3, "told of the rest")
  const seen = told.changes.flatMap(({ changes }) => changes.map(({ row }) => (row as { n: number }).n))
  expect(seen).toEqual([1, 2, 3])
})

test("an observer that cannot be told keeps no other from being told", async () => {
  const told = nothing()
  const harness = await opened([watcher(told)], { limits: { pendingMax: 1 } })
  await harness.call("PUT", "/v1/stream/orders", undefined, { "content-type": "application/json" })
  for (const id of ["full", "free"]) {
    await harness.spawn(`/watcher/${id}`)
    await observe(harness, { source: "orders" }, `/watcher/${id}`)
  }
  await harness.call("POST", "/v1/entities/watcher/full/signals", { signal: "pause" })
  await harness.call("POST", "/v1/entities/watcher/full/messages", { content: "all there is room for" })
  await harness.call("POST", "/v1/stream/orders", [{ n: 1 }], { "content-type": "application/json" })
  await harness.until(async () => counted(told) === 1, "told who has room")
  await harness.call("POST", "/v1/entities/watcher/full/signals", { signal: "resume" })
  await harness.until(async () => counted(told) === 2, "told the other when there was room")
})

test("what retention took away before it was looked at is told as lost", async () => {
  const told = nothing()
  let skewMs = 0
  const entities = [watcher(told)]
  const harness = await opened(entities, { clock: () => Date.now() + skewMs })
  await harness.call("PUT", "/v1/stream/orders", undefined, { "content-type": "application/json" })
  await harness.spawn("/watcher/a")
  const append = (n: number) =>
    harness.call("POST", "/v1/stream/orders", [{ n }], { "content-type": "application/json" })
  await append(1)
  await append(2)
  const to = (await harness.store.stream("orders"))?.next
  if (to === undefined) throw new Error("there is no stream")
  await append(3)
  await harness.store.commit({ ops: [{ op: "trimStream", path: "orders", to }] })
  await observe(harness, { source: "orders", from: "beginning", debounce: 1_000 })
  skewMs += 1_000
  harness.server.replaceEntities(entities)
  await harness.until(async () => told.changes.length === 1, "told")
  expect(told.changes[0]).toMatchObject({ lost: true, count: 1, changes: [{ row: { n: 3 } }] })
})
