import { createServer } from "node:http"
import { connect } from "node:net"
import { RouseError } from "@rouse/protocol"
import { createFront, toNodeHandler } from "@rouse/streams/node"
import { afterEach, beforeEach, expect, test } from "vitest"
import type { Served } from "./serve.ts"
import { listen, serveStreams, systemClock } from "./serve.ts"

/** Long bodies over real sockets: their memory is used again as soon as they are sent. */

const BATCH = 200 * 1024
const BATCHES = 40
let served: Served
let url: string

beforeEach(async () => {
  served = await serveStreams()
  url = `${served.url}/v1/stream/long`
  await fetch(url, { method: "PUT", headers: { "content-type": "text/plain" } })
  for (let n = 0; n < BATCHES; n++)
    await fetch(url, { method: "POST", headers: { "content-type": "text/plain" }, body: batch(n) })
})
afterEach(async () => {
  expect(served.errors).toEqual([])
  await served.close()
})

function batch(n: number): string {
  return String.fromCharCode(48 + n).repeat(BATCH)
}

async function readAll(): Promise<string> {
  let text = ""
  for (let offset: string | null = "-1"; ;) {
    const answer: Response = await fetch(`${url}?offset=${offset}`)
    text += await answer.text()
    if (answer.headers.has("stream-up-to-date")) return text
    offset = answer.headers.get("stream-next-offset")
  }
}

test("many read at once, some go away, and each gets every byte", async () => {
  const port = Number(new URL(url).port)
  const gone = Array.from({ length: 8 }, () => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write("GET /v1/stream/long?offset=-1 HTTP/1.1\r\nHost: rouse.test\r\n\r\n")
    })
    socket.once("data", () => socket.destroy())
    return new Promise((resolve) => socket.once("close", resolve))
  })
  const expected = Array.from({ length: BATCHES }, (_, n) => batch(n)).join("")
  const texts = await Promise.all(Array.from({ length: 6 }, readAll))
  for (const text of texts) expect(text === expected).toBe(true)
  await Promise.all(gone)
})

test("answers that wait for one another on a connection are whole", async () => {
  const { hostname, port } = new URL(url)
  const asked = 5
  const head = `GET /v1/stream/long?offset=-1 HTTP/1.1\r\nHost: ${hostname}\r\n`
  const got = await new Promise<string>((resolve, reject) => {
    let text = ""
    const socket = connect(Number(port), hostname, () => {
      socket.write(`${head}\r\n`.repeat(asked - 1) + `${head}Connection: close\r\n\r\n`)
    })
    socket.setEncoding("latin1").on("data", (data: string) => (text += data))
    socket.once("end", () => resolve(text)).once("error", reject)
  })
  const bodies = got.split(/HTTP\/1\.1 200 OK\r\n[^]*?\r\n\r\n/).slice(1)
  expect(bodies).toHaveLength(asked)
  const expected = Array.from({ length: 10 }, (_, n) => batch(n)).join("")
  for (const body of bodies) expect(body === expected).toBe(true)
})

test("JSON that is read in pieces is an array, on the front, on node:http and as a Response", async () => {
  const json = { "content-type": "application/json" }
  const sent = Array.from({ length: 30 }, (_, n) => ({ n, text: "x".repeat(60_000) }))
  const path = "/v1/stream/json"
  await fetch(served.url + path, { method: "PUT", headers: json })
  for (const message of sent) {
    await fetch(served.url + path, { method: "POST", headers: json, body: JSON.stringify(message) })
  }
  const node = createServer(toNodeHandler(served.streams))
  const nodeUrl = await listen(node)
  for (const answer of [
    await fetch(`${served.url}${path}?offset=-1`),
    await fetch(`${nodeUrl}${path}?offset=-1`),
    await served.streams.fetch(new Request(`http://rouse.test${path}?offset=-1`)),
  ]) {
    expect(await answer.json()).toEqual(sent)
  }
  node.closeAllConnections()
  await new Promise((resolve) => node.close(resolve))
})

test("an answer whose rest is no longer kept is cut short, and nobody else is hurt", async () => {
  const errors: unknown[] = []
  const gone = { byteLength: 10, take: broken() }
  const answering = { answer: () => Promise.resolve({ status: 200, headers: {}, body: gone }) }
  const front = createFront(answering, { clock: systemClock, onError: (error) => errors.push(error) })
  const url = await listen(front.server)
  await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow()
  expect(errors).toEqual([])
  await front.close(0)
})

function broken(): () => Uint8Array {
  let taken = 0
  return () => {
    if (taken++ > 0) throw new RouseError("UNKNOWN_STREAM", "it was deleted")
    return Buffer.from("begin")
  }
}
