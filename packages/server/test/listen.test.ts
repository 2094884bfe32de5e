import { Agent, request } from "node:http"
import { connect } from "node:net"
import { expect, onTestFinished, test } from "vitest"
import { listen, listenWith } from "../src/http/listen.ts"

/** So long that the test ends before it, if it is waited out. */
const GRACE_MS = 600_000

test("a connection that is kept after its last answer does not hold up a closing server", async () => {
  const asked = deferred<void>()
  const answer = deferred<Response>()
  const listening = await listen(
    () => {
      asked.resolve()
      return answer.promise
    },
    { host: "127.0.0.1", port: 0 },
  )
  const agent = new Agent({ keepAlive: true })
  const status = new Promise<number | undefined>((resolve, reject) => {
    const outgoing = request(listening.url, { agent }, (incoming) => {
      incoming.resume().on("end", () => resolve(incoming.statusCode))
    })
    outgoing.on("error", reject).end()
  })
  await asked.promise
  const closed = listening.close(GRACE_MS)
  answer.resolve(new Response("late"))
  expect(await status).toBe(200)
  await closed
  agent.destroy()
})

test.each([
  ["half a head", "POST / HTTP/1.1\r\nHost: a\r\nX-"],
  ["half a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"],
  ["half a chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc"],
])("who sends %s and then nothing, and stays, is cut off; others are served", async (_, part) => {
  const listening = await listenWith(
    (incoming, outgoing) => incoming.resume().on("end", () => outgoing.end("served")),
    { host: "127.0.0.1", port: 0 },
    { headMs: 100, requestMs: 200, lookMs: 20 },
  )
  onTestFinished(() => listening.close(0))
  const socket = connect(Number(new URL(listening.url).port), "127.0.0.1", () => socket.write(part))
  socket.resume().on("error", () => undefined)
  const closed = new Promise((resolve) => socket.on("close", resolve))
  expect(await (await fetch(listening.url, { method: "POST", body: "x" })).text()).toBe("served")
  await closed
})

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil
  })
  return { promise, resolve }
}
