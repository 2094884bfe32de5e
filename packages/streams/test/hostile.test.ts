import { connect } from "node:net"
import * as fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Served } from "./serve.ts"
import { serveStreams } from "./serve.ts"

/** What no decent client sends. The answer is a 4xx that says why, nothing changes, and the next request is served. */

let served: Served

beforeAll(async () => {
  served = await serveStreams({ longPollMs: 20, sseSeconds: 0.02, bodyBytesMax: 10_000 })
  await fetch(`${served.url}/v1/stream/known`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: "[1]",
  })
})
afterAll(async () => {
  expect(served.errors).toEqual([])
  await served.close()
})

/** Sends bytes as they are and reads what comes until the connection ends. */
function raw(text: string): Promise<string> {
  const { port } = new URL(served.url)
  return new Promise((resolve, reject) => {
    let answer = ""
    const socket = connect(Number(port), "127.0.0.1", () => socket.write(text))
    socket.setEncoding("latin1")
    socket.on("data", (chunk) => (answer += String(chunk)))
    socket.on("end", () => resolve(answer))
    socket.on("error", reject)
  })
}

const request = (method: string, target: string, headers: readonly string[], body = ""): string =>
  [
    `${method} ${target} HTTP/1.1`,
    "Host: rouse.test",
    "Connection: close",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    "",
    body,
  ].join("\r\n")

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])

describe("repeated and oversized headers", () => {
  test.each([
    ["Producer-Seq: 0", "Producer-Seq: 1", "Producer-Id: a", "Producer-Epoch: 0"],
    ["Producer-Epoch: 0", "Producer-Epoch: 0", "Producer-Id: a", "Producer-Seq: 0"],
    [`Producer-Id: ${"a".repeat(5000)}`, "Producer-Epoch: 0", "Producer-Seq: 0"],
    [`Producer-Epoch: ${"9".repeat(5000)}`, "Producer-Id: a", "Producer-Seq: 0"],
    [`Stream-Seq: ${"z".repeat(5000)}`],
    ["Content-Type: text/plain, application/json"],
    [`Content-Type: ${"a".repeat(5000)}/b`],
  ])("%s", async (...headers) => {
    const type = headers.some((header) => header.startsWith("Content-Type")) ? [] : ["Content-Type: application/json"]
    const answer = await raw(request("POST", "/v1/stream/known", [...type, ...headers], "[2]"))
    expect(statusOf(answer)).toBe(400)
    expect(answer).toContain("application/problem+json")
  })

  test("create", async () => {
    for (const header of [
      "Stream-TTL: 1\r\nStream-TTL: 2",
      "Stream-Expires-At: 2040-01-01T00:00:00Z\r\nStream-Expires-At: 2041-01-01T00:00:00Z",
    ]) {
      expect(statusOf(await raw(request("PUT", "/v1/stream/new", [header])))).toBe(400)
    }
    expect((await fetch(`${served.url}/v1/stream/new`)).status).toBe(404)
  })
})

describe("targets", () => {
  test.each([
    "/v1/stream/../../etc/passwd",
    "/v1/stream/%2e%2e/%2e%2e/etc/passwd",
    "/v1/stream/..%2f..%2fetc",
    "/v1/stream//",
    "/v1/stream/%",
    "/v1/stream/%00",
    "/v1/stream/%ff",
    `/v1/stream/${"a".repeat(4000)}`,
    "/v1/stream/__ds/subscriptions/x",
    "/v1/stream/known?offset=%00",
    "/v1/stream/known?offset=-1&offset=now",
    `/v1/stream/known?offset=${"1".repeat(5000)}`,
    "/v1/stream/known?live=sse",
    "/v1/stream/known?live=sse&live=long-poll&offset=-1",
    "/v1/stream/known?offset=%",
    "//",
    "http://[",
  ])("%s", async (target) => {
    const status = statusOf(await raw(request("GET", target, [])))
    expect([400, 404]).toContain(status)
  })

  test("odd cursors are no cursors", async () => {
    for (const cursor of ["-1", "NaN", "9".repeat(1000), "%00", "1&cursor=2", ""]) {
      expect((await fetch(`${served.url}/v1/stream/known?offset=-1&cursor=${cursor}`)).status).toBe(200)
    }
  })
})

test("a body that breaks off changes nothing", async () => {
  const { port } = new URL(served.url)
  const before = await (await fetch(`${served.url}/v1/stream/known`)).text()
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), "127.0.0.1", () => {
      socket.write(
        "POST /v1/stream/known HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[1,",
      )
      setTimeout(() => socket.destroy(), 50)
    })
    socket.on("close", () => resolve())
  })
  expect(await (await fetch(`${served.url}/v1/stream/known`)).text()).toBe(before)
})

test("no request at all gets a 5xx", async () => {
  const token = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    maxLength: 40,
  })
  const word = fc.oneof(
    token,
    fc.constantFrom(
      "true",
      "0",
      "1",
      "-1",
      "now",
      "sse",
      "long-poll",
      "application/json",
      "text/plain",
      "[1]",
      "[]",
      "{",
      "known",
    ),
  )
  const name = fc.constantFrom(
    "content-type",
    "if-none-match",
    "origin",
    "stream-ttl",
    "stream-expires-at",
    "stream-closed",
    "stream-seq",
    "producer-id",
    "producer-epoch",
    "producer-seq",
  )
  const query = fc.array(fc.tuple(fc.constantFrom("offset", "live", "cursor", "x"), word), { maxLength: 4 })
  const shape = fc.record({
    method: fc.constantFrom("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "PURGE"),
    path: fc.oneof(fc.constantFrom("fuzz", "fuzz/a"), word),
    query,
    headers: fc.dictionary(name, word, { maxKeys: 5 }),
    body: fc.option(word),
  })
  await fc.assert(
    fc.asyncProperty(shape, async ({ method, path, query: parameters, headers, body }) => {
      const target = new URL(`${served.url}/v1/stream/${encodeURIComponent(path).replaceAll("%2F", "/")}`)
      target.search = new URLSearchParams(parameters).toString()
      const hasBody = body !== null && method !== "GET" && method !== "HEAD"
      const answer = await fetch(target, { method, headers, ...(hasBody ? { body } : {}) })
      await answer.arrayBuffer()
      expect(answer.status).toBeLessThan(500)
      if (answer.status >= 400) expect(answer.headers.get("content-type")).toBe("application/problem+json")
    }),
    { numRuns: 400 },
  )
})
