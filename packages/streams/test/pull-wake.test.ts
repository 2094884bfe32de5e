import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { Answer } from "./subscription-world.ts"
import { World } from "./subscription-world.ts"

const SUB = "__ds/subscriptions/p"

let world: World
beforeEach(async () => {
  world = await World.open()
  await world.ask("PUT", "wakes")
})
afterEach(() => world.close())

function subscribe(changes: Record<string, unknown> = {}): Promise<Answer> {
  return world.ask("PUT", SUB, {
    type: "pull-wake",
    pattern: "events/*",
    wake_stream: "wakes",
    lease_ttl_ms: 5_000,
    ...changes,
  })
}

function claim(worker: string): Promise<Answer> {
  return world.ask("POST", `${SUB}/claim`, { worker })
}

interface Claim {
  readonly wake_id: string
  readonly generation: number
  readonly token: string
  readonly streams: readonly { readonly path: string; readonly tail_offset: string }[]
}

function claimOf(answer: Answer): Claim {
  expect(answer.status).toBe(200)
  return answer.body as unknown as Claim
}

/** A report on a claim: all of it acknowledged and done, but for what is given. */
function report(
  held: Claim,
  changes: Record<string, unknown> = {},
  action = "ack",
  token = held.token,
): Promise<Answer> {
  const acks = held.streams.map(({ path, tail_offset }) => ({ stream: path, offset: tail_offset }))
  const { wake_id, generation } = held
  return world.ask("POST", `${SUB}/${action}`, { wake_id, generation, acks, done: true, ...changes }, token)
}

describe("a wake", () => {
  test("is told once on the wake stream, until it is over", async () => {
    await subscribe()
    await world.append("events/a")
    await world.append("events/b")
    await world.settle()
    expect(await world.events("wakes")).toEqual([
      { type: "wake", subscription_id: "p", stream: "events/a", generation: 1, ts: world.clock.now() },
    ])
    await world.after(3_600_000)
    expect(await world.events("wakes")).toHaveLength(1)
    const held = claimOf(await claim("one"))
    expect(held.generation).toBe(1)
    await world.append("events/a")
    expect(await report(held)).toMatchObject({ status: 200, body: { ok: true, next_wake: true } })
    await world.settle()
    expect(await world.events("wakes")).toMatchObject([{ generation: 1 }, { generation: 2, stream: "events/a" }])
  })

  test("events of wakes wake nobody, not even who subscribes to everything", async () => {
    await world.ask("PUT", "other-wakes")
    await subscribe({ pattern: "**" })
    await world.ask("PUT", "__ds/subscriptions/q", { type: "pull-wake", pattern: "**", wake_stream: "other-wakes" })
    await world.append("events/a")
    await world.settle()
    const held = claimOf(await claim("one"))
    expect(held.streams.map(({ path }) => path)).toEqual(["events/a"])
    await report(held)
    await world.settle()
    expect(await world.events("wakes")).toHaveLength(1)
    expect(await world.events("other-wakes")).toHaveLength(1)
  })

  test("a wake stream that is not there yet is told later; a claim need not wait for it", async () => {
    await subscribe({ wake_stream: "later" })
    await world.append("events/a")
    await world.settle()
    await world.after(1_000)
    await world.ask("PUT", "later")
    await world.after(2_000)
    expect(await world.events("later")).toMatchObject([{ generation: 1 }])
    expect(claimOf(await claim("one")).generation).toBe(1)
  })

  test("what was offered and is gone does not swallow the next", async () => {
    await subscribe()
    await world.append("events/a")
    await world.settle()
    await world.ask("DELETE", "events/a")
    expect(await claim("one")).toMatchObject({ status: 409, body: { error: { code: "NO_PENDING_WORK" } } })
    await world.append("events/a")
    await world.settle()
    expect(await world.events("wakes")).toHaveLength(2)
  })
})

describe("a claim", () => {
  test("is one worker's, however many race for it", async () => {
    await subscribe()
    await world.append("events/a")
    await world.settle()
    const answers = await Promise.all(["a", "b", "c", "d", "e"].map((worker) => claim(worker)))
    const [won, ...others] = answers.filter(({ status }) => status === 200)
    expect(others).toEqual([])
    const lost = answers.filter(({ status }) => status === 409)
    expect(lost).toHaveLength(4)
    for (const { body } of lost)
      expect(body.error).toMatchObject({
        code: "ALREADY_CLAIMED",
        current_holder: expect.stringMatching(/^[a-e]$/) as string,
        generation: won?.body["generation"],
      })
  })

  test("may come before the wake was told, and is refused when there is nothing", async () => {
    await subscribe()
    expect(await claim("one")).toMatchObject({ status: 409, body: { error: { code: "NO_PENDING_WORK" } } })
    await world.append("events/a")
    expect(claimOf(await claim("one")).generation).toBe(1)
    await world.settle()
    expect(await world.events("wakes")).toEqual([])
  })

  test("ends with its lease: the next has another generation, and the late worker is fenced", async () => {
    await subscribe()
    await world.append("events/a")
    const first = claimOf(await claim("slow"))
    world.clock.advance(5_000)
    const second = claimOf(await claim("quick"))
    expect(second.generation).toBeGreaterThan(first.generation)
    expect(await report(first)).toMatchObject({ status: 409, body: { error: { code: "FENCED" } } })
    expect(await report(second, { wake_id: first.wake_id })).toMatchObject({
      status: 409,
      body: { error: { code: "FENCED" } },
    })
    expect((await report(second)).status).toBe(200)
  })

  test("is prolonged by every acknowledgement", async () => {
    await subscribe()
    await world.append("events/a")
    const held = claimOf(await claim("one"))
    for (let n = 0; n < 5; n++) {
      await world.after(4_000)
      expect((await report(held, { done: false })).status).toBe(200)
    }
    expect((await claim("two")).body.error?.code).toBe("ALREADY_CLAIMED")
  })

  test("that is released wakes another worker", async () => {
    await subscribe()
    await world.append("events/a")
    await world.settle()
    const held = claimOf(await claim("one"))
    expect((await report(held, {}, "release")).status).toBe(204)
    expect(await report(held, {}, "release")).toMatchObject({ status: 409 })
    await world.settle()
    expect(await world.events("wakes")).toMatchObject([{ generation: 1 }, { generation: 2 }])
    expect(claimOf(await claim("two")).generation).toBe(2)
  })
})

describe("a report", () => {
  test.each([
    ["no token", ""],
    ["rubbish", "rubbish"],
    ["a forged one", `1.1.${"A".repeat(43)}`],
  ])("needs its wake's token, not %s", async (_, token) => {
    await subscribe()
    await world.append("events/a")
    const held = claimOf(await claim("one"))
    for (const action of ["ack", "release"]) {
      expect(await report(held, {}, action, token)).toMatchObject({
        status: 401,
        body: { error: { code: "TOKEN_INVALID" } },
      })
    }
    expect((await report(held)).status).toBe(200)
  })

  test("a token of a deleted subscription is none of its namesake's", async () => {
    await subscribe()
    await world.append("events/a")
    const held = claimOf(await claim("one"))
    await world.ask("DELETE", SUB)
    await subscribe()
    await world.append("events/a")
    await claim("two")
    expect(await report(held)).toMatchObject({ status: 401 })
  })

  test("that names an offset which cannot be acknowledged changes nothing", async () => {
    await subscribe()
    await world.append("events/a")
    await world.append("events/b")
    const held = claimOf(await claim("one"))
    const [a, b] = held.streams
    for (const bad of [
      { stream: "events/b", offset: "-1" },
      { stream: "events/b", offset: a?.tail_offset },
      { stream: "none", offset: a?.tail_offset },
    ]) {
      const acks = [{ stream: "events/a", offset: a?.tail_offset }, bad]
      expect(await report(held, { acks })).toMatchObject({ status: 409, body: { error: { code: "INVALID_OFFSET" } } })
    }
    const { body } = await world.ask("GET", SUB)
    expect(body["streams"]).toMatchObject([{ acked_offset: "-1" }, { acked_offset: "-1" }])
    expect((await report(held, { acks: [{ path: "/events/b/", offset: b?.tail_offset }] })).status).toBe(200)
  })

  test.each([
    [{ generation: "1" }, "generation"],
    [{ wake_id: 7 }, "wake_id"],
    [{ done: "yes" }, "done"],
    [{ acks: {} }, "acks"],
    [{ acks: [null] }, "acks[0]"],
    [{ acks: [{ stream: "events/a" }] }, "acks[0].offset"],
    [{ acks: [{ stream: "a//b", offset: "x" }] }, "acks[0].stream"],
    [{ acks: Array.from({ length: 1_001 }, () => ({ stream: "a", offset: "x" })) }, "acks"],
  ])("%j is refused by its field", async (changes, field) => {
    await subscribe()
    await world.append("events/a")
    const held = claimOf(await claim("one"))
    const { status, body } = await report(held, changes)
    expect([status, body.error?.code, body["details"]]).toEqual([400, "INVALID_REQUEST", { field }])
  })
})

describe("what a subscription can be", () => {
  const good = { type: "webhook", pattern: "a/*", webhook: { url: "https://example.com" } }
  test.each([
    ["[]", "body"],
    [{ ...good, type: "push" }, "type"],
    [{ ...good, pattern: undefined }, "streams"],
    [{ ...good, pattern: 7 }, "pattern"],
    [{ ...good, pattern: "a//b" }, "pattern"],
    [{ ...good, pattern: "a/b*" }, "pattern"],
    [{ ...good, pattern: "x/".repeat(40) + "x" }, "pattern"],
    [{ ...good, pattern: "**/a/**/b/**/c/**/d/**" }, "pattern"],
    [{ ...good, streams: "a" }, "streams"],
    [{ ...good, streams: ["a", "../b"] }, "streams[1]"],
    [{ ...good, streams: ["__ds/x"] }, "streams[0]"],
    [{ ...good, streams: ["\ud800"] }, "streams[0]"],
    [{ ...good, streams: Array.from({ length: 1_001 }, (_, n) => `s${n}`) }, "streams"],
    [{ ...good, webhook: undefined }, "webhook"],
    [{ ...good, webhook: {} }, "webhook.url"],
    [{ ...good, lease_ttl_ms: 999 }, "lease_ttl_ms"],
    [{ ...good, lease_ttl_ms: 1e9 }, "lease_ttl_ms"],
    [{ ...good, lease_ttl_ms: "1000" }, "lease_ttl_ms"],
    [{ ...good, description: "x".repeat(2_000) }, "description"],
    [{ type: "pull-wake", pattern: "**" }, "wake_stream"],
    [{ type: "pull-wake", streams: ["w"], wake_stream: "w" }, "streams"],
  ])("%j is refused by its field", async (body, field) => {
    const answer = await world.ask("PUT", SUB, body)
    expect([answer.status, answer.body.error?.code, answer.body["details"]]).toEqual([
      400,
      "INVALID_REQUEST",
      { field },
    ])
  })

  test.each([
    ["PUT", "__ds/subscriptions/a%2Fb", 400],
    ["PUT", `__ds/subscriptions/${"x".repeat(300)}`, 400],
    ["GET", "__ds/subscriptions/%00", 400],
    ["GET", "__ds/subscriptions/none", 404],
    ["GET", "__ds", 404],
    ["GET", "__ds/", 404],
    ["GET", "__ds/elsewhere", 404],
    ["GET", "__ds/subscriptions/p/claim/x", 404],
    ["GET", "__ds/subscriptions/p/claim", 405],
    ["PATCH", "__ds/subscriptions/p", 405],
    ["PUT", "__ds/jwks.json", 405],
    ["POST", "__ds/subscriptions/none/claim", 400],
    ["GET", `__ds/${"x/".repeat(5_000)}`, 400],
    ["GET", "%5F%5Fds/subscriptions/p", 400],
  ])("%s %s is answered %i", async (method, path, status) => {
    expect((await world.ask(method, path, method === "PUT" ? "{}" : undefined)).status).toBe(status)
  })

  test("a body that is no JSON, or too long, is refused", async () => {
    expect((await world.ask("PUT", SUB, "{")).body.error?.code).toBe("INVALID_REQUEST")
    expect((await world.ask("PUT", SUB, " ".repeat(2_000_000))).status).toBe(413)
  })

  test("asked for again it is confirmed, asked for otherwise refused", async () => {
    expect((await subscribe({ streams: ["b", "a", "b"] })).status).toBe(201)
    expect((await subscribe({ streams: ["a", "/b/"] })).status).toBe(200)
    const other = await subscribe({ lease_ttl_ms: 6_000 })
    expect(other).toMatchObject({ status: 409, body: { error: { code: "SUBSCRIPTION_ALREADY_EXISTS" } } })
    const both = await Promise.all([world.subscribe("new"), world.subscribe("new")])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 201])
  })

  test("each type is reported on in its own way", async () => {
    await subscribe()
    await world.subscribe("w")
    for (const path of ["p/callback", "w/claim", "w/ack", "w/release"]) {
      const { status, body } = await world.ask("POST", `__ds/subscriptions/${path}`, { worker: "me" })
      expect([status, body.error?.code]).toEqual([400, "INVALID_REQUEST"])
    }
  })
})

test("the gate is asked for the subscription and each stream that it names, and keeps the server's own streams from being written", async () => {
  const asked: string[] = []
  const gated = await World.open(
    {},
    {
      guard: ({ path, write, subscription }) =>
        void asked.push(`${write ? "write" : "read"} ${path} ${subscription?.pattern ?? ""}`),
      readOnly: (path) => path.startsWith("entities/"),
    },
  )
  const body = { type: "pull-wake", pattern: "entities/**", streams: ["a"], wake_stream: "w" }
  expect((await gated.ask("PUT", SUB, body)).status).toBe(201)
  expect(asked).toEqual(["write __ds/subscriptions/p entities/**", "read a entities/**", "write w entities/**"])
  const refused = await gated.ask("PUT", SUB, { ...body, wake_stream: "entities/x/y" })
  expect([refused.status, refused.body["details"]]).toEqual([400, { field: "wake_stream" }])
  asked.length = 0
  await gated.ask("POST", `${SUB}/ack`, {}, "token")
  expect(asked).toEqual([])
  await gated.close()
})

test("the prefix is the base path's", async () => {
  const plain = await World.open({}, { basePath: "/elsewhere" })
  expect((await plain.ask("GET", "__ds/jwks.json")).status).toBe(404)
  expect((await plain.ask("GET", "https://a.example.com/elsewhere/__ds/jwks.json")).status).toBe(200)
  await plain.close()
})
