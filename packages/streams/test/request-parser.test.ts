import { createServer, METHODS } from "node:http"
import { Duplex } from "node:stream"
import { RouseError } from "@rouse/protocol"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import * as bounds from "../src/core/http/bounds.ts"
import { RequestParser } from "../src/core/http/request-parser.ts"

/** The front's own reading of HTTP/1.1, without a socket. */

interface Read {
  readonly method: string
  readonly target: string
  readonly fields: Readonly<Record<string, string>>
  readonly body: string
}

interface Outcome {
  readonly requests: readonly Read[]
  /** The code of what ended it; whether a request was begun and is not whole. */
  readonly refused?: string
  readonly partial?: boolean
}

const latin1 = (bytes: Uint8Array, from: number, to: number): string => Buffer.from(bytes).toString("latin1", from, to)
const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1")

/** Feeds packets as a connection does, and reads whatever there is after each. */
function parse(packets: readonly Uint8Array[]): Outcome {
  const requests: Read[] = []
  let parser = new RequestParser(latin1)
  let body = ""
  try {
    for (const packet of packets) {
      parser.push(packet)
      for (let head = parser.head(); head !== undefined; head = parser.head()) {
        for (let piece = parser.read(); piece !== undefined; piece = parser.read())
          body += Buffer.from(piece).toString("latin1")
        if (!parser.ended) break
        const { method, target, fields } = head
        requests.push({ method, target, fields: Object.fromEntries(fields), body })
        body = ""
        const rest = parser.rest()
        parser = new RequestParser(latin1)
        parser.push(rest)
      }
    }
  } catch (error) {
    if (!RouseError.is(error)) throw error
    return { requests, refused: error.code }
  }
  return { requests, partial: parser.held > 0 || parser.head() !== undefined }
}

const whole = (text: string): Outcome => parse([bytesOf(text)])
const head = (...lines: readonly string[]): string => ["POST /a HTTP/1.1", "Host: a", ...lines, "", ""].join("\r\n")

describe("what is read", () => {
  test("a path, fields by lower-case names, repeated ones joined, spaces around values dropped", () => {
    const text = "GET /a?b=c HTTP/1.1\r\nHost: x:1\r\nA:  1 \t\r\nB:\r\na:2\r\nC: \t \r\n\r\n"
    expect(whole(text).requests).toEqual([
      { method: "GET", target: "/a?b=c", fields: { host: "x:1", a: "1, 2", b: "", c: "" }, body: "" },
    ])
  })

  test("bodies by length and in chunks, with extensions and trailers, and what comes behind", () => {
    const text =
      head("Content-Length: 3") +
      "abc\r\n" +
      head("Transfer-Encoding: Chunked") +
      "3;x=y\r\nabc\r\nA;z\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n" +
      head("Content-Length: 0")
    const { requests, partial } = whole(text)
    expect(requests.map(({ body }) => body)).toEqual(["abc", "abc0123456789", ""])
    expect(partial).toBe(false)
  })

  test.each([
    ["HTTP/1.1", "", true],
    ["HTTP/1.1", "Connection: close\r\n", false],
    ["HTTP/1.1", "Connection: x, Close\r\n", false],
    ["HTTP/1.0", "", false],
    ["HTTP/1.0", "Connection: Keep-Alive\r\n", true],
  ])("%s with %j: the connection stays: %s", (version, field, keepAlive) => {
    const parser = new RequestParser(latin1)
    parser.push(bytesOf(`GET / ${version}\r\nHost: a\r\n${field}\r\n`))
    expect(parser.head()?.keepAlive).toBe(keepAlive)
  })

  test("a URL, an asterisk, a host that is empty, a client of HTTP/1.0 without one", () => {
    const targets = ["GET http://b.test/x HTTP/1.1\r\nHost: a", "OPTIONS * HTTP/1.1\r\nHost:", "GET / HTTP/1.0\r\nA: b"]
    for (const text of targets) expect(whole(`${text}\r\n\r\n`).requests).toHaveLength(1)
  })
})

const refusals: Readonly<Record<string, readonly string[]>> = {
  BAD_REQUEST: [
    // Request lines.
    "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "GET /\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / x HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://u@a/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    // Lines.
    "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\n",
    "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
    "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    // Fields.
    "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    head("X: y", " folded"),
    head("X: y", "\tfolded"),
    head("X : y"),
    head(": y"),
    head("X"),
    head("X\0: y"),
    head("X: y\0"),
    head("X: \x7f"),
    head("X\xe9: y"),
    // Hosts.
    "GET / HTTP/1.1\r\n\r\n",
    head("Host: a"),
    "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    // Lengths.
    head("Content-Length: 3", "Content-Length: 3") + "abc",
    head("Content-Length: 3", "Content-Length: 4") + "abc",
    head("Content-Length: 3, 3") + "abc",
    head("Content-Length: +3") + "abc",
    head("Content-Length: -1"),
    head("Content-Length: 0x3") + "abc",
    head("Content-Length: 3.0") + "abc",
    head("Content-Length:"),
    head("Content-Length: 9999999999999999"),
    head("Content-Length: 3", "Transfer-Encoding: chunked") + "0\r\n\r\n",
    head("Transfer-Encoding: chunked", "Content-Length: 3") + "0\r\n\r\n",
    head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + "0\r\n\r\n",
    head("Transfer-Encoding: gzip, chunked") + "0\r\n\r\n",
    head("Transfer-Encoding: chunked, identity") + "0\r\n\r\n",
    head("Transfer-Encoding: identity"),
    head("Transfer-Encoding: xchunked"),
    head("Transfer-Encoding: chunked;q=1") + "0\r\n\r\n",
    head("Transfer-Encoding:"),
    head("Transfer-Encoding: \x0bchunked"),
    head("Transfer-Encoding : chunked"),
    "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    // Chunks.
    ...[
      "\r\n",
      "x\r\n",
      "-1\r\n",
      "+1\r\n",
      "0x1\r\n",
      " 1\r\na",
      "1 \r\na",
      "1\na",
      "1\r\nab",
      "1\r\na\n",
      "000000001\r\n",
    ].map((text) => head("Transfer-Encoding: chunked") + text),
    ...["1;\0\r\n", "1;a\nb\r\n", "1;a\rb", "0\r\nX\r\n\r\n", "0\r\nX: y\n\r\n", "0\r\n X: y\r\n\r\n", "0\n\r\n"].map(
      (text) => head("Transfer-Encoding: chunked") + text,
    ),
  ],
  URI_TOO_LONG: [
    `GET /${"a".repeat(bounds.TARGET_BYTES_MAX)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET /${"a".repeat(bounds.HEAD_BYTES_MAX)}`,
  ],
  HEADERS_TOO_LARGE: [
    head(`X: ${"a".repeat(bounds.HEAD_BYTES_MAX)}`),
    head(`X: ${" ".repeat(bounds.HEAD_BYTES_MAX)}`),
    head(...Array.from({ length: bounds.FIELDS_MAX }, () => "X: y")),
    head("Transfer-Encoding: chunked") + `0\r\n${"X: y\r\n".repeat(1_000)}`,
    head("Transfer-Encoding: chunked") + `0\r\n${"X: y\r\n".repeat(bounds.FIELDS_MAX + 1)}\r\n`,
  ],
  TOO_LARGE: [
    head("Transfer-Encoding: chunked") + `1;${"a".repeat(5_000)}`,
    head("Transfer-Encoding: chunked") + "1;aaaaaaaa\r\nb\r\n".repeat(600),
  ],
}

describe.each(Object.entries(refusals))("refused as %s, and nothing is read behind it", (code, texts) => {
  test.each(texts)("%j", (text) => {
    const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    const outcome = whole(text + smuggled)
    expect(outcome.refused).toBe(code)
    expect(outcome.requests).toEqual([])
    expect(parse(Array.from(bytesOf(text + smuggled)).map((byte) => Uint8Array.of(byte)))).toEqual(outcome)
  })
})

test("a value that is a long run of spaces takes no longer than another", () => {
  const fields = Array.from({ length: 3 }, () => `X: a${" ".repeat(5_000)}b`)
  expect(whole(head(...fields)).requests).toHaveLength(1)
})

const token = fc.string({ unit: fc.constantFrom(..."abcXYZ019-_~!".split("")), minLength: 1, maxLength: 12 })
const octets = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1"))
const value = fc
  .string({ unit: fc.constantFrom(...'ab c,;=\t"/\xe9'.split("")), maxLength: 20 })
  .map((text) => text.trim())
const chunk = fc.record({ data: octets.filter((text) => text !== ""), extension: fc.constantFrom("", ";a", ";a=b") })
const chunked = fc.array(chunk, { maxLength: 4 }).map((chunks) => ({
  framing: "Transfer-Encoding: chunked",
  body: `${chunks.map(({ data, extension }) => `${data.length.toString(16)}${extension}\r\n${data}\r\n`).join("")}0\r\n\r\n`,
}))
const plain = octets.map((body) => ({ framing: `Content-Length: ${body.length}`, body }))
const valid = fc
  .record({
    before: fc.constantFrom("", "", "\r\n"),
    method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "OPTIONS"),
    path: fc.string({ unit: fc.constantFrom(..."abc/%?=&.-".split("")), maxLength: 20 }),
    fields: fc.array(
      fc.tuple(
        token.map((name) => `x-${name}`),
        value,
      ),
      { maxLength: 5 },
    ),
    payload: fc.oneof(plain, chunked),
  })
  .map(({ before, method, path, fields, payload }) =>
    [
      `${before}${method} /${path} HTTP/1.1`,
      "Host: a",
      ...fields.map((field) => field.join(": ")),
      payload.framing,
      "",
      payload.body,
    ].join("\r\n"),
  )
/** Valid ones with a few bytes changed, lost or put in. */
const damaged = fc
  .tuple(
    valid,
    fc.array(fc.tuple(fc.nat(), fc.constantFrom("\r", "\n", " ", ":", "0", "\0", "\r\n", "")), { maxLength: 3 }),
  )
  .map(([text, changes]) =>
    changes.reduce((changed, [at, put]) => {
      const place = at % (changed.length + 1)
      return changed.slice(0, place) + put + changed.slice(place + (at % 2))
    }, text),
  )

test("however the bytes are cut into packets, the same is read or refused", () => {
  const texts = fc.array(fc.oneof(valid, damaged), { minLength: 1, maxLength: 3 }).map((parts) => parts.join(""))
  fc.assert(
    fc.property(texts, fc.array(fc.nat(), { maxLength: 12 }), (text, places) => {
      const all = bytesOf(text)
      const cuts = [0, ...places.map((place) => place % (all.length + 1)), all.length].toSorted((a, b) => a - b)
      const packets = cuts.slice(1).map((to, index) => all.subarray(cuts[index], to))
      expect(parse(packets)).toEqual(parse([all]))
    }),
    { numRuns: 1_000 },
  )
})

test("what is valid is read as node:http reads it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(valid, { minLength: 1, maxLength: 3 }), async (texts) => {
      expect(await byNode(texts.join(""), texts.length)).toEqual(whole(texts.join("")).requests)
    }),
    { numRuns: 200 },
  )
})

test("what is damaged is refused, or read as node:http reads it", async () => {
  await fc.assert(
    fc.asyncProperty(damaged, async (text) => {
      const { requests, refused, partial } = whole(text)
      // Node knows a list of methods; to us one that means nothing is for the handler to refuse.
      fc.pre(requests.length > 0 && requests.every(({ method }) => METHODS.includes(method)))
      fc.pre(refused === undefined && partial === false)
      expect(await byNode(text, requests.length)).toEqual(requests)
    }),
    { numRuns: 300 },
  )
})

/** The same bytes through the parser of Node, without a network. */
async function byNode(text: string, count: number): Promise<readonly Read[]> {
  const requests: Read[] = []
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  await new Promise<void>((resolve) => {
    const server = createServer((incoming, outgoing) => {
      let body = ""
      incoming.setEncoding("latin1").on("data", (piece) => (body += String(piece)))
      incoming.on("end", () => {
        const fields: Record<string, string> = {}
        for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
          const name = (incoming.rawHeaders[at] ?? "").toLowerCase()
          const field = incoming.rawHeaders[at + 1] ?? ""
          fields[name] = fields[name] === undefined ? field : `${fields[name]}, ${field}`
        }
        requests.push({ method: incoming.method ?? "", target: incoming.url ?? "", fields, body })
        outgoing.end()
        if (requests.length === count) resolve()
      })
    })
    server.on("clientError", () => resolve())
    server.emit("connection", socket)
    socket.push(bytesOf(text))
  })
  socket.destroy()
  return requests
}
