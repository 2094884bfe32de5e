import fc from "fast-check"
import { afterEach, beforeEach, test } from "vitest"
import { World } from "./subscription-world.ts"

let world: World
beforeEach(async () => {
  world = await World.open()
  await world.subscribe("s", { pattern: "a/**" })
  await world.ask("PUT", "wakes")
})
afterEach(() => world.close())

const names = fc.constantFrom(
  ...["type", "pattern", "streams", "webhook", "url", "wake_stream", "lease_ttl_ms", "description"],
  ...["worker", "wake_id", "generation", "acks", "stream", "offset", "done", "__proto__"],
)
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown>(
      "webhook",
      "pull-wake",
      "**",
      "*",
      "a/*",
      "wakes",
      "https://a.example.com",
      -1,
      0,
      1,
      null,
    ),
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(names, tie("value"), { maxKeys: 8 }),
  ),
}))
const ids = fc.oneof(fc.constantFrom("s", "p", "none"), fc.string({ unit: "binary" }).map(encodeURIComponentOr))
const routes = fc.constantFrom("", "/streams", "/streams/a", "/claim", "/ack", "/release", "/callback", "/other")

function encodeURIComponentOr(text: string): string {
  try {
    return encodeURIComponent(text)
  } catch {
    return "%ff"
  }
}

test("whatever is asked of a subscription, the server answers for no mistake of its own", async () => {
  const methods = fc.constantFrom("GET", "PUT", "POST", "DELETE")
  const token = fc.option(fc.stringMatching(/^[ -~]{0,60}$/), { nil: undefined })
  await fc.assert(
    fc.asyncProperty(methods, ids, routes, values.value, token, async (method, id, route, body, bearer) => {
      const sent = method === "GET" ? undefined : (JSON.stringify(body) ?? "")
      const { status } = await world.ask(method, `__ds/subscriptions/${id}${route}`, sent, bearer)
      return status < 500
    }),
    { numRuns: 500 },
  )
})
