import { defineEntity } from "@rouse/agents"
import type { DeadLetterPage, EntityDetail, MessageRow, RunRow, StepRow, WakeRow } from "@rouse/protocol"
import { afterEach, describe, expect, test } from "vitest"
import { Harness, type HarnessOptions } from "./harness.ts"

const open: Harness[] = []
async function harnessOf(options: HarnessOptions): Promise<Harness> {
  const harness = await Harness.open(options)
  open.push(harness)
  return harness
}
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

async function detail(harness: Harness, url: string): Promise<EntityDetail> {
  return (await harness.call<EntityDetail>("GET", `/v1/entities${url}`)).body
}

describe("dead letters", () => {
  let broken = true
  const fragile = defineEntity("fragile", {
    attempts: 1,
    handler(ctx, wake) {
      if (broken && wake.messages.some((message) => message.content === "bad")) throw new Error("it broke")
      ctx.reply("fine")
    },
  })

  async function withDead(count: number): Promise<Harness> {
    broken = true
    const harness = await harnessOf({ entities: [fragile] })
    for (let n = 0; n < count; n++) {
      await harness.spawn(`/fragile/f${n}`)
      expect(await harness.ask(`/fragile/f${n}`, "bad")).toMatchObject({ status: "dead" })
    }
    return harness
  }

  const list = async (harness: Harness, query = ""): Promise<DeadLetterPage> =>
    (await harness.call<DeadLetterPage>("GET", `/v1/dead-letters${query}`)).body

  test("are listed over all entities, page by page, with the reason", async () => {
    const harness = await withDead(5)
    const found: string[] = []
    let query = "?limit=2"
    for (;;) {
      const page = await list(harness, query)
      found.push(...page.messages.map((letter) => letter.url))
      for (const { message } of page.messages)
        expect(message).toMatchObject({ status: "dead", reason: "it broke", content: "bad" })
      if (page.next === undefined) break
      query = `?limit=2&after=${page.next}`
    }
    expect(found.sort()).toEqual([0, 1, 2, 3, 4].map((n) => `/fragile/f${n}`))
  })

  test("stay listed when a later message did not fail", async () => {
    const harness = await withDead(1)
    await harness.ask("/fragile/f0", "good")
    expect((await detail(harness, "/fragile/f0")).status).toBe("idle")
    expect((await list(harness)).messages).toHaveLength(1)
  })

  test("are accepted again one by one, or all", async () => {
    const harness = await withDead(1)
    await harness.ask("/fragile/f0", "bad")
    const keys = (await list(harness)).messages.map((letter) => letter.message.id)
    expect(keys).toHaveLength(2)
    broken = false
    const one = await harness.call("POST", "/v1/entities/fragile/f0/retry", { messages: [keys[0]] })
    expect(one).toMatchObject({ status: 202, body: { messages: 1 } })
    await harness.until(async () => (await list(harness)).messages.length === 1, "one is left")
    expect((await list(harness)).messages[0]?.message.id).toBe(keys[1])
    await harness.call("POST", "/v1/entities/fragile/f0/retry")
    await harness.until(async () => (await detail(harness, "/fragile/f0")).status === "idle", "idle")
    expect((await list(harness)).messages).toEqual([])
    const rows = await harness.rows<MessageRow>("/fragile/f0", "message")
    expect(rows.map((row) => row.value.status)).toEqual(["processed", "processed"])
  })

  test("are discarded for good: cancelled, and their entity leaves dead when none is left", async () => {
    const harness = await withDead(1)
    await harness.ask("/fragile/f0", "bad")
    const [first] = (await list(harness)).messages.map((letter) => letter.message.id)
    await harness.call("POST", "/v1/entities/fragile/f0/discard", { messages: [first] })
    expect((await detail(harness, "/fragile/f0")).status).toBe("dead")
    const key = { "idempotency-key": "k" }
    const discarded = await harness.call("POST", "/v1/entities/fragile/f0/discard", {}, key)
    expect(discarded).toMatchObject({ status: 202, body: { messages: 1 } })
    expect(await harness.call("POST", "/v1/entities/fragile/f0/discard", {}, key)).toMatchObject({
      body: { messages: 1 },
    })
    const after = await detail(harness, "/fragile/f0")
    expect(after.status).toBe("idle")
    expect(after.reason).toBeUndefined()
    expect((await list(harness)).messages).toEqual([])
    const rows = await harness.rows<MessageRow>("/fragile/f0", "message")
    expect(rows.map((row) => row.value)).toMatchObject([
      { status: "cancelled", reason: "discarded by local" },
      { status: "cancelled", reason: "discarded by local" },
    ])
    expect(await harness.call("POST", "/v1/entities/fragile/f0/retry")).toMatchObject({ body: { messages: 0 } })
  })

  test("a key that names no dead message is refused, and nothing is written", async () => {
    const harness = await withDead(1)
    const log = await harness.log("/fragile/f0")
    for (const what of ["retry", "discard"]) {
      const refusal = await harness.call("POST", `/v1/entities/fragile/f0/${what}`, { messages: ["nope"] })
      expect(refusal).toMatchObject({
        status: 404,
        body: { detail: expect.stringMatching(/^messages: nope/) as string },
      })
    }
    expect(await harness.call("POST", "/v1/entities/fragile/f0/retry", { messages: [] })).toMatchObject({ status: 422 })
    expect(await harness.log("/fragile/f0")).toEqual(log)
  })
})

describe("slices", () => {
  test("a run goes on over many attempts of its wake, and is settled once", async () => {
    let before = 0
    const attempts: number[] = []
    const long = defineEntity("long", {
      async handler(ctx, wake) {
        attempts.push(wake.attempt)
        await ctx.step("before", () => (before += 1))
        ctx.send("/sink/a", "began")
        ctx.useAgent({ systemPrompt: "", model: "rouse/echo", tools: [...ctx.tools] })
        for (const message of wake.messages) ctx.log.debug(String(message.content))
        const results: string[] = []
        for (let n = 0; n < 4; n++) results.push((await ctx.agent.run({ prompt: `/say ${n}` })).text)
        ctx.reply(results)
      },
    })
    const sink = defineEntity("sink", { handler: () => undefined })
    const harness = await harnessOf({ entities: [long, sink], limits: { sliceMs: 1 } })
    await harness.spawn("/sink/a")
    await harness.spawn("/long/a")
    expect(await harness.ask("/long/a", "go")).toMatchObject({ status: "processed", reply: ["0", "1", "2", "3"] })
    expect(before).toBe(1)
    expect(attempts.length).toBeGreaterThan(2)
    expect(attempts).toEqual(attempts.map((_, n) => n + 1))
    const wakes = (await harness.log("/long/a"))
      .filter((event) => event.type === "wake")
      .map((event) => event.value as unknown as WakeRow)
      .filter((wake) => wake.endedAt !== undefined)
    expect(new Set(wakes.map((wake) => wake.id)).size).toBe(1)
    expect(wakes.map((wake) => wake.outcome)).toEqual([
      ...Array<string>(attempts.length - 1).fill("sliced"),
      "completed",
    ])
    expect((await harness.rows<RunRow>("/long/a", "run")).map((row) => row.value.status)).toEqual(["completed"])
    expect((await harness.rows<StepRow>("/long/a", "step")).map((row) => row.value.status)).toEqual(
      Array(4).fill("done"),
    )
    expect(await harness.rows("/long/a", "message")).toHaveLength(1)
    expect(await harness.rows("/sink/a", "message")).toHaveLength(1)
    expect(await harness.rows("/long/a", "memo")).toEqual([])
  })

  test("a handler is told when it must have returned only where there is a limit", async () => {
    const told: (number | null)[] = []
    const plain = defineEntity("plain", { handler: (_, wake) => void told.push(wake.deadlineAtMs) })
    for (const sliceMs of [null, 60_000]) {
      const harness = await harnessOf({ entities: [plain], limits: { sliceMs } })
      await harness.spawn("/plain/a")
      await harness.ask("/plain/a", "go")
    }
    expect(told[0]).toBeNull()
    expect(told[1]).toBeGreaterThan(Date.now())
  })

  test("an interrupt between slices ends the run", async () => {
    const long = defineEntity("long", {
      async handler(ctx) {
        ctx.useAgent({ systemPrompt: "", model: "rouse/echo" })
        for (;;) await ctx.agent.run({ prompt: "/say again" })
      },
    })
    const harness = await harnessOf({ entities: [long], limits: { sliceMs: 1 } })
    await harness.spawn("/long/a")
    const asked = harness.ask("/long/a", "go")
    await harness.until(async () => (await harness.rows("/long/a", "step")).length > 3, "some steps")
    await harness.call("POST", "/v1/entities/long/a/signals", { signal: "interrupt" })
    expect(await asked).toMatchObject({ status: "cancelled" })
    expect((await harness.rows<RunRow>("/long/a", "run")).map((row) => row.value.status)).toEqual(["interrupted"])
  })
})

describe("fairness and back-pressure", () => {
  /** Agents of one type that hold what room there is, until they are let go. */
  function crowdOf(name: string, served: string[], held: Promise<void>): ReturnType<typeof defineEntity> {
    return defineEntity(name, {
      async handler() {
        served.push(name)
        await held
      },
    })
  }

  test("types with thousands of queued wakes take turns, and starve nobody", async () => {
    let gate: () => void = () => undefined
    const held = new Promise<void>((resolve) => (gate = resolve))
    const served: string[] = []
    const crowds = ["alpha", "beta", "gamma"]
    const each = 1_000
    const few = defineEntity("few", { handler: (ctx) => ctx.reply(served.length) })
    const entities = [...crowds.map((name) => crowdOf(name, served, held)), few]
    const room = 8
    const harness = await harnessOf({ entities, limits: { wakesMax: room } })
    // One type after the other: who came first has no more right to the room.
    for (const name of crowds)
      await Promise.all(Array.from({ length: each }, (_, n) => harness.spawn(`/${name}/c${n}`, { message: "go" })))
    const before = served.length
    await Promise.all(Array.from({ length: 5 }, (_, n) => harness.spawn(`/few/f${n}`)))
    const asked = Array.from({ length: 5 }, (_, n) => harness.ask(`/few/f${n}`, "go"))
    gate()
    for (const { status, reply } of await Promise.all(asked)) {
      expect(status).toBe("processed")
      expect(reply).toBeLessThan(before + each / 4)
    }
    await harness.until(async () => served.length === crowds.length * each, "everybody was served")
    // While all wait, each stretch of served wakes has all types in it.
    const turns = served.slice(room, room + 30 * crowds.length)
    for (const name of crowds) expect(turns.filter((one) => one === name).length).toBeGreaterThan(15)
  })

  test("a type at its own limit leaves the room to others", async () => {
    let gate: () => void = () => undefined
    const held = new Promise<void>((resolve) => (gate = resolve))
    let busy = 0
    const narrow = defineEntity("narrow", {
      concurrency: 2,
      async handler() {
        busy += 1
        await held
      },
    })
    const wide = defineEntity("wide", { handler: (ctx) => ctx.reply(busy) })
    const harness = await harnessOf({ entities: [narrow, wide], limits: { wakesMax: 4 } })
    await Promise.all(Array.from({ length: 2_000 }, (_, n) => harness.spawn(`/narrow/n${n}`, { message: "go" })))
    for (let n = 0; n < 3; n++) {
      await harness.spawn(`/wide/w${n}`)
      expect(await harness.ask(`/wide/w${n}`, "go")).toMatchObject({ status: "processed", reply: 2 })
    }
    gate()
    await harness.until(async () => busy === 2_000, "the narrow type was served too")
  })

  test("messages are refused with 503 while too many agents wait, and accepted when they do not", async () => {
    let gate: () => void = () => undefined
    const held = new Promise<void>((resolve) => (gate = resolve))
    const slow = defineEntity("slow", { handler: () => held })
    const harness = await harnessOf({ entities: [slow], limits: { wakesMax: 1, queuedMax: 2 } })
    for (let n = 0; n < 4; n++) await harness.spawn(`/slow/s${n}`)
    const post = (n: number): Promise<{ status: number; headers: Headers; body: unknown }> =>
      harness.call("POST", `/v1/entities/slow/s${n}/messages`, { content: "go" })
    for (let n = 0; n < 3; n++) expect(await post(n)).toMatchObject({ status: 202 })
    const refusal = await post(3)
    expect(refusal).toMatchObject({ status: 503, body: { code: "OVERLOADED" } })
    expect(refusal.headers.get("retry-after")).toBe("1")
    expect(await harness.spawn("/slow/s9", { message: "go" })).toMatchObject({ status: 503 })
    gate()
    await harness.until(async () => (await post(3)).status === 202, "accepted again")
  })
})
