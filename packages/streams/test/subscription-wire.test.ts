import { createServer } from "node:http"
import type { RequestListener } from "node:http"
import { connect } from "node:net"
import { nodeWebhooks } from "@rouse/streams/node"
import * as fc from "fast-check"
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest"
import type { Served } from "./serve.ts"
import { listen, serveStreams } from "./serve.ts"

/** Bad input to subscriptions behind a real socket, and receivers that mean harm. The answer names the field, and nothing changes. */

/** Eight times the longest path. */
const LONG = "a".repeat(8_192)
const HEADERS = { "content-type": "application/json" }

let served: Served
let ds: string

beforeEach(async () => {
  served = await serveStreams({ subscriptions: { ...nodeWebhooks(), allowLoopbackWebhooks: true }, longPollMs: 20 })
  ds = `${served.url}/v1/stream/__ds`
})
afterEach(() => served.close())

interface Answer {
  readonly status: number
  readonly body: { readonly detail?: string; readonly error?: { readonly code: string } }
}

async function ask(method: string, url: string, body?: BodyInit | null): Promise<Answer> {
  const answer = await fetch(url, { method, headers: HEADERS, ...(body === undefined ? {} : { body }) })
  const text = await answer.text()
  return { status: answer.status, body: (text === "" ? {} : JSON.parse(text)) as Answer["body"] }
}

const put = (id: string, changes: Record<string, unknown>): Promise<Answer> =>
  ask(
    "PUT",
    `${ds}/subscriptions/${id}`,
    JSON.stringify({ type: "pull-wake", pattern: "a/*", wake_stream: "wakes", ...changes }),
  )

const isMade = async (id: string): Promise<boolean> => (await fetch(`${ds}/subscriptions/${id}`)).status === 200

async function grow(path: string): Promise<void> {
  await fetch(`${served.url}/v1/stream/${path}`, { method: "PUT", headers: HEADERS })
  await fetch(`${served.url}/v1/stream/${path}`, { method: "POST", headers: HEADERS, body: "{}" })
}

/** A receiver, and how often it was reached. */
async function receiver(answer: RequestListener): Promise<{ readonly url: string; reached: () => number }> {
  let count = 0
  const server = createServer((incoming, outgoing) => {
    count += 1
    incoming.resume()
    answer(incoming, outgoing)
  })
  const url = await listen(server)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url, reached: () => count }
}

describe("8 KB", () => {
  test.each([
    ["GET", `/v1/stream/${LONG}`],
    ["PUT", `/v1/stream/${LONG}`],
    ["PUT", `/v1/stream/${"a/".repeat(4_096)}a`],
    ["PUT", `/v1/stream/${"%61".repeat(2_730)}`],
    ["PUT", `/v1/stream/__ds/subscriptions/${LONG}`],
    ["GET", `/v1/stream/__ds/${LONG}`],
    ["POST", `/v1/stream/__ds/subscriptions/${LONG}/ack`],
    ["DELETE", `/v1/stream/__ds/subscriptions/s/streams/${LONG}`],
  ])("in a path: %s %.40s", async (method, path) => {
    const { status, body } = await ask(method, served.url + path, method === "GET" ? undefined : "{}")
    expect([400, 404]).toContain(status)
    expect(body.detail).toBeDefined()
  })

  test.each([
    ["pattern", { pattern: LONG }],
    ["pattern", { pattern: "*/".repeat(4_096) + "*" }],
    ["streams[0]", { streams: [LONG] }],
    ["wake_stream", { wake_stream: LONG }],
    ["webhook.url", { type: "webhook", wake_stream: undefined, webhook: { url: `https://a.example.com/${LONG}` } }],
    ["description", { description: LONG }],
  ])("in the field %s", async (field, changes) => {
    const { status, body } = await put("s", changes)
    expect([status, body.detail]).toEqual([400, expect.stringContaining(field)])
    expect(await isMade("s")).toBe(false)
  })
})

describe("bodies", () => {
  const deep = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`
  test.each<[string, BodyInit, number]>([
    ["deep", deep(5_000), 400],
    ["deeper than a stack", deep(400_000), 400],
    ["deep in a field", `{"type":"pull-wake","wake_stream":"w","pattern":${deep(5_000)}}`, 400],
    ["over the limit", " ".repeat(1024 * 1024 + 1), 413],
    ["invalid UTF-8", Uint8Array.of(0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d), 400],
    ["half a surrogate pair", JSON.stringify({ type: "pull-wake", wake_stream: "w", streams: ["\ud800"] }), 400],
    ["with a byte order mark inside", '{"\ufefftype":"pull-wake"}', 400],
    ["half", '{"type":"pull-wake"', 400],
    ["an array", "[]", 400],
    ["empty", "", 400],
  ])("%s", async (_, body, expected) => {
    const { status, body: problem } = await ask("PUT", `${ds}/subscriptions/s`, body)
    expect([status, typeof problem.error?.code]).toEqual([expected, "string"])
    expect(await isMade("s")).toBe(false)
  })
})

describe("a pattern that matches everything", () => {
  test("wakes once for what comes, not for its own wakes, and is refused when there are too many of it", async () => {
    await grow("wakes")
    expect((await put("s0", { pattern: "**" })).status).toBe(201)
    await grow("a")
    await grow("b/c")
    const events = async (): Promise<unknown[]> =>
      (await (await fetch(`${served.url}/v1/stream/wakes`)).json()) as unknown[]
    await vi.waitFor(async () => expect((await events()).length).toBe(2))
    const claimed = await fetch(`${ds}/subscriptions/s0/claim`, {
      method: "POST",
      headers: HEADERS,
      body: '{"worker":"w"}',
    })
    const { streams } = (await claimed.json()) as { streams: { path: string }[] }
    expect(streams.map(({ path }) => path)).toEqual(["a", "b/c"])
    expect((await events()).length).toBe(2)
    for (let n = 1; n < 64; n++) expect((await put(`s${n}`, { pattern: "**" })).status).toBe(201)
    const refused = await put("s64", { pattern: "*/**" })
    expect(refused.body.error).toMatchObject({ code: "LIMIT_REACHED", field: "pattern", max: 64 })
    expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining("pattern")])
    expect((await put("named", { pattern: "a/**" })).status).toBe(201)
  })

  test("of many parts costs no time that grows with them", async () => {
    expect((await put("s", { pattern: "**/a/**/a/**/a/**/a" })).status).toBe(201)
    expect((await put("t", { pattern: "**/a/**/a/**/a/**/a/**" })).status).toBe(400)
    await grow("a/".repeat(500) + "b")
    await grow("known")
    expect((await fetch(`${served.url}/v1/stream/known`)).status).toBe(200)
  })
})

describe("receivers", () => {
  test.each([301, 302, 303, 307, 308])("a redirect inside (%i) is a failure, and is not followed", async (status) => {
    const inside = await receiver((_, outgoing) => outgoing.end(`{"done":true}`))
    const outside = await receiver((_, outgoing) =>
      outgoing.writeHead(status, { location: `${inside.url}/secret` }).end(`{"done":true}`),
    )
    await put("s", { type: "webhook", wake_stream: undefined, webhook: { url: outside.url } })
    await grow("a/1")
    await vi.waitFor(async () => {
      const answer = await fetch(`${ds}/subscriptions/s`)
      const { status: state, streams } = (await answer.json()) as {
        status: string
        streams: { acked_offset: string }[]
      }
      expect([state, streams[0]?.acked_offset]).toEqual(["failed", "-1"])
    })
    expect([outside.reached(), inside.reached()]).toEqual([1, 0])
  })

  test("one that never answers, or answers without an end, holds up neither appends nor the others nor the close", async () => {
    const silent = await receiver(() => undefined)
    const endless = await receiver((_, outgoing) => {
      const timer = setInterval(() => outgoing.write(" "), 5)
      outgoing.on("close", () => clearInterval(timer))
    })
    const good = await receiver((_, outgoing) => outgoing.end(`{"done":true}`))
    for (const [id, { url }] of Object.entries({ silent, endless, good }))
      await put(id, { type: "webhook", wake_stream: undefined, webhook: { url } })
    await grow("a/1")
    await vi.waitFor(() => expect([silent, endless, good].map(({ reached }) => reached())).toEqual([1, 1, 1]))
    await grow("a/2")
    await vi.waitFor(() => expect(good.reached()).toBe(2))
    expect(silent.reached()).toBe(1)
  })
})

test(
  "whatever the head and path say of the protocol's own routes, no 5xx that is not 503",
  { timeout: 60_000 },
  async () => {
    await grow("wakes")
    await put("s", {})
    const { port } = new URL(served.url)
    const octet = fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code))
    const junk = fc.oneof(
      fc.string({ unit: octet, maxLength: 40 }),
      fc.constantFrom("", "..", ".", "%2e%2e", "%00", "%ff", "%2f", "s", "subscriptions", "__ds", "jwks.json", LONG),
    )
    const tail = fc.array(fc.oneof(junk, fc.constantFrom("ack", "callback", "claim", "release", "streams")), {
      maxLength: 4,
    })
    const request = fc.record({
      method: fc.constantFrom("GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"),
      path: fc.tuple(
        fc.constantFrom("__ds", "__ds/subscriptions", "__ds/subscriptions/s", "%5f_ds", "a/../__ds"),
        tail,
      ),
      authorization: junk,
      body: fc.oneof(junk, fc.constantFrom("{}", '{"worker":"w"}', '{"wake_id":"w","generation":1,"done":true}')),
    })
    await fc.assert(
      fc.asyncProperty(request, async ({ method, path: [base, rest], authorization, body }) => {
        const target = ["/v1/stream", base, ...rest].join("/").replaceAll(" ", "%20")
        const answer = await raw(Number(port), [
          `${method} ${target} HTTP/1.1`,
          "Host: localhost",
          "Connection: close",
          `Authorization: Bearer ${authorization}`,
          `Content-Length: ${Buffer.byteLength(body, "latin1")}`,
          "",
          body,
        ])
        const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 400)
        expect(status < 500 || status === 503).toBe(true)
      }),
      { numRuns: 200 },
    )
    expect((await put("after", {})).status).toBe(201)
    expect(served.errors).toEqual([])
  },
)

/** Sends bytes as they are and reads what comes until the connection ends. */
function raw(port: number, lines: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    let answer = ""
    const socket = connect(port, "127.0.0.1", () => socket.write(Buffer.from(lines.join("\r\n"), "latin1")))
    socket.setEncoding("latin1")
    socket.on("data", (chunk) => (answer += String(chunk)))
    // The server may have had enough before all was sent.
    socket.on("error", () => socket.destroy())
    socket.on("close", () => resolve(answer))
  })
}
