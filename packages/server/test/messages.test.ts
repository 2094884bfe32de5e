import { defineEntity } from "@rouse/agents"
import type { MessageRow, Receipt, RunRow, Settled, Spawned } from "@rouse/protocol"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { Harness } from "./harness.ts"

const desk = defineEntity("desk", {
  message: z.union([z.string(), z.object({ type: z.literal("refund"), cents: z.number().int() })]),
  handler(ctx, wake) {
    ctx.reply(wake.messages.map((message) => message.content))
  },
})
const boss = defineEntity("boss", {
  handler: (ctx) => void ctx.send("/desk/two", { type: "whatever agents agree on" }),
})

const upper = defineEntity("upper", {
  async handler(ctx, wake) {
    ctx.reply(wake.messages.map((message) => String(message.content).toUpperCase()).join(" "))
  },
})

let release = (): void => undefined
const slow = defineEntity("slow", {
  async handler(ctx) {
    await new Promise<void>((resolve, reject) => {
      release = resolve
      ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason))
    })
    ctx.reply("done")
  },
})

const echo = defineEntity("echo", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You repeat.", model: "rouse/echo", tools: [] })
    await ctx.agent.run()
  },
})

let harness: Harness
beforeAll(async () => {
  harness = await Harness.open({ entities: [upper, slow, echo, desk, boss] })
})
afterAll(() => harness.close())

describe("a message", () => {
  test("is accepted, handled and settled, with a reply", async () => {
    await harness.spawn("/upper/one")
    const settled = await harness.ask("/upper/one", "hello")
    expect(settled).toMatchObject({ url: "/upper/one", status: "processed", reply: "HELLO" })
    const runs = await harness.rows<RunRow>("/upper/one", "run")
    expect(runs.map((row) => row.value.status)).toEqual(["completed"])
  })

  test("leaves its whole story on the log", async () => {
    await harness.spawn("/echo/story")
    const settled = await harness.ask("/echo/story", "hello")
    expect(settled.status).toBe("processed")
    const story = (await harness.log("/echo/story")).map((event) => `${event.type} ${event.headers.operation}`)
    expect(story[0]).toBe("entity insert")
    expect(story).toContain("message insert")
    expect(story).toContain("wake insert")
    expect(story).toContain("text insert")
    expect(story.filter((line) => line === "message update")).toHaveLength(1)
    expect(story.at(-1)).toBe("wake update")
  })

  test("must be what its type says that people and apps send; agents are not held to it", async () => {
    const types = await harness.call<{ types: { name: string; message?: object }[] }>("GET", "/v1/types")
    const shown = types.body.types.find((type) => type.name === "desk")
    expect(shown?.message).toMatchObject({ anyOf: [{ type: "string" }, { type: "object" }] })
    const bad = { type: "refund", cents: "many" }
    expect(await harness.spawn("/desk/one", { message: bad })).toMatchObject({ status: 422 })
    await harness.spawn("/desk/one", { message: { type: "refund", cents: 5 } })
    await harness.spawn("/desk/two")
    const refused = await harness.call("POST", "/v1/entities/desk/one/messages", { content: bad })
    expect(refused).toMatchObject({
      status: 422,
      body: { code: "INVALID_ARGS", detail: expect.stringMatching(/^content/) },
    })
    const schedule = { name: "late", every: 60_000, message: 5 }
    expect(await harness.call("POST", "/v1/entities/desk/one/schedules", schedule)).toMatchObject({ status: 422 })
    expect(await harness.ask("/desk/one", "hello")).toMatchObject({ reply: ["hello"] })
    await harness.spawn("/boss/one")
    await harness.ask("/boss/one", "tell it")
    await expect
      .poll(() => harness.rows<MessageRow>("/desk/two", "message"))
      .toMatchObject([{ value: { from: { kind: "agent" } } }])
  })

  test("of an unknown agent is refused by name", async () => {
    const { status, body } = await harness.call("POST", "/v1/entities/upper/nobody/messages", { content: "x" })
    expect(status).toBe(404)
    expect(body).toMatchObject({ code: "UNKNOWN_ENTITY", detail: expect.stringContaining("/upper/nobody") })
  })

  test("sent twice under one key is one message", async () => {
    await harness.spawn("/upper/twice")
    const send = (content: string) =>
      harness.call<Receipt>("POST", "/v1/entities/upper/twice/messages", { content }, { "idempotency-key": "k1" })
    const [first, second] = await Promise.all([send("x"), send("x")])
    expect(first.body.message).toBe(second.body.message)
    expect((await send("x")).body.message).toBe(first.body.message)
    expect(await harness.rows("/upper/twice", "message")).toHaveLength(1)
    expect(await send("y")).toMatchObject({ status: 409, body: { code: "IDEMPOTENCY_MISMATCH" } })
  })

  test("that makes its agent, or signals it, twice at once under one key is one request", async () => {
    const headers = { "idempotency-key": "made" }
    const make = () => harness.call<Spawned>("PUT", "/v1/entities/upper/made", { message: "x" }, headers)
    const made = await Promise.all(Array.from({ length: 20 }, make))
    expect(made.map(({ status, body }) => [status, body.message])).toEqual(made.map(() => [201, made[0]?.body.message]))
    const signal = () =>
      harness.call<Receipt>(
        "POST",
        "/v1/entities/upper/made/signals",
        { signal: "hello" },
        { "idempotency-key": "signal" },
      )
    const told = await Promise.all(Array.from({ length: 20 }, signal))
    expect(told.map(({ status, body }) => [status, body.message])).toEqual(told.map(() => [202, told[0]?.body.message]))
    expect(await harness.rows("/upper/made", "message")).toHaveLength(2)
  })

  test("that arrives while the agent is busy waits, and none is lost", async () => {
    await harness.spawn("/slow/busy")
    const asks = ["a", "b", "c"].map((content) => harness.ask("/slow/busy", content))
    await harness.until(async () => (await harness.rows("/slow/busy", "message")).length === 3, "three messages")
    let settled: readonly Settled[] | undefined
    void Promise.all(asks).then((all) => (settled = all))
    await harness.until(async () => {
      release()
      return settled !== undefined
    }, "all three settled")
    expect(settled?.map((one) => one.status)).toEqual(["processed", "processed", "processed"])
  })

  test("is told apart by its end when the wait was too short", async () => {
    await harness.spawn("/slow/short")
    const settled = await harness.ask("/slow/short", "x", "wait=20ms")
    expect(["accepted", "taken"]).toContain(settled.status)
    release()
    await harness.until(async () => {
      release()
      const [row] = await harness.rows<MessageRow>("/slow/short", "message")
      return row?.value.status === "processed"
    }, "settled after all")
  })

  test("is streamed as it is answered", async () => {
    await harness.spawn("/echo/stream")
    const request = new Request("http://localhost/v1/entities/echo/stream/messages", {
      method: "POST",
      headers: { host: "localhost", accept: "text/event-stream" },
      body: JSON.stringify({ content: "hello" }),
    })
    const text = await (await harness.server.fetch(request)).text()
    const events = [...text.matchAll(/^event: (\w+)$/gm)].map((match) => match[1])
    expect(events[0]).toBe("accepted")
    expect(events.at(-1)).toBe("settled")
    expect(events.filter((event) => event === "change").length).toBeGreaterThan(4)
    expect(text).toContain('"status":"processed"')
  })

  test("streamed again under its key is told from its beginning, also when it was settled long ago", async () => {
    await harness.spawn("/echo/again")
    const stream = async (accept: string) => {
      const init = {
        method: "POST",
        headers: { host: "localhost", accept, "idempotency-key": "s1" },
        body: '{"content":"hello"}',
      }
      return (await harness.server.fetch(new Request("http://localhost/v1/entities/echo/again/messages", init))).text()
    }
    await stream("application/json")
    await harness.until(
      async () => (await harness.rows<MessageRow>("/echo/again", "message"))[0]?.value.status === "processed",
      "settled",
    )
    await harness.ask("/echo/again", "another")
    const text = await stream("text/event-stream")
    expect(text).toContain("event: settled")
    expect(text.indexOf('"type":"message"')).toBeGreaterThan(0)
    expect(text).not.toContain("another")
  })

  test("is delivered later, once", async () => {
    await harness.spawn("/upper/later")
    const { status, body } = await harness.call<Receipt>("POST", "/v1/entities/upper/later/messages", {
      content: "x",
      afterMs: 30,
    })
    expect(status).toBe(202)
    expect(body.dueAt).toBeDefined()
    expect(await harness.rows("/upper/later", "schedule")).toHaveLength(1)
    await harness.until(
      async () => (await harness.rows<MessageRow>("/upper/later", "message"))[0]?.value.status === "processed",
      "delivered",
    )
    expect(await harness.rows("/upper/later", "schedule")).toHaveLength(0)
    expect(await harness.rows("/upper/later", "message")).toHaveLength(1)
  })
})

describe("a spawn", () => {
  test("with a message answers what came of it", async () => {
    const { status, body } = await harness.call<Spawned & { settled: Settled }>(
      "PUT",
      "/v1/entities/upper/new?wait=20s",
      { message: "hi" },
    )
    expect(status).toBe(201)
    expect(body.entity).toMatchObject({ url: "/upper/new", type: "upper", id: "new" })
    expect(body.settled).toMatchObject({ status: "processed", reply: "HI" })
  })

  test("repeated is the same agent; with other arguments it is refused", async () => {
    expect((await harness.spawn("/upper/same", { args: { a: 1, b: 2 }, message: "m" })).status).toBe(201)
    expect((await harness.spawn("/upper/same", { args: { b: 2, a: 1 }, message: "m" })).status).toBe(200)
    expect(await harness.spawn("/upper/same", { args: { a: 2 } })).toMatchObject({
      status: 409,
      body: { code: "ALREADY_EXISTS" },
    })
    expect(await harness.spawn("/upper/same", { args: { a: 1, b: 2 }, message: "n" })).toMatchObject({ status: 409 })
    expect(await harness.rows("/upper/same", "message")).toHaveLength(1)
  })

  test("at once from many clients makes one agent", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => harness.spawn("/upper/race", { message: "m" })))
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1)
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(19)
    expect(await harness.rows("/upper/race", "message")).toHaveLength(1)
  })
})

test("a burst at one agent settles every message once", async () => {
  await harness.spawn("/echo/burst")
  const settled = await Promise.all(Array.from({ length: 50 }, (_, i) => harness.ask("/echo/burst", `message ${i}`)))
  expect(settled.every((one) => one.status === "processed")).toBe(true)
  const events = (await harness.log("/echo/burst")).filter((event) => event.type === "message")
  const terminal = events.filter((event) => (event.value as unknown as MessageRow).status === "processed")
  expect(terminal).toHaveLength(50)
  expect(new Set(terminal.map((event) => event.key)).size).toBe(50)
})
