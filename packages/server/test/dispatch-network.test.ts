import { createServer, type RequestListener, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { randomBytes } from "node:crypto"
import type { WakeRow } from "@rouse/protocol"
import { nodeWebhooks } from "@rouse/streams/node"
import { afterEach, expect, test } from "vitest"
import { Harness } from "./harness.ts"

/** What endpoints do over real sockets. */
const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close()
})

async function endpoint(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  open.push({
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/agents`
}

/** The first attempt of a wake that is sent to the endpoint. */
async function firstAttempt(listener: RequestListener, timeoutMs = 60_000): Promise<WakeRow> {
  const endpoints = { ...nodeWebhooks({ keepAlive: true }), randomBytes, allowLoopback: true }
  const harness = await Harness.open({ entities: [], endpoints })
  open.push(harness)
  const url = await endpoint(listener)
  const body = { dispatch: { kind: "webhook", url }, timeoutMs, attempts: 1 }
  expect(await harness.call("PUT", "/v1/types/x", body)).toMatchObject({ status: 200 })
  await harness.spawn("/x/a", { message: "go" })
  const ended = async (): Promise<WakeRow | undefined> =>
    (await harness.log("/x/a"))
      .filter((event) => event.type === "wake")
      .map((event) => event.value as unknown as WakeRow)
      .find((wake) => wake.endedAt !== undefined)
  await harness.until(async () => (await ended()) !== undefined, "the attempt ends")
  return (await ended()) as WakeRow
}

test("an answer of 200 MB is read up to a bound, and no further", async () => {
  let sent = 0
  const wake = await firstAttempt((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" })
    const chunk = Buffer.alloc(1_048_576, "x")
    const write = (): void => {
      while (sent < 200 && !response.destroyed) {
        sent += 1
        if (!response.write(chunk)) return void response.once("drain", write)
      }
      response.end()
    }
    write()
  })
  expect(wake).toMatchObject({ outcome: "dead", error: expect.stringContaining("larger than") })
  expect(sent).toBeLessThan(100)
})

test("an endpoint that never answers costs its time, and no more", async () => {
  const wake = await firstAttempt(() => undefined, 300)
  expect(wake).toMatchObject({ outcome: "dead", error: expect.stringContaining("committed nothing for 300 ms") })
})

test("an endpoint whose answer drips costs its time, and no more", async () => {
  const wake = await firstAttempt((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" })
    const drip = setInterval(() => response.write(" "), 10)
    response.on("close", () => clearInterval(drip))
  }, 300)
  expect(wake).toMatchObject({ outcome: "dead", error: expect.stringContaining("committed nothing for 300 ms") })
})

test("a redirect is not followed", async () => {
  let followed = false
  const inner = await endpoint((_request, response) => {
    followed = true
    response.end("{}")
  })
  const wake = await firstAttempt((_request, response) => {
    response.writeHead(307, { location: inner }).end()
  })
  expect(wake.error).toContain("redirect")
  expect(followed).toBe(false)
})

test("an answer that breaks off is tried again at once, and is not the handler's fault", async () => {
  const wake = await firstAttempt((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-length": "1000" })
      response.write("{", () => response.destroy())
    })
  })
  expect(wake).toMatchObject({ outcome: "lost" })
})
