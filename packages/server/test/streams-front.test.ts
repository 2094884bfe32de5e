import { connect } from "node:net"
import { defineEntity } from "@rouse/agents"
import { expect, onTestFinished, test } from "vitest"
import { adminToken } from "../src/index.ts"
import { Harness, type HarnessOptions } from "./harness.ts"

/** Streams behind the server's own socket. What goes straight to them is answered as what goes through the app. */

const simple = defineEntity("simple", { handler: (ctx) => ctx.reply("ok") })
const TOKEN = "admin-token-0123456789"

async function listen(options: Partial<HarnessOptions> = {}): Promise<{ harness: Harness; url: string }> {
  const harness = await Harness.open({ entities: [simple], ...options })
  onTestFinished(() => harness.close())
  const { url } = await harness.server.listen({ host: "127.0.0.1", port: 0 })
  return { harness, url }
}

/** One request as it is written; the answer's status and what follows its head. */
function raw(url: string, lines: readonly string[]): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    let answer = ""
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => {
      socket.write([...lines, "Connection: close", "", ""].join("\r\n"))
    })
    socket.setEncoding("latin1")
    socket.on("data", (chunk) => (answer += String(chunk)))
    socket.on("error", reject)
    socket.on("close", () => {
      const [head = "", ...rest] = answer.split("\r\n\r\n")
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), body: rest.join("\r\n\r\n") })
    })
  })
}

const headers = { "content-type": "application/json" }

test("an app's stream lives its life over the socket, and an agent's log is read only", async () => {
  const { harness, url } = await listen()
  await harness.spawn("/simple/a")
  const mine = `${url}/v1/stream/mine/%20x`
  for (const path of [`${url}/v1/stream/mine`, mine]) {
    expect((await fetch(path, { method: "PUT", headers })).status).toBe(201)
    expect((await fetch(path, { method: "POST", headers, body: "[1,2]" })).status).toBe(204)
    expect(await (await fetch(path)).json()).toEqual([1, 2])
    expect((await fetch(path, { method: "DELETE" })).status).toBe(204)
  }
  const log = `${url}/v1/stream/entities/simple/a`
  expect((await fetch(log)).status).toBe(200)
  for (const method of ["PUT", "POST", "DELETE"])
    expect((await fetch(log, { method, headers, ...(method === "POST" ? { body: "{}" } : {}) })).status).toBe(405)
})

test("with tokens nothing passes without one, however it is spelled, and the answer is the app's", async () => {
  const { harness, url } = await listen({ tokens: [adminToken("a", TOKEN)] })
  for (const path of [
    "/v1/stream/mine",
    "/v1/stream/%6dine",
    "/v1/stream/a/../mine",
    "/v1/stream/./mine",
    "/v1/./stream/mine",
    "/v1/stream/__ds/subscriptions/s",
    "/v1/stream/__ds/subscriptions/s/ack/../../t",
  ]) {
    for (const method of ["GET", "PUT", "POST", "DELETE", "OPTIONS"]) {
      const { status } = await raw(url, [`${method} ${path} HTTP/1.1`, "Host: a", "Content-Length: 0"])
      expect([method, path, status]).toEqual([method, path, 401])
    }
  }
  const refused = await fetch(`${url}/v1/stream/mine`)
  const byApp = await harness.server.fetch(new Request(`${url}/v1/stream/mine`))
  expect(await refused.text()).toBe(await byApp.text())
  expect(refused.headers.get("www-authenticate")).toBe(byApp.headers.get("www-authenticate"))
  const authorization = `Bearer ${TOKEN}`
  expect((await fetch(`${url}/v1/stream/mine`, { method: "PUT", headers: { authorization } })).status).toBe(201)
})

test("without tokens another site's page is refused, and a host that is none hurts nobody", async () => {
  const { url } = await listen()
  const origin = { origin: "https://evil.example" }
  expect((await fetch(`${url}/v1/stream/mine`, { method: "PUT", headers: origin })).status).toBe(403)
  for (const host of ["evil.example", "localhost:99999", "[", ""]) {
    for (const path of ["/v1/stream/mine", "/v1/stream/%20", "/v1/stream/a/../b", "//"]) {
      const { status } = await raw(url, [`GET ${path} HTTP/1.1`, `Host: ${host}`])
      expect([400, 403, 404]).toContain(status)
    }
  }
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
})

test("live reads end in good order when the server does", async () => {
  const { harness, url } = await listen()
  await fetch(`${url}/v1/stream/live`, { method: "PUT", headers })
  const live = await fetch(`${url}/v1/stream/live?offset=-1&live=sse`)
  await harness.stop()
  expect(await live.text()).toContain("event: control")
})
