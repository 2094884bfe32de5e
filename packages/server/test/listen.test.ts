import { Agent, request } from "node:http"
import { expect, test } from "vitest"
import { listen } from "../src/http/listen.ts"

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

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil
  })
  return { promise, resolve }
}
