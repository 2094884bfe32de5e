import { createServer } from "node:http"
import type { RequestListener, Server } from "node:http"
import type { AddressInfo } from "node:net"
import { nodeWebhooks } from "@rouse/streams/node"
import type { WebhookRequest } from "@rouse/streams"
import { afterEach, expect, test } from "vitest"

const servers: Server[] = []

async function listen(answer: RequestListener): Promise<number> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return (server.address() as AddressInfo).port
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

function request(port: number, changes: Partial<WebhookRequest> = {}): WebhookRequest {
  return {
    // A name that no resolver knows: only the given address can be reached.
    url: new URL(`http://receiver.invalid:${port}/hook?x=1`),
    address: "127.0.0.1",
    headers: { "content-type": "application/json", "webhook-signature": "s" },
    body: '{"é":1}',
    responseBytesMax: 100,
    signal: new AbortController().signal,
    ...changes,
  }
}

const { fetch, resolve, randomBytes } = nodeWebhooks()

test("goes to the address that was checked, under the name that was asked for", async () => {
  const port = await listen((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
    incoming.on("end", () => {
      const { host } = incoming.headers
      response.end(`${incoming.method} ${incoming.url} ${host} ${Buffer.concat(chunks).toString()}`)
    })
  })
  const { status, body } = await fetch(request(port))
  expect([status, Buffer.from(body ?? []).toString()]).toEqual([200, `POST /hook?x=1 receiver.invalid:${port} {"é":1}`])
})

test("follows no redirect", async () => {
  let reached = 0
  const inside = await listen((_, response) => {
    reached += 1
    response.end()
  })
  const port = await listen((_, response) =>
    response.writeHead(307, { location: `http://127.0.0.1:${inside}/` }).end("{}"),
  )
  expect((await fetch(request(port))).status).toBe(307)
  expect(reached).toBe(0)
})

test("reads no more than allowed of an answer without an end", async () => {
  let closed = (): void => undefined
  const gone = new Promise<void>((done) => (closed = done))
  const port = await listen((_, response) => {
    const timer = setInterval(() => response.write("x".repeat(60)), 1)
    response.on("close", () => {
      clearInterval(timer)
      closed()
    })
  })
  expect(await fetch(request(port))).toEqual({ status: 200, body: undefined })
  await gone
})

test("ends when it is told to, before and while it is answered", async () => {
  for (const begins of [false, true]) {
    const port = await listen((_, response) => void (begins && response.write("{")))
    const abort = new AbortController()
    const work = fetch(request(port, { signal: abort.signal }))
    setTimeout(() => abort.abort(), 20)
    await expect(work).rejects.toThrow(/abort/)
  }
})

test("a receiver that hangs up is an error", async () => {
  const port = await listen((incoming) => incoming.socket.destroy())
  await expect(fetch(request(port))).rejects.toThrow()
})

test("names are resolved to all their addresses, and bytes are as many as asked for", async () => {
  expect(await resolve("127.0.0.1")).toEqual(["127.0.0.1"])
  expect(randomBytes(32)).toHaveLength(32)
})
