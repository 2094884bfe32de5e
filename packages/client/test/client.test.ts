import { expect, test } from "vitest"
import { createClient, RouseError } from "../src/index.ts"
import type { Client } from "../src/index.ts"
import type { CannedServer } from "./canned-server.ts"
import { cannedServer, events, hangUp, instantClock, json, problem, sse } from "./canned-server.ts"

const receipt = { url: "/assistant/one", message: "m1", offset: "o1" }
const settled = { ...receipt, status: "processed", run: "r000001", reply: "hi" }

function clientOf(server: CannedServer, clock = instantClock()): Client {
  let keys = 0
  return createClient({
    url: `${server.url}/`,
    token: "secret",
    clock,
    random: () => 0.5,
    newKey: () => `key-${++keys}`,
  })
}

async function failure(promise: Promise<unknown>): Promise<RouseError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!RouseError.is(error)) throw new Error(`not a RouseError: ${String(error)}`, { cause: error })
  return error
}

test("a send carries the token, an idempotency key and its options", async () => {
  const server = await cannedServer(json(receipt, 202))
  const client = clientOf(server)
  expect(await client.send("/assistant/one", "hello", { mode: "queue", after: "2m" })).toEqual(receipt)
  expect(server.seen[0]).toMatchObject({
    method: "POST",
    path: "/v1/entities/assistant/one/messages",
    headers: { authorization: "Bearer secret", "idempotency-key": "key-1" },
    body: { content: "hello", mode: "queue", afterMs: 120_000 },
  })
})

test("a problem becomes a RouseError of its code; an unknown code becomes INTERNAL", async () => {
  const server = await cannedServer(
    problem("UNKNOWN_ENTITY", "there is no /assistant/one"),
    json({ code: "FROM_THE_FUTURE", detail: "too new" }, 418),
    (_, response) => void response.writeHead(404, { "content-type": "text/html" }).end("<p>nothing"),
  )
  const client = clientOf(server)
  const known = await failure(client.get("/assistant/one"))
  expect([known.code, known.message]).toEqual(["UNKNOWN_ENTITY", "there is no /assistant/one"])
  const unknown = await failure(client.get("/assistant/one"))
  expect([unknown.code, unknown.message]).toEqual(["INTERNAL", "too new"])
  expect((await failure(client.get("/assistant/one"))).code).toBe("NOT_FOUND")
})

test("an answer that is not JSON is an error that says so", async () => {
  const server = await cannedServer((_, response) => void response.writeHead(200).end("<!doctype html>"))
  expect((await failure(clientOf(server).info())).message).toContain("did not answer JSON")
})

test("503, 429 and a cut connection are tried again with the same key, and Retry-After is honoured", async () => {
  const server = await cannedServer(
    problem("OVERLOADED", "full"),
    problem("RATE_LIMITED", "slow down", { "retry-after": "7" }),
    hangUp,
    json(receipt, 202),
  )
  const clock = instantClock()
  expect(await clientOf(server, clock).send("/assistant/one", "hello")).toEqual(receipt)
  expect(server.seen.map((seen) => seen.headers["idempotency-key"])).toEqual(["key-1", "key-1", "key-1", "key-1"])
  expect(clock.slept).toEqual([150, 7_000, 600])
})

test("retries are bounded, and what cannot pass is not tried again", async () => {
  const full = await cannedServer(problem("OVERLOADED", "full"))
  expect((await failure(clientOf(full).info())).code).toBe("OVERLOADED")
  expect(full.seen).toHaveLength(6)
  const locked = await cannedServer(problem("STORE_LOCKED", "locked"))
  expect((await failure(clientOf(locked).info())).code).toBe("STORE_LOCKED")
  expect(locked.seen).toHaveLength(1)
  const patient = await cannedServer(problem("RATE_LIMITED", "tomorrow", { "retry-after": "86400" }))
  expect((await failure(clientOf(patient).info())).code).toBe("RATE_LIMITED")
  expect(patient.seen).toHaveLength(1)
})

test("a server that cannot be reached is an error that says where", async () => {
  const server = await cannedServer(json({}))
  await server.close()
  const error = await failure(clientOf(server).info())
  expect(error.message).toContain(server.url)
  expect(error.details["unreachable"]).toBe(true)
})

test("ask goes on with the same key until the message is settled", async () => {
  const server = await cannedServer(json({ ...settled, status: "taken" }, 202), hangUp, json(settled))
  expect(await clientOf(server).ask("/assistant/one", "hello")).toEqual(settled)
  expect(new Set(server.seen.map((seen) => seen.headers["idempotency-key"]))).toEqual(new Set(["key-1"]))
  expect(server.seen.map((seen) => seen.query.get("wait"))).toEqual(["25000ms", "25000ms", "25000ms"])
})

test("ask gives up when its time is over, and names the message", async () => {
  const clock = instantClock()
  const server = await cannedServer((seen, response) => {
    void clock.sleep(Number.parseInt(seen.query.get("wait") ?? "0", 10))
    return json({ ...receipt, status: "taken", reply: null }, 202)(seen, response)
  })
  const error = await failure(clientOf(server, clock).ask("/assistant/one", "hello", { timeout: "1m" }))
  expect([error.code, error.details["message"]]).toEqual(["TIMED_OUT", "m1"])
  expect(server.seen.map((seen) => seen.query.get("wait"))).toEqual(["25000ms", "25000ms", "10000ms"])
})

test("an aborted call rejects with the signal's reason", async () => {
  const server = await cannedServer(() => undefined)
  const abort = new AbortController()
  const asked = clientOf(server).ask("/assistant/one", "hello", { signal: abort.signal })
  setTimeout(() => abort.abort(new Error("enough")), 20)
  await expect(asked).rejects.toThrow("enough")
})

test("spawn takes an address, a type and an id, or a type alone", async () => {
  const server = await cannedServer(json({ entity: {}, offset: "o1" }, 201))
  const client = clientOf(server)
  await client.spawn("/support/ann", { args: { customer: "ann" } }, { wait: "1s" })
  await client.spawn("support", "bob", { message: "hi" })
  await client.spawn("support")
  await client.spawn("support", undefined, { tags: { a: "b" } }, { idempotencyKey: "mine" })
  expect(server.seen.map((seen) => [seen.method, seen.path])).toEqual([
    ["PUT", "/v1/entities/support/ann"],
    ["PUT", "/v1/entities/support/bob"],
    ["PUT", "/v1/entities/support/key-3"],
    ["PUT", "/v1/entities/support/key-5"],
  ])
  expect(server.seen.map((seen) => seen.body)).toEqual([
    { args: { customer: "ann" } },
    { message: "hi" },
    {},
    { tags: { a: "b" } },
  ])
  expect(server.seen[0]?.query.get("wait")).toBe("1000ms")
  expect(server.seen[3]?.headers["idempotency-key"]).toBe("mine")
})

test("every other method calls its route", async () => {
  const server = await cannedServer(json({ types: [] }))
  const client = clientOf(server)
  await client.types()
  await client.state("/a/b")
  await client.state("/a/b", "notes")
  await client.signal("/a/b", "nudge", { hard: true })
  await client.approve("/a/b", "r000001-s0001-p000", "deny", "no")
  await client.retry("/a/b")
  await client.tag("/a/b", { x: "1", y: null })
  await client.stop("/a/b")
  await client.delete("/a/b", { purge: true })
  const told = server.seen.map(({ method, path, query, body }) =>
    [method, `${path}?${query}`, JSON.stringify(body)].join(" "),
  )
  expect(told).toEqual([
    "GET /v1/types? ",
    "GET /v1/entities/a/b/state? ",
    "GET /v1/entities/a/b/state/notes? ",
    'POST /v1/entities/a/b/signals? {"signal":"nudge","payload":{"hard":true}}',
    'POST /v1/entities/a/b/approvals/r000001-s0001-p000? {"decision":"deny","note":"no"}',
    "POST /v1/entities/a/b/retry? {}",
    'POST /v1/entities/a/b/tags? {"tags":{"x":"1","y":null}}',
    'POST /v1/entities/a/b/signals? {"signal":"kill"}',
    "DELETE /v1/entities/a/b?purge=true ",
  ])
})

test.each(["one", "/a", "/a/b/c", "/A/b", "/a/.."])(
  "%s is refused as an address before anything is sent",
  async (url) => {
    const server = await cannedServer(json({}))
    expect((await failure(clientOf(server).get(url))).code).toBe("BAD_REQUEST")
    expect((await failure(clientOf(server).send(url, "x"))).message).toContain("url")
    expect(server.seen).toHaveLength(0)
  },
)

test("a base that is not HTTP and a length of time that is none are refused", async () => {
  expect(() => createClient({ url: "ftp://x" })).toThrow("url")
  const server = await cannedServer(json({}))
  expect((await failure(clientOf(server).send("/a/b", 1, { after: "soon" }))).message).toContain("after")
})

test("listAll follows the pages", async () => {
  const entity = (id: string): object => ({ url: `/a/${id}` })
  const server = await cannedServer(
    json({ entities: [entity("1"), entity("2")], next: "p2" }),
    json({ entities: [entity("3")] }),
  )
  const urls = []
  for await (const { url } of clientOf(server).listAll({ type: "a", limit: 2 })) urls.push(url)
  expect(urls).toEqual(["/a/1", "/a/2", "/a/3"])
  expect(server.seen.map((seen) => seen.query.toString())).toEqual(["type=a&limit=2", "type=a&limit=2&after=p2"])
})

test("watch tells pages, entities and what is gone, and starts again after a cut until it is aborted", async () => {
  const server = await cannedServer(
    events(": hello\n\n" + sse("page", { entities: [] }) + sse("entity", { url: "/a/1" }), "cut"),
    events(sse("page", { entities: [] }) + sse("gone", { url: "/a/1" }), "open"),
  )
  const abort = new AbortController()
  const interrupted: string[] = []
  const told = []
  const options = { signal: abort.signal, onInterrupted: (error: RouseError) => interrupted.push(error.code) }
  for await (const event of clientOf(server).watch({ type: "a" }, options)) {
    told.push(event.kind)
    if (event.kind === "gone") abort.abort()
  }
  expect(told).toEqual(["page", "entity", "page", "gone"])
  expect(interrupted).toEqual(["INTERNAL"])
})
