import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import type { Served } from "./serve.ts"
import { serveStreams } from "./serve.ts"

const READ_BYTES_MAX = 100
let served: Served
let count = 0

beforeAll(async () => {
  served = await serveStreams({ readBytesMax: READ_BYTES_MAX, cors: { origins: ["https://app.example.com"] } })
})
afterAll(async () => {
  expect(served.errors).toEqual([])
  await served.close()
})

async function make(contentType: string, ...appends: string[]): Promise<string> {
  const url = `${served.url}/v1/stream/read/${++count}`
  await fetch(url, { method: "PUT", headers: { "content-type": contentType } })
  for (const body of appends) await fetch(url, { method: "POST", headers: { "content-type": contentType }, body })
  return url
}

describe("§5.5 catch-up", () => {
  test("goes in bounded chunks from offset to offset", async () => {
    const appends = Array.from({ length: 20 }, (_, index) => String(index % 10).repeat(30))
    const url = await make("text/plain", ...appends)
    let text = ""
    let offset = "-1"
    let requests = 0
    for (;;) {
      const part = await fetch(`${url}?offset=${offset}`)
      const body = await part.text()
      expect(body.length).toBeLessThanOrEqual(READ_BYTES_MAX + 30)
      text += body
      const next = part.headers.get("stream-next-offset") ?? ""
      expect(next > offset).toBe(true)
      offset = next
      requests++
      if (part.headers.get("stream-up-to-date") === "true") break
      expect(part.headers.get("cache-control")).toContain("max-age=60")
    }
    expect(text).toBe(appends.join(""))
    expect(requests).toBeGreaterThan(4)
  })

  test("of a JSON stream is an array from every offset", async () => {
    const url = await make("application/json", "[1,2]", '{"a":"\u2028"}', "[[3]]")
    const head = await fetch(url, { method: "HEAD" })
    expect(await (await fetch(url)).json()).toEqual([1, 2, { a: "\u2028" }, [3]])
    const tail = await fetch(`${url}?offset=${head.headers.get("stream-next-offset")}`)
    expect([await tail.text(), tail.headers.get("stream-up-to-date")]).toEqual(["[]", "true"])
    expect(await (await make("application/json").then(fetch)).text()).toBe("[]")
  })

  test.each([
    ["text/plain", ""],
    ["application/json", "[]"],
  ])("§6 offset=now of %s answers %j and the tail", async (contentType, body) => {
    const url = await make(contentType, "1")
    const now = await fetch(`${url}?offset=now`)
    expect(await now.text()).toBe(body)
    expect(now.headers.get("stream-up-to-date")).toBe("true")
    expect([now.headers.get("etag"), now.headers.get("cache-control")]).toEqual([null, "no-store"])
    expect(now.headers.get("stream-next-offset")).toBe(
      (await fetch(url, { method: "HEAD" })).headers.get("stream-next-offset"),
    )
  })

  test.each([
    "offset=",
    "offset=-1&offset=-1",
    "offset=0,1",
    "offset=..%2F..",
    "offset=nope",
    "offset=-2",
    "live=forever",
    "live=sse",
    "live=long-poll",
  ])("%s is 400", async (query) => {
    const refused = await fetch(`${await make("text/plain", "x")}?${query}`)
    expect([refused.status, refused.headers.get("content-type")]).toEqual([400, "application/problem+json"])
  })
})

describe("§8.1 conditional reads", () => {
  test("answer 304 until something changes, closing included", async () => {
    const url = await make("text/plain", "x")
    const read = async (tag: string | null) => fetch(url, { headers: tag === null ? {} : { "if-none-match": tag } })
    const first = (await read(null)).headers.get("etag")
    const same = await read(first)
    expect([same.status, await same.text(), same.headers.get("etag")]).toEqual([304, "", first])
    await fetch(url, { method: "POST", headers: { "stream-closed": "true" } })
    const closed = await read(first)
    expect([closed.status, closed.headers.get("stream-closed")]).toEqual([200, "true"])
    expect((await read(closed.headers.get("etag"))).status).toBe(304)
  })

  test("tell a stream from its successor", async () => {
    const url = await make("text/plain", "x")
    const tag = (await fetch(url)).headers.get("etag") ?? ""
    await fetch(url, { method: "DELETE" })
    await fetch(url, { method: "PUT", headers: { "content-type": "text/plain" }, body: "y" })
    expect((await fetch(url, { headers: { "if-none-match": tag } })).status).toBe(200)
  })
})

describe("§5.4 HEAD", () => {
  test("says what a stream is and is never kept", async () => {
    const url = `${served.url}/v1/stream/read/head`
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    await fetch(url, { method: "PUT", headers: { "content-type": "text/html", "stream-expires-at": expiresAt } })
    const head = await fetch(url, { method: "HEAD" })
    expect([head.status, await head.text(), head.headers.get("cache-control")]).toEqual([200, "", "no-store"])
    expect([head.headers.get("content-type"), head.headers.get("stream-expires-at")]).toEqual(["text/html", expiresAt])
    const missing = await fetch(`${url}-not`, { method: "HEAD" })
    expect([missing.status, await missing.text()]).toEqual([404, ""])
  })
})

describe("§10.7 browsers", () => {
  test("take no stream for a page", async () => {
    const url = await make("text/html", "<script>alert(1)</script>")
    const headers = (await fetch(url)).headers
    expect(headers.get("x-content-type-options")).toBe("nosniff")
    expect(headers.get("content-security-policy")).toContain("sandbox")
    expect(headers.get("content-disposition")).toBe("attachment")
    expect((await fetch(await make("application/json"))).headers.get("content-disposition")).toBeNull()
  })

  test("of listed origins may read, others not", async () => {
    const url = await make("text/plain", "x")
    const from = async (origin: string) => (await fetch(url, { headers: { origin } })).headers
    const ours = await from("https://app.example.com")
    expect(ours.get("access-control-allow-origin")).toBe("https://app.example.com")
    expect(ours.get("access-control-expose-headers")).toContain("stream-next-offset")
    const theirs = await from("https://evil.example.com")
    expect([theirs.get("access-control-allow-origin"), theirs.get("vary")]).toEqual([null, "origin"])
    const preflight = await fetch(url, {
      method: "OPTIONS",
      headers: {
        origin: "https://app.example.com",
        "access-control-request-method": "POST",
        "access-control-request-headers": "producer-id",
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get("access-control-allow-methods")).toContain("POST")
    expect(preflight.headers.get("access-control-allow-headers")).toContain("producer-id")
  })

  test("of other origins get nothing unless that is asked for", async () => {
    const closed = await serveStreams()
    onTestFinished(() => closed.close())
    const answer = await fetch(`${closed.url}/v1/stream/a`, {
      method: "OPTIONS",
      headers: { origin: "https://app.example.com" },
    })
    expect([answer.status, answer.headers.get("allow")]).toEqual([204, "GET, HEAD, PUT, POST, DELETE, OPTIONS"])
    expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([])
    expect(answer.headers.get("cross-origin-resource-policy")).toBe("same-origin")
  })
})
