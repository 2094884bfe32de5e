import { RouseError } from "@rouse/protocol"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import type { Served } from "./serve.ts"
import { serveStreams } from "./serve.ts"

const BODY_BYTES_MAX = 1000
let served: Served
let count = 0

beforeAll(async () => {
  served = await serveStreams({ bodyBytesMax: BODY_BYTES_MAX, readOnly: (path) => path.startsWith("entities/") })
})
afterAll(async () => {
  expect(served.errors).toEqual([])
  await served.close()
})

const fresh = (): string => `${served.url}/v1/stream/write/${++count}`
const put = (url: string, headers: Record<string, string> = {}, body?: BodyInit) =>
  fetch(url, { method: "PUT", headers, ...(body === undefined ? {} : { body }) })
const post = (url: string, body: BodyInit | undefined, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "text/plain", ...headers },
    ...(body === undefined ? {} : { body }),
  })
type BodyInit = string | Uint8Array<ArrayBuffer> | ReadableStream

describe("§5.1 create", () => {
  test("answers 201, then 200, then 409 when something differs", async () => {
    const url = fresh()
    const first = await put(url, { "content-type": "text/plain" }, "hello")
    expect([first.status, first.headers.get("location"), first.headers.get("content-type")]).toEqual([
      201,
      url,
      "text/plain",
    ])
    const again = await put(url, { "content-type": "TEXT/plain; charset=utf-8" }, "ignored")
    expect([again.status, again.headers.get("stream-next-offset")]).toEqual([
      200,
      first.headers.get("stream-next-offset"),
    ])
    expect(again.headers.get("location")).toBeNull()
    for (const headers of [{ "content-type": "text/html" }, { "stream-ttl": "5" }, { "stream-closed": "true" }]) {
      const other = await put(url, { "content-type": "text/plain", ...headers })
      expect([other.status, ((await other.json()) as { code: string }).code]).toEqual([409, "ALREADY_EXISTS"])
    }
    expect(await (await fetch(url)).text()).toBe("hello")
  })

  test("refuses a header by its name, and makes nothing", async () => {
    const url = fresh()
    const refused = await put(url, { "stream-ttl": "1.5" })
    expect(refused.headers.get("content-type")).toBe("application/problem+json")
    expect(await refused.json()).toMatchObject({
      status: 400,
      code: "BAD_REQUEST",
      detail: expect.stringContaining("Stream-TTL"),
    })
    expect((await fetch(url)).status).toBe(404)
  })

  test("makes a closed stream with its content", async () => {
    const url = fresh()
    const made = await put(url, { "content-type": "application/json", "stream-closed": "true" }, "[1,2]")
    expect([made.status, made.headers.get("stream-closed")]).toEqual([201, "true"])
    const all = await fetch(url)
    expect([await all.json(), all.headers.get("stream-closed")]).toEqual([[1, 2], "true"])
  })
})

describe("§5.2 append", () => {
  test("needs a stream, a body and a type", async () => {
    const url = fresh()
    expect((await post(url, "x")).status).toBe(404)
    await put(url, { "content-type": "text/plain" })
    expect((await post(url, "")).status).toBe(400)
    expect((await fetch(url, { method: "POST", body: new Uint8Array([1]) })).status).toBe(400)
    expect((await post(url, "x", { "content-type": "application/json" })).status).toBe(400)
    expect((await post(url, "1", { "content-type": "application/json" })).status).toBe(409)
    const done = await post(url, "x", { "content-type": "text/plain; charset=utf-8" })
    expect([done.status, await done.text()]).toEqual([204, ""])
    expect(done.headers.get("stream-next-offset")).toBe(
      (await fetch(url, { method: "HEAD" })).headers.get("stream-next-offset"),
    )
  })

  test("takes a body whose length is not declared", async () => {
    const url = fresh()
    await put(url, { "content-type": "text/plain" })
    const chunked = new ReadableStream({
      start(controller) {
        for (const part of ["a", "b", "c"]) controller.enqueue(new TextEncoder().encode(part))
        controller.close()
      },
    })
    const init = { method: "POST", headers: { "content-type": "text/plain" }, body: chunked, duplex: "half" }
    expect((await fetch(url, init)).status).toBe(204)
    expect(await (await fetch(url)).text()).toBe("abc")
  })

  test("keeps to the body limit, declared or not", async () => {
    const url = fresh()
    await put(url, { "content-type": "text/plain" })
    expect((await post(url, "x".repeat(BODY_BYTES_MAX))).status).toBe(204)
    const refused = await post(url, "x".repeat(BODY_BYTES_MAX + 1))
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([413, "TOO_LARGE"])
    expect((await put(fresh(), {}, "x".repeat(BODY_BYTES_MAX + 1))).status).toBe(413)
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(400)) })
    const init = { method: "POST", headers: { "content-type": "text/plain" }, body: endless, duplex: "half" }
    const answer = await fetch(url, init).then(
      (response) => response.status,
      () => 413,
    )
    expect(answer).toBe(413)
    expect((await (await fetch(url)).text()).length).toBe(BODY_BYTES_MAX)
  })

  test("orders Stream-Seq by bytes over the whole stream", async () => {
    const url = fresh()
    await put(url, { "content-type": "text/plain" })
    const statuses = []
    for (const seq of ["09", "10", "10", "2", "10a", "Z"])
      statuses.push((await post(url, seq, { "stream-seq": seq })).status)
    expect(statuses).toEqual([204, 204, 409, 204, 409, 204])
    expect(await (await fetch(url)).text()).toBe("09102Z")
  })
})

describe("§5.2.1 producers", () => {
  const as = (epoch: number, seq: number) => ({
    "producer-id": "p",
    "producer-epoch": String(epoch),
    "producer-seq": String(seq),
  })
  const facts = (response: Response) => [
    response.status,
    ...["producer-epoch", "producer-seq", "producer-expected-seq", "producer-received-seq"].map((name) =>
      response.headers.get(name),
    ),
  ]

  test("are answered by the table of the specification", async () => {
    const url = fresh()
    await put(url, { "content-type": "text/plain" })
    expect(facts(await post(url, "a", as(1, 0)))).toEqual([200, "1", "0", null, null])
    expect(facts(await post(url, "b", as(1, 1)))).toEqual([200, "1", "1", null, null])
    expect(facts(await post(url, "a", as(1, 0)))).toEqual([204, "1", "1", null, null])
    expect(facts(await post(url, "d", as(1, 3)))).toEqual([409, null, null, "2", "3"])
    expect(facts(await post(url, "z", as(0, 9)))).toEqual([403, "1", null, null, null])
    expect(facts(await post(url, "c", as(2, 1)))).toEqual([400, null, null, null, null])
    expect(facts(await post(url, "c", as(2, 0)))).toEqual([200, "2", "0", null, null])
    expect(await (await fetch(url)).text()).toBe("abc")
  })

  test("that retry at once are heard once", async () => {
    const url = fresh()
    await put(url, { "content-type": "text/plain" })
    const statuses = await Promise.all(
      Array.from({ length: 8 }, () => post(url, "once", as(0, 0)).then((answer) => answer.status)),
    )
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 204, 204, 204, 204, 204, 204, 204])
    expect(await (await fetch(url)).text()).toBe("once")
  })

  test("close once, and may repeat it", async () => {
    const url = fresh()
    await put(url, { "content-type": "text/plain" })
    const closing = { ...as(0, 0), "stream-closed": "true" }
    const first = await post(url, "end", closing)
    expect([first.status, first.headers.get("stream-closed")]).toEqual([200, "true"])
    const again = await post(url, "end", closing)
    expect([again.status, again.headers.get("stream-closed")]).toEqual([204, "true"])
    expect((await post(url, "more", as(0, 1))).status).toBe(409)
  })
})

describe("close and delete", () => {
  test("a closed stream takes nothing more and says where it ended", async () => {
    const url = fresh()
    await put(url, { "content-type": "text/plain" }, "all")
    const closed = await fetch(url, { method: "POST", headers: { "stream-closed": "true" } })
    expect([closed.status, closed.headers.get("stream-closed")]).toEqual([204, "true"])
    expect((await fetch(url, { method: "POST", headers: { "stream-closed": "true" } })).status).toBe(204)
    const refused = await post(url, "more")
    expect(refused.status).toBe(409)
    expect(refused.headers.get("stream-closed")).toBe("true")
    expect(refused.headers.get("stream-next-offset")).toBe(closed.headers.get("stream-next-offset"))
    expect(await refused.json()).toMatchObject({ code: "STREAM_CLOSED" })
  })

  test("§5.3 a deleted stream is gone, and its offsets mean nothing to its successor", async () => {
    const url = fresh()
    const made = await put(url, { "content-type": "text/plain" }, "old")
    expect((await fetch(url, { method: "DELETE" })).status).toBe(204)
    expect((await fetch(url, { method: "DELETE" })).status).toBe(404)
    expect((await fetch(url, { method: "HEAD" })).status).toBe(404)
    await put(url, { "content-type": "text/plain" }, "new and longer")
    const stale = await fetch(`${url}?offset=${made.headers.get("stream-next-offset")}`)
    expect(stale.status).toBe(400)
    expect(await (await fetch(url)).text()).toBe("new and longer")
  })
})

describe("what is not allowed", () => {
  test("other methods, with those that are", async () => {
    const refused = await fetch(fresh(), { method: "PATCH", body: "x" })
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD, PUT, POST, DELETE, OPTIONS"])
  })

  test("writes to what the server writes alone", async () => {
    const url = `${served.url}/v1/stream/entities/chat/one`
    for (const method of ["PUT", "POST", "DELETE"]) {
      const refused = await fetch(url, { method, headers: { "stream-closed": "true" } })
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"])
      expect(await refused.json()).toMatchObject({
        code: "METHOD_NOT_ALLOWED",
        detail: expect.stringContaining("/messages"),
      })
    }
    expect((await fetch(url)).status).toBe(404)
    expect((await fetch(`${served.url}/v1/stream/entities%2Fchat`, { method: "PUT" })).status).toBe(400)
  })

  test("what the guard refuses, by the one spelling of the path", async () => {
    const seen: [string, boolean][] = []
    const guarded = await serveStreams({
      guard: ({ path, write }) => {
        seen.push([path, write])
        if (path.startsWith("secret")) throw new RouseError("FORBIDDEN", "not yours")
      },
    })
    onTestFinished(() => guarded.close())
    expect((await fetch(`${guarded.url}/v1/stream/secret/a`)).status).toBe(403)
    expect((await fetch(`${guarded.url}/v1/stream/%73ecret/a`, { method: "PUT" })).status).toBe(403)
    expect((await fetch(`${guarded.url}/v1/stream/open`, { method: "PUT" })).status).toBe(201)
    expect(seen).toEqual([
      ["secret/a", false],
      ["secret/a", true],
      ["open", true],
    ])
  })
})
