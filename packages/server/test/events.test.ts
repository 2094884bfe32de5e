import { createHmac } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { defineEntity } from "@rouse/agents"
import type { EntityEvent, EventNotice, Problem } from "@rouse/protocol"
import { openStore } from "@rouse/store"
import { afterEach, expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { Harness, temporaryStore } from "./harness.ts"

/** What happens to agents, told to others by signed webhooks. */

const simple = defineEntity("simple", {
  attempts: 1,
  state: { notes: { schema: z.object({ id: z.string(), n: z.number() }), key: "id" } },
  handler(ctx, wake) {
    const [message] = wake.messages
    if (message?.content === "bad") throw new Error("it broke")
    if (typeof message?.content === "number") ctx.state.notes.insert({ id: message.id, n: message.content })
    ctx.reply("fine")
  },
})
const other = defineEntity("other", { handler: (ctx) => ctx.reply("ok") })
const SECRET = Buffer.from("a secret of thirty-two bytes ....")
const env = { HOOK: `whsec_${SECRET.toString("base64")}` }

interface Told {
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  readonly notice: EventNotice
}

const open: Harness[] = []
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

async function serve(more: Partial<Parameters<typeof Harness.open>[0]> = {}): Promise<Harness> {
  const harness = await Harness.open({ entities: [simple, other], env, webhooks: true, ...more })
  open.push(harness)
  return harness
}

/** Answers with the statuses given, and then with 200. */
async function receiver(statuses: number[] = []): Promise<{ url: string; told: Told[]; events: () => EntityEvent[] }> {
  const told: Told[] = []
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
    incoming.on("end", () => {
      const text = Buffer.concat(chunks).toString()
      told.push({ headers: incoming.headers, text, notice: JSON.parse(text) as EventNotice })
      outgoing.statusCode = statuses.shift() ?? 200
      outgoing.end("thanks")
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=hidden`
  return { url, told, events: () => told.flatMap(({ notice }) => notice.data.events) }
}

const put = (harness: Harness, name: string, body: object) =>
  harness.call("PUT", `/v1/event-subscriptions/${name}`, body)

test("what happens is told, signed as Standard Webhooks says", async () => {
  const harness = await serve()
  const { url, told, events } = await receiver()
  expect((await put(harness, "all", { url, secret: "HOOK" })).status).toBe(201)
  await harness.spawn("/simple/a")
  await harness.ask("/simple/a", "hello")
  await harness.ask("/simple/a", "bad")
  await harness.until(async () => events().some(({ type }) => type === "message.dead"), "the end is told")
  const types = new Set(events().map(({ type }) => type))
  expect([...types]).toEqual(
    expect.arrayContaining(["entity.created", "message.accepted", "run.completed", "message.dead"]),
  )
  expect(events().find(({ type }) => type === "run.completed")).toMatchObject({
    entity: "/simple/a",
    data: { reply: "fine" },
  })
  for (const { headers, text } of told) {
    const id = String(headers["webhook-id"])
    const at = String(headers["webhook-timestamp"])
    const expected = createHmac("sha256", SECRET).update(`${id}.${at}.${text}`).digest("base64")
    expect(headers["webhook-signature"]).toBe(`v1,${expected}`)
    expect(Math.abs(Date.now() / 1_000 - Number(at))).toBeLessThan(60)
  }
})

test("only what is asked for: types, events, collections, a condition", async () => {
  const harness = await serve()
  const [runs, notes] = [await receiver(), await receiver()]
  await put(harness, "runs", { url: runs.url, secret: "HOOK", types: ["other"], events: ["run.completed"] })
  const where = { "data.n": { gt: 1 } }
  await put(harness, "notes", {
    url: notes.url,
    secret: "HOOK",
    types: ["simple", "other"],
    collections: ["notes"],
    where,
  })
  for (const n of [1, 2, 3]) {
    await harness.spawn("/simple/a")
    await harness.ask("/simple/a", n)
  }
  await harness.spawn("/other/a")
  await harness.ask("/other/a", "hello")
  await harness.until(async () => notes.events().length === 2 && runs.events().length === 1, "all of it is told")
  expect(notes.events().map(({ type, data }) => [type, (data as { n: number }).n])).toEqual([
    ["notes.insert", 2],
    ["notes.insert", 3],
  ])
  expect(runs.events()).toMatchObject([{ type: "run.completed", entity: "/other/a" }])
  await harness.until(
    async () => (await harness.call<{ pending: number }>("GET", "/v1/event-subscriptions/notes")).body.pending === 0,
    "what is not wanted is passed over",
  )
})

test("at least once: a receiver that fails is told again, with the same ids, also by the next server", async () => {
  const place = await temporaryStore()
  onTestFinished(() => place.remove())
  const first = await serve({ store: place.store })
  const { url, told, events } = await receiver([500, 503])
  await put(first, "all", { url, secret: "HOOK", events: ["entity.created"] })
  await first.spawn("/simple/a")
  await first.until(async () => told.length >= 1, "it is told")
  const { body } = await first.call<{ failures: number }>("GET", "/v1/event-subscriptions/all")
  expect(body.failures).toBeGreaterThanOrEqual(0)
  open.splice(0)
  await first.close()
  const second = await serve({ store: await openStore({ directory: place.directory, clock: Date.now }) })
  await second.until(async () => told.length >= 3, "it is told again")
  expect(new Set(events().map(({ id }) => id)).size).toBe(1)
  await second.spawn("/simple/b")
  await second.until(async () => events().some(({ entity }) => entity === "/simple/b"), "and what comes after")
  expect((await second.call("DELETE", "/v1/event-subscriptions/all")).status).toBe(204)
  expect((await second.call("GET", "/v1/event-subscriptions")).body).toEqual({ subscriptions: [] })
})

test("bad input is refused, naming the field", async () => {
  const harness = await serve()
  const url = "http://127.0.0.1:9/"
  const cases: [object, string][] = [
    [{ secret: "HOOK" }, "url"],
    [{ url: "nowhere", secret: "HOOK" }, "url"],
    [{ url: "http://10.0.0.1/", secret: "HOOK" }, "machine"],
    [{ url: "ftp://example.com/", secret: "HOOK" }, "https"],
    [{ url }, "secret"],
    [{ url, secret: "whsec_aGVsbG8=" }, "secret"],
    [{ url, secret: "HOOK", events: ["run.exploded"] }, "events.0"],
    [{ url, secret: "HOOK", events: [] }, "events"],
    [{ url, secret: "HOOK", types: ["Bad"] }, "types.0"],
    [{ url, secret: "HOOK", collections: ["a b"] }, "collections.0"],
    [{ url, secret: "HOOK", where: { a: {} } }, "where"],
    [{ url, secret: "HOOK", more: 1 }, "more"],
  ]
  for (const [body, field] of cases) {
    const { status, body: problem } = await harness.call<Problem>("PUT", "/v1/event-subscriptions/a", body)
    expect([body, status >= 400 && status < 500, problem.detail]).toEqual([body, true, expect.stringContaining(field)])
  }
  expect((await put(harness, "Bad.Name", { url, secret: "HOOK" })).status).toBe(400)
  expect((await harness.call("DELETE", "/v1/event-subscriptions/a")).status).toBe(404)
  expect((await put(harness, "a", { url, secret: "HOOK" })).status).toBe(201)
  expect((await put(harness, "a", { url, secret: "HOOK" })).status).toBe(200)
  expect((await put(harness, "a", { url, secret: "HOOK", events: ["run.failed"] })).status).toBe(409)
})
