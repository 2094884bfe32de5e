import { connect } from "node:net"
import * as fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Served } from "./serve.ts"
import { serveStreams } from "./serve.ts"

/** Bytes that no client would send, on the socket itself. No crash, no hang, no 5xx that is not 503; and the next request is served. */

const BODY_BYTES_MAX = 50_000
/** Nothing may keep a connection longer without a word, once all that it will send is sent. */
const ANSWER_MS_MAX = 5_000
const RUNS = 150

let served: Served

beforeAll(async () => {
  served = await serveStreams({ longPollMs: 20, sseSeconds: 0.05, bodyBytesMax: BODY_BYTES_MAX })
  await put("known", "application/json", "[1]")
  await put("text", "text/plain", "one")
  await put("victim", "application/json", "[1]")
})
afterAll(async () => {
  expect(served.errors).toEqual([])
  await served.close()
})

const put = (name: string, type: string, body: string): Promise<Response> =>
  fetch(`${served.url}/v1/stream/${name}`, { method: "PUT", headers: { "content-type": type }, body })

/** Sends pieces, with pauses between, half-closes, and reads until the server ends the connection. */
function raw(pieces: readonly Uint8Array[], pauseMs = 0): Promise<string> {
  const { port } = new URL(served.url)
  return new Promise((resolve, reject) => {
    let answer = ""
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`nothing ended it after: ${Buffer.concat(pieces).toString("latin1").slice(0, 500)}`))
    }, ANSWER_MS_MAX)
    const socket = connect(Number(port), "127.0.0.1", () => void send())
    const send = async (): Promise<void> => {
      for (const piece of pieces) {
        if (socket.destroyed) return
        socket.write(piece)
        if (pauseMs > 0) await new Promise((next) => setTimeout(next, pauseMs))
      }
      socket.end()
    }
    socket.setEncoding("latin1")
    socket.on("data", (chunk) => (answer += String(chunk)))
    // The server may have had enough before all was sent.
    socket.on("error", () => socket.destroy())
    socket.on("close", () => {
      clearTimeout(timer)
      resolve(answer)
    })
  })
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1")

/** Every answer on a connection. Bodies of ours hold no status lines. */
function expectDecent(answer: string): void {
  for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)) {
    expect(Number(status) < 500 || Number(status) === 503).toBe(true)
  }
}

async function expectServing(): Promise<void> {
  const answer = await fetch(`${served.url}/v1/stream/known`)
  expect(answer.status).toBe(200)
  expect(((await answer.json()) as unknown[])[0]).toBe(1)
}

const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code))
const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code))
const junk = fc.oneof(
  fc.string({ unit: visible, maxLength: 60 }),
  fc.string({ unit: octet, maxLength: 60 }),
  fc.constantFrom("", "true", "-1", "0", "9".repeat(400), "a".repeat(9_000), "\t", "a,b", "*", "\u00ff\u00fe"),
)
const name = fc.constantFrom(
  "Content-Length",
  "Transfer-Encoding",
  "Content-Type",
  "Connection",
  "Expect",
  "Upgrade",
  "If-None-Match",
  "Origin",
  "Range",
  "Stream-TTL",
  "Stream-Expires-At",
  "Stream-Closed",
  "Stream-Seq",
  "Producer-Id",
  "Producer-Epoch",
  "Producer-Seq",
  "X-Other",
)
const framing = fc.constantFrom(
  "Content-Length: 3",
  "Content-Length: 3\r\nContent-Length: 3",
  "Content-Length: 3\r\nContent-Length: 4",
  "Content-Length: +3",
  "Content-Length: 3, 3",
  "Content-Length: -1",
  "Content-Length: 0x3",
  "Content-Length: 99999999999999999999",
  "Content-Length: 3\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding:\tchunked",
  " Transfer-Encoding: chunked",
  "X: y\r\n folded",
)
const target = fc.oneof(
  fc.constantFrom(
    "/v1/stream/victim",
    "/v1/stream/victim?offset=-1&live=sse",
    "/v1/stream/victim?offset=now&live=long-poll",
    "/v1/stream/__ds",
    "/v1/stream/__ds/subscriptions/x",
    "/v1/stream/%5f%5fds/subscriptions/x",
    "/v1/stream/a/__ds/b",
    "/v1/stream/../../etc/passwd",
    "/v1/stream/%2e%2e%2f%2e%2e%2fetc",
    "/v1/stream/..\\..\\etc",
    `/v1/stream/${"a".repeat(8_192)}`,
    `/v1/stream/${"a/".repeat(4_000)}a`,
    `/v1/stream/victim?${"x=1&".repeat(2_000)}`,
    "//v1/stream/victim",
    "http://other.test/v1/stream/victim",
    "*",
    "/v1/stream/victim#x",
    "/v1/stream/\u00e9\u00ff",
  ),
  junk.map((text) => `/v1/stream/${text}`),
)
const body = fc.oneof(
  fc.constantFrom(
    "[1]",
    "3\r\n[1]\r\n0\r\n\r\n",
    "3;ext=1\r\n[1]\r\n0\r\nTrailer: x\r\n\r\n",
    "ffffffffffffffff\r\n[1]",
    "-3\r\n[1]\r\n0\r\n\r\n",
    "3\n[1]\n0\n\n",
    "[1]GET /v1/stream/known HTTP/1.1\r\nHost: a\r\n\r\n",
    "\u00ff\u00fe\u00fd",
    "[".repeat(20_000),
    `${"[".repeat(10_000)}${"]".repeat(10_000)}`,
    `"${"\\u0000".repeat(5_000)}"`,
    "x".repeat(BODY_BYTES_MAX + 1),
  ),
  fc.string({ unit: octet, maxLength: 200 }),
)
const method = fc.constantFrom(
  "GET",
  "HEAD",
  "PUT",
  "POST",
  "DELETE",
  "OPTIONS",
  "PATCH",
  "TRACE",
  "CONNECT",
  "get",
  "G\u00ffT",
)

test("whatever the head and the framing say", { timeout: 120_000 }, async () => {
  const request = fc.record({
    method,
    target,
    framing: fc.option(framing, { nil: undefined }),
    fields: fc.array(fc.tuple(name, junk), { maxLength: 6 }),
    body,
    type: fc.constantFrom("application/json", "text/plain"),
  })
  await fc.assert(
    fc.asyncProperty(request, fc.integer({ min: 1, max: 4 }), async (given, pieces) => {
      const length = given.framing ?? `Content-Length: ${given.body.length}`
      const lines = given.fields.map(([field, value]) => `${field}: ${value}`)
      const head = [
        `${given.method} ${given.target} HTTP/1.1`,
        "Host: a",
        `Content-Type: ${given.type}`,
        length,
        ...lines,
      ]
      const whole = bytes(`${head.join("\r\n")}\r\n\r\n${given.body}`)
      const size = Math.ceil(whole.length / pieces)
      const cut = Array.from({ length: pieces }, (_, at) => whole.subarray(at * size, (at + 1) * size))
      expectDecent(await raw(cut, pieces > 1 ? 2 : 0))
    }),
    { numRuns: RUNS },
  )
  await expectServing()
})

test("bytes that are no HTTP at all", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (noise) =>
      expectDecent(await raw([noise])),
    ),
    { numRuns: RUNS },
  )
  await expectServing()
})

describe("lengths that contradict each other are refused, and nothing is smuggled in", () => {
  const smuggled = "DELETE /v1/stream/known HTTP/1.1\r\nHost: a\r\n\r\n"
  test.each([
    `Content-Length: ${smuggled.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`,
    `Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    `Transfer-Encoding: xchunked\r\n\r\n${smuggled}`,
    `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
  ])("%j", async (rest) => {
    const answer = await raw([bytes(`POST /v1/stream/text HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n${rest}`)])
    expect(answer).toMatch(/^HTTP\/1\.1 400/)
    await expectServing()
  })
})

describe("senders and readers that stall", () => {
  test("half a head, half a body: the connection is let go when the client leaves", async () => {
    for (const part of [
      "POST /v1/str",
      "POST /v1/stream/text HTTP/1.1\r\nHost: a\r\nContent-",
      "POST /v1/stream/text HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nabc",
      "POST /v1/stream/text HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc",
    ]) {
      expectDecent(await raw([bytes(part)]))
    }
    expect(await (await fetch(`${served.url}/v1/stream/text`)).text()).toBe("one")
    await expectServing()
  })

  test("a sender of one byte at a time is served", async () => {
    const request =
      "POST /v1/stream/slow HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nslow"
    await put("slow", "text/plain", "")
    expect(await raw(request.split("").map(bytes), 1)).toMatch(/^HTTP\/1\.1 204/)
    expect(await (await fetch(`${served.url}/v1/stream/slow`)).text()).toBe("slow")
  })

  test("many that read nothing hold nobody else up", async () => {
    const { port } = new URL(served.url)
    await put("wide", "text/plain", "x".repeat(40_000))
    const sockets = Array.from({ length: 50 }, () => {
      const socket = connect(Number(port), "127.0.0.1", () => {
        socket.pause()
        for (let n = 0; n < 20; n++) socket.write("GET /v1/stream/wide HTTP/1.1\r\nHost: a\r\n\r\n")
      })
      socket.on("error", () => undefined)
      return socket
    })
    await expectServing()
    for (const socket of sockets) socket.destroy()
    await expectServing()
  })
})

test("deep and huge JSON is kept as it was sent, or refused", async () => {
  const deep = `${"[".repeat(5_000)}1${"]".repeat(5_000)}`
  const url = `${served.url}/v1/stream/deep`
  const headers = { "content-type": "application/json" }
  await fetch(url, { method: "PUT", headers })
  for (const [sent, status] of [
    [deep, 204],
    [`{"a":${"1".repeat(20_000)}}`, 204],
    [`[${"1,".repeat(20_000)}1]`, 204],
    [`[${"1,".repeat(30_000)}1]`, 413],
    [`"\ud800"`, 204],
    ["[1,]", 400],
    ["\ufeff[1]", 400],
  ] as const) {
    const answer = await fetch(url, { method: "POST", headers, body: sent })
    await answer.arrayBuffer()
    expect([sent.slice(0, 20), answer.status]).toEqual([sent.slice(0, 20), status])
  }
  const invalid = await fetch(url, { method: "POST", headers, body: Uint8Array.of(0x22, 0xc3, 0x28, 0x22) })
  expect(invalid.status).toBe(400)
  await expectServing()
})
