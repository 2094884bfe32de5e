import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { defineEntity } from "@rouse/agents"
import { openStore, type Store } from "@rouse/store"
import { afterEach, expect, onTestFinished, test } from "vitest"
import { parseTokens } from "../src/index.ts"
import { Harness, temporaryStore } from "./harness.ts"

/** Subscriptions of agents' logs, behind the server's gate. */

const simple = defineEntity("simple", { handler: (ctx) => ctx.reply("ok") })
const READ = "read-token-0123456789"
const WRITE = "write-token-0123456789"
const ADMIN = "admin-token-0123456789"
const tokens = parseTokens(
  JSON.stringify({
    tokens: [
      { name: "reader", token: READ, scope: "read" },
      { name: "writer", token: WRITE, scope: "write" },
      { name: "root", token: ADMIN, scope: "admin" },
    ],
  }),
)
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
const DS = "/v1/stream/__ds"
const LOG = "entities/simple/a"

interface Wake {
  readonly wake_id: string
  readonly generation: number
  readonly token: string
  readonly streams: readonly { path: string; tail_offset: string; acked_offset: string; has_pending: boolean }[]
}

interface Notice extends Wake {
  readonly callback_url: string
  readonly callback_token: string
}

const open: Harness[] = []
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

async function serve(store?: Store): Promise<Harness> {
  const harness = await Harness.open({ entities: [simple], tokens, webhooks: true, ...(store ? { store } : {}) })
  open.push(harness)
  return harness
}

/** Ends it and its store, and opens both again. */
async function restart(harness: Harness, directory: string): Promise<Harness> {
  open.splice(open.indexOf(harness), 1)
  await harness.close()
  return serve(await openStore({ directory, clock: Date.now }))
}

async function onDisk(): Promise<{ harness: Harness; directory: string }> {
  const place = await temporaryStore()
  onTestFinished(() => place.remove())
  return { harness: await serve(place.store), directory: place.directory }
}

/** A receiver of webhooks, and what it was told. */
async function receiver(): Promise<{ url: string; notices: Notice[] }> {
  const notices: Notice[] = []
  const take: RequestListener = (incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
    incoming.on("end", () => {
      notices.push(JSON.parse(Buffer.concat(chunks).toString()) as Notice)
      outgoing.end("{}")
    })
  }
  const server = createServer(take)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, notices }
}

const say = (harness: Harness, content: string) =>
  harness.call("POST", "/v1/entities/simple/a/messages?wait=20s", { content }, bearer(WRITE))

async function ackedOf(harness: Harness, id: string): Promise<string | undefined> {
  const { body } = await harness.call<{ streams: { path: string; acked_offset: string }[] }>(
    "GET",
    `${DS}/subscriptions/${id}`,
    undefined,
    bearer(READ),
  )
  return body.streams.find(({ path }) => path === LOG)?.acked_offset
}

test("an agent's log wakes a worker: it claims, acknowledges with the wake's token alone, and goes on after a restart", async () => {
  const { harness: first, directory } = await onDisk()
  const wanted = { type: "pull-wake", pattern: "entities/**", wake_stream: "wakes/a", lease_ttl_ms: 60_000 }
  await first.call("PUT", "/v1/stream/wakes/a", undefined, { ...bearer(WRITE), "content-type": "application/json" })
  expect((await first.call("PUT", `${DS}/subscriptions/s`, wanted, bearer(WRITE))).status).toBe(201)
  await first.call("PUT", "/v1/entities/simple/a", {}, bearer(WRITE))
  await say(first, "one")
  await first.until(async () => {
    const { body } = await first.call<unknown[]>("GET", "/v1/stream/wakes/a", undefined, bearer(READ))
    return body.length === 1
  }, "the wake is told")
  const claim = (harness: Harness) =>
    harness.call<Wake>("POST", `${DS}/subscriptions/s/claim`, { worker: "w" }, bearer(WRITE))
  const { body: wake } = await claim(first)
  expect(wake.streams).toMatchObject([{ path: LOG, has_pending: true }])

  const second = await restart(first, directory)
  const { wake_id, generation } = wake
  const acks = [{ stream: LOG, offset: wake.streams[0]?.tail_offset }]
  const report = { wake_id, generation, acks, done: true }
  const ack = (token: string) => second.call("POST", `${DS}/subscriptions/s/ack`, report, bearer(token))
  expect((await ack(ADMIN)).status).toBe(401)
  expect(await ackedOf(second, "s")).toBe("-1")
  expect((await ack(wake.token)).status).toBe(200)
  expect(await ackedOf(second, "s")).toBe(wake.streams[0]?.tail_offset)
  expect((await ack(wake.token)).status).toBe(409)
  await say(second, "two")
  const { body: next } = await claim(second)
  expect(next.generation).toBeGreaterThan(generation)
  const released = { wake_id: next.wake_id, generation: next.generation }
  expect((await second.call("POST", `${DS}/subscriptions/s/release`, released, bearer(next.token))).status).toBe(204)
})

test("an agent's log wakes a receiver, which reports with the wake's token alone, and goes on after a restart", async () => {
  const { harness: first, directory } = await onDisk()
  const { url, notices } = await receiver()
  const wanted = { type: "webhook", pattern: "entities/simple/*", webhook: { url }, lease_ttl_ms: 60_000 }
  expect((await first.call("PUT", `${DS}/subscriptions/s`, wanted, bearer(WRITE))).status).toBe(201)
  await first.call("PUT", "/v1/entities/simple/a", {}, bearer(WRITE))
  await say(first, "one")
  await first.until(async () => notices.length === 1, "the receiver is told")
  const [notice] = notices as [Notice]
  expect(notice.streams).toMatchObject([{ path: LOG, has_pending: true }])
  // The notice may be of the whole run, when it was slow: this is surely after it.
  await say(first, "two")

  const second = await restart(first, directory)
  const { pathname } = new URL(notice.callback_url)
  const { wake_id, generation } = notice
  const acks = [{ stream: LOG, offset: notice.streams[0]?.tail_offset }]
  const report = { wake_id, generation, acks, done: true }
  expect((await second.call("POST", pathname, report, bearer(ADMIN))).status).toBe(401)
  const taken = await second.call("POST", pathname, report, bearer(notice.callback_token))
  expect(taken).toMatchObject({ status: 200, body: { next_wake: true } })
  await second.until(async () => notices.length === 2, "what came since is told")
  expect(notices[1]?.generation).toBe(generation + 1)
  expect(notices[1]?.streams[0]?.acked_offset).toBe(notice.streams[0]?.tail_offset)
})

test("without a token nobody manages a subscription; the keys are public, reports carry tokens of their own", async () => {
  const harness = await serve()
  const wanted = { type: "pull-wake", pattern: "entities/**", wake_stream: "wakes/a" }
  const S = `${DS}/subscriptions/s`
  for (const [method, path] of [
    ["PUT", S],
    ["GET", S],
    ["DELETE", S],
    ["POST", `${S}/streams`],
    ["DELETE", `${S}/streams/a`],
    ["POST", `${S}/claim`],
    ["GET", `${S}/ack`],
    ["POST", `${S}/ack/more`],
    ["POST", `${DS}/subscriptions/../ack`],
    ["POST", `${DS}/subscriptions/%2e%2e/ack`],
    ["POST", `${S}/%61ck`],
    ["POST", `${DS}/jwks.json`],
  ] as const) {
    const { status } = await harness.call(method, path, method === "GET" ? undefined : wanted)
    expect([method, path, status]).toEqual([method, path, 401])
  }
  expect((await harness.call("PUT", S, wanted, bearer(READ))).status).toBe(403)
  expect((await harness.call("PUT", S, wanted, bearer(WRITE))).status).toBe(201)
  expect((await harness.call("GET", `${DS}/jwks.json`)).body).toMatchObject({ keys: [{ alg: "EdDSA" }] })
  for (const action of ["ack", "release"]) {
    for (const headers of [{}, bearer("1.1.forged"), bearer(WRITE)])
      expect((await harness.call("POST", `${S}/${action}`, {}, headers)).status).toBe(401)
  }
  expect((await harness.call("DELETE", S, undefined, bearer(ADMIN))).status).toBe(204)
})

test("the server's own streams tell of no wakes", async () => {
  const harness = await serve()
  for (const wake_stream of ["entities/simple/a", "shared/x"]) {
    const wanted = { type: "pull-wake", pattern: "events/*", wake_stream }
    const { status, body } = await harness.call("PUT", `${DS}/subscriptions/s`, wanted, bearer(ADMIN))
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining("wake_stream")])
  }
})
