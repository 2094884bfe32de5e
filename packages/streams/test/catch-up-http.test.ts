import { connect } from "node:net"
import { afterEach, beforeEach, expect, test } from "vitest"
import type { Served } from "./serve.ts"
import { serveStreams } from "./serve.ts"

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
  for (const body of bodies) expect(body === batch(0) + batch(1) + batch(2) + batch(3) + batch(4)).toBe(true)
})
