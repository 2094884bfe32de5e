import { createWorker, defineEntity, type EntityDefinition } from "@rouse/agents"
import type { EntitySummary, RunRow, TypeInfo } from "@rouse/protocol"
import { afterEach, expect, test } from "vitest"
import { z } from "zod"
import { isInCanary } from "../src/core/type-catalog.ts"
import { Harness } from "./harness.ts"
import { fetchOf, Network } from "./support/remote.ts"

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close()
})

const addressOf = (version: string): string => `http://127.0.0.1:1/${version}`

/** A type whose runs stay open until they are told to end, so that versions can be changed meanwhile. */
function clerk(version: string): EntityDefinition {
  return defineEntity("clerk", {
    handler(ctx, wake) {
      if (wake.messages.some((message) => message.content === "wait")) return ctx.suspend()
      ctx.reply(version)
    },
  })
}

async function setUp(): Promise<{ readonly harness: Harness; readonly deploy: (version: string) => Promise<void> }> {
  const network = new Network()
  const harness = await Harness.open({ entities: [], endpoints: network.webhooks })
  open.push(harness)
  const deploy = async (version: string): Promise<void> => {
    network.serve(addressOf(version), () => harness, { entities: [clerk(version)], version })
    expect(await harness.call("POST", "/v1/types", { url: addressOf(version) })).toMatchObject({ status: 200 })
  }
  return { harness, deploy }
}

async function type(harness: Harness): Promise<TypeInfo> {
  return (await harness.call<TypeInfo>("GET", "/v1/types/clerk")).body
}

function route(harness: Harness, routing: unknown): ReturnType<Harness["call"]> {
  return harness.call("PUT", "/v1/types/clerk/routing", routing)
}

test("a run stays in the version that it began with, and the next one takes the newest", async () => {
  const { harness, deploy } = await setUp()
  await deploy("v1")
  await harness.spawn("/clerk/a", { message: "wait" })
  const statusOf = async (): Promise<string> =>
    (await harness.call<EntitySummary>("GET", "/v1/entities/clerk/a")).body.status
  await harness.until(async () => (await statusOf()) === "suspended", "the run is suspended")
  await deploy("v2")
  expect(await type(harness)).toMatchObject({ version: "v2", versions: [{ version: "v2" }, { version: "v1" }] })
  expect(await harness.ask("/clerk/a", "go on")).toMatchObject({ reply: "v1" })
  expect(await harness.ask("/clerk/a", "again")).toMatchObject({ reply: "v2" })
  const runs = await harness.rows<RunRow>("/clerk/a", "run")
  expect(runs.map((run) => run.value.version)).toEqual(["v1", "v2"])
})

test("a pin rolls back at once; a canary takes always the same agents, and as many as it says", async () => {
  const { harness, deploy } = await setUp()
  await deploy("v1")
  await deploy("v2")
  await harness.spawn("/clerk/a")
  expect(await harness.ask("/clerk/a", "x")).toMatchObject({ reply: "v2" })
  expect(await route(harness, { kind: "pin", version: "v1" })).toMatchObject({ body: { version: "v1" } })
  expect(await harness.ask("/clerk/a", "x")).toMatchObject({ reply: "v1" })
  expect(await route(harness, { kind: "pin", version: "v9" })).toMatchObject({ status: 404 })
  await route(harness, { kind: "canary", version: "v2", percent: 30, base: "v1" })
  for (let i = 0; i < 20; i++) {
    const url = `/clerk/c${i}`
    await harness.spawn(url)
    const wanted = isInCanary(url, 30) ? "v2" : "v1"
    expect(await harness.ask(url, "x")).toMatchObject({ reply: wanted })
    expect(await harness.ask(url, "x")).toMatchObject({ reply: wanted })
  }
  const share = Array.from({ length: 10_000 }, (_, i) => isInCanary(`/clerk/${i}`, 30)).filter(Boolean).length
  expect(Math.abs(share - 3_000)).toBeLessThan(300)
  for (let i = 0; i < 500; i++) if (isInCanary(`/x/${i}`, 10)) expect(isInCanary(`/x/${i}`, 20)).toBe(true)
  await route(harness, { kind: "latest" })
  expect(await harness.ask("/clerk/a", "x")).toMatchObject({ reply: "v2" })
})

test("a version that is removed, or whose address another took over, hands its runs on", async () => {
  const { harness, deploy } = await setUp()
  await deploy("v1")
  await harness.spawn("/clerk/a", { message: "wait" })
  await harness.spawn("/clerk/b", { message: "wait" })
  await harness.until(
    async () =>
      (await harness.call<{ entities: EntitySummary[] }>("GET", "/v1/entities?status=suspended")).body.entities
        .length === 2,
    "the runs are suspended",
  )
  await deploy("v2")
  expect(await harness.ask("/clerk/a", "on")).toMatchObject({ reply: "v1" })
  expect(await harness.call("DELETE", "/v1/types/clerk/versions/v1")).toMatchObject({ status: 204 })
  expect(await harness.ask("/clerk/b", "on")).toMatchObject({ reply: "v2" })
  await harness.call("PUT", "/v1/types/clerk", { dispatch: { kind: "webhook", url: addressOf("v2") }, version: "v3" })
  expect(await type(harness)).toMatchObject({ versions: [{ version: "v3" }, { version: "v2", supersededBy: "v3" }] })
})

test("a type that is removed leaves its agents queued, and says so; they go on when it is back", async () => {
  const { harness, deploy } = await setUp()
  await deploy("v1")
  await harness.spawn("/clerk/a")
  await harness.call("DELETE", "/v1/types/clerk")
  expect(await harness.spawn("/clerk/b")).toMatchObject({ status: 404 })
  const sent = await harness.call("POST", "/v1/entities/clerk/a/messages", { content: "x" })
  expect(sent.status).toBe(202)
  expect((await harness.call("GET", "/v1/entities/clerk/a")).body).toMatchObject({
    status: "queued",
    reason: 'waits: no handler of the type "clerk" is registered',
  })
  await deploy("v1")
  expect(await harness.ask("/clerk/a", "y")).toMatchObject({ status: "processed", reply: "v1" })
})

test("a wake that waits for a worker of its version does not stand before the others of its type", async () => {
  const { harness } = await setUp()
  const worker = (version: string): void => {
    const running = createWorker({
      entities: [clerk(version)],
      version,
      server: "http://localhost",
      fetch: fetchOf(() => harness),
    })
    open.push({ close: () => running.stop({ graceMs: 50 }) })
  }
  await harness.call("PUT", "/v1/types/clerk", { dispatch: { kind: "pull" }, version: "v1" })
  for (let i = 0; i < 40; i++) await harness.spawn(`/clerk/old${i}`, { message: "x" })
  await route(harness, { kind: "canary", version: "v1", percent: 50, base: "v1" })
  worker("v2")
  await harness.until(async () => ((await type(harness)).versions?.length ?? 0) === 2, "v2 is registered")
  await route(harness, { kind: "canary", version: "v1", percent: 50, base: "v2" })
  const urls = Array.from({ length: 40 }, (_, i) => `/clerk/old${i}`)
  const mine = urls.filter((url) => !isInCanary(url, 50))
  for (const url of mine) expect(await harness.ask(url, "y")).toMatchObject({ reply: "v2" })
  const [other = ""] = urls.filter((url) => isInCanary(url, 50))
  expect((await harness.call("GET", `/v1/entities${other}`)).body).toMatchObject({
    reason: "waits: no worker of clerk, version v1 asks for wakes",
  })
})

test("what a version's arguments must be is checked where its agents are made", async () => {
  const { harness } = await setUp()
  const args = z.toJSONSchema(z.object({ size: z.number().max(3) }))
  const put = await harness.call("PUT", "/v1/types/box", { dispatch: { kind: "pull" }, version: "1", args })
  expect(put.status).toBe(200)
  expect(await harness.spawn("/box/a", { args: { size: 4 } })).toMatchObject({ status: 422 })
  expect(await harness.spawn("/box/a", { args: { size: 3 } })).toMatchObject({ status: 201 })
})

test("a newer version migrates rows of an older schema, once", async () => {
  const network = new Network()
  const server = await Harness.open({ entities: [], endpoints: network.webhooks })
  open.push(server)
  const first = defineEntity("ledger", {
    state: { notes: { schema: z.object({ id: z.string(), text: z.string() }), key: "id" } },
    handler(ctx, wake) {
      for (const { id, content } of wake.messages) ctx.state.notes.insert({ id, text: String(content) })
      ctx.reply(ctx.state.notes.list().map((note) => note.text))
    },
  })
  const migrations: number[] = []
  const second = defineEntity("ledger", {
    schema: 2,
    state: { notes: { schema: z.object({ id: z.string(), words: z.array(z.string()) }), key: "id" } },
    migrate({ notes = [] }, from) {
      migrations.push(from)
      return { notes: notes.map(({ id, text }) => ({ id: String(id), words: String(text).split(" ") })) }
    },
    async handler(ctx, wake) {
      await ctx.commit()
      if (wake.attempt === 1 && wake.messages[0]?.content === "twice") throw new Error("again")
      ctx.reply(ctx.state.notes.list().map((note) => note.words.length))
    },
  })
  const deploy = async (version: string, entity: EntityDefinition): Promise<void> => {
    network.serve(addressOf(version), () => server, { entities: [entity], version })
    await server.call("POST", "/v1/types", { url: addressOf(version) })
  }
  await deploy("v1", first)
  await server.spawn("/ledger/a")
  expect(await server.ask("/ledger/a", "one two three")).toMatchObject({ reply: ["one two three"] })
  await deploy("v2", second)
  expect(await server.ask("/ledger/a", "twice")).toMatchObject({ reply: [3] })
  expect(await server.ask("/ledger/a", "x")).toMatchObject({ reply: [3] })
  expect(migrations).toEqual([1])
  expect(await server.rows("/ledger/a", "notes")).toMatchObject([{ value: { words: ["one", "two", "three"] } }])
  await server.spawn("/ledger/new")
  expect(await server.ask("/ledger/new", "x")).toMatchObject({ reply: [] })
  expect(migrations).toEqual([1])
})
