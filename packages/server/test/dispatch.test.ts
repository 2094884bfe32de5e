import { createWorker, defineEntity, tool, type Worker } from "@rouse/agents"
import type { EntitySummary, RunRow, ToolCallRow, TypeInfo, WakeDelivery, WakeRow } from "@rouse/protocol"
import { KEYS_PATH } from "@rouse/protocol"
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest"
import { z } from "zod"
import { digestOf } from "../src/http/tokens.ts"
import { Harness, type HarnessOptions, type Refusal } from "./harness.ts"
import { fetchOf, Network } from "./support/remote.ts"
import { openTestStore } from "./support/test-store.ts"

const URL_1 = "http://127.0.0.1:1/agents"
const URL_2 = "http://127.0.0.1:2/agents"

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close()
})

async function harnessOf(network: Network, options: Partial<HarnessOptions> = {}): Promise<Harness> {
  const harness = await Harness.open({ entities: [], endpoints: network.webhooks, ...options })
  open.push(harness)
  return harness
}

function workerOf(harness: () => Harness, options: Parameters<typeof createWorker>[0]): Worker {
  const worker = createWorker({ server: "http://localhost", fetch: fetchOf(harness), ...options })
  open.push({ close: () => worker.stop({ graceMs: 100 }) })
  return worker
}

const greeter = defineEntity("greeter", {
  description: "Greets",
  args: z.object({ name: z.string() }),
  message: z.string(),
  state: { notes: { schema: z.object({ id: z.string(), text: z.string() }), key: "id" } },
  handler(ctx, wake) {
    for (const message of wake.messages) ctx.state.notes.insert({ id: message.id, text: String(message.content) })
    ctx.reply(`hello ${ctx.args.name}, ${ctx.state.notes.list().length}`)
  },
})

async function types(harness: Harness): Promise<readonly TypeInfo[]> {
  return (await harness.call<{ types: TypeInfo[] }>("GET", "/v1/types")).body.types
}

function isWake({ body }: { readonly body: string }): boolean {
  return (JSON.parse(body) as { kind: string }).kind === "wake"
}

describe("a webhook", () => {
  test("is registered by asking it, and answers a short wake in one round trip", async () => {
    const network = new Network()
    const harness = await harnessOf(network)
    const calls: string[] = []
    network.serve(URL_1, () => harness, {
      entities: [greeter],
      version: "v1",
      fetch: (input, init) => {
        calls.push(new URL(input as string).pathname)
        return fetchOf(() => harness)(input, init)
      },
    })
    const deployed = await harness.call<{ types: TypeInfo[] }>("POST", "/v1/types", { url: URL_1 })
    expect(deployed).toMatchObject({ status: 200, body: { types: [{ name: "greeter", version: "v1" }] } })
    expect(await types(harness)).toMatchObject([
      { name: "greeter", dispatch: { kind: "webhook", url: URL_1 }, collections: ["notes"], health: { state: "ok" } },
    ])
    expect(await harness.spawn("/greeter/a", { args: { name: 1 } })).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining("args.name: must be string") },
    })
    await harness.spawn("/greeter/a", { args: { name: "Ada" } })
    const wrong = await harness.call("POST", "/v1/entities/greeter/a/messages", { content: 5 })
    expect(wrong).toMatchObject({ status: 422, body: { detail: expect.stringContaining("content: must be string") } })
    calls.length = 0
    expect(await harness.ask("/greeter/a", "one")).toMatchObject({ status: "processed", reply: "hello Ada, 1" })
    expect(await harness.ask("/greeter/a", "two")).toMatchObject({ status: "processed", reply: "hello Ada, 2" })
    expect(calls).toEqual([])
    expect(network.requests.filter(isWake)).toHaveLength(2)
    expect(await harness.rows<RunRow>("/greeter/a", "run")).toMatchObject([
      { value: { version: "v1" } },
      { value: { version: "v1" } },
    ])
  })

  test("makes the intent of a tool durable before it runs, by the claim", async () => {
    const network = new Network()
    const harness = await harnessOf(network)
    const seen: unknown[] = []
    const pay = tool({
      name: "pay",
      description: "Pays",
      input: z.object({ cents: z.number() }),
      effect: "once",
      execute: async ({ cents }) => {
        const [row] = await harness.rows<ToolCallRow>("/payer/a", "tool_call")
        seen.push(row?.value.status)
        return { paid: cents }
      },
    })
    const payer = defineEntity("payer", {
      async handler(ctx) {
        ctx.useAgent({ systemPrompt: "", model: "rouse/echo", tools: [pay] })
        await ctx.agent.run()
      },
    })
    network.serve(URL_1, () => harness, { entities: [payer] })
    await harness.call("POST", "/v1/types", { url: URL_1 })
    await harness.spawn("/payer/a")
    const settled = await harness.ask("/payer/a", '/call pay {"cents": 5}')
    expect(settled.status).toBe("processed")
    expect(seen).toEqual(["running"])
    expect(await harness.rows<ToolCallRow>("/payer/a", "tool_call")).toMatchObject([{ value: { status: "done" } }])
  })

  test("that throws costs an attempt, with its stack on the log; and is told of an interrupt", async () => {
    const network = new Network()
    const harness = await harnessOf(network)
    let reached = (): void => undefined
    const waiting = new Promise<void>((resolve) => {
      reached = resolve
    })
    const moody = defineEntity("moody", {
      async handler(ctx, wake) {
        if (wake.messages[0]?.content === "wait") {
          reached()
          await new Promise((_, reject) =>
            ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason as Error)),
          )
        }
        if (wake.attempt === 1) throw new Error("not in the mood")
        ctx.reply("fine")
      },
    })
    network.serve(URL_1, () => harness, { entities: [moody] })
    await harness.call("POST", "/v1/types", { url: URL_1 })
    await harness.spawn("/moody/a")
    expect(await harness.ask("/moody/a", "go")).toMatchObject({ reply: "fine" })
    const errors = (await harness.log("/moody/a")).filter((event) => event.type === "error")
    expect(errors).toMatchObject([{ value: { message: "not in the mood", stack: expect.stringContaining("handler") } }])
    const asked = harness.ask("/moody/a", "wait")
    await waiting
    await harness.call("POST", "/v1/entities/moody/a/signals", { signal: "interrupt" })
    expect(await asked).toMatchObject({ status: "cancelled" })
  })

  test("that is not there leaves its wakes queued, visibly, and nothing is dead-lettered", async () => {
    const network = new Network()
    const harness = await harnessOf(network, { alone: "each server counts failures of its own" })
    network.serve(URL_1, () => harness, { entities: [greeter] })
    await harness.call("POST", "/v1/types", { url: URL_1 })
    const endpoint = network.endpoints.get(URL_1)
    network.endpoints.delete(URL_1)
    for (const id of ["a", "b", "c", "d", "e", "f"])
      await harness.spawn(`/greeter/${id}`, { args: { name: id }, message: "x" })
    await harness.until(async () => (await types(harness))[0]?.health.state === "open", "the circuit opens")
    const [type] = await types(harness)
    expect(type?.health).toMatchObject({ reason: expect.stringContaining("ECONNREFUSED"), retryAt: expect.any(String) })
    const { body } = await harness.call<EntitySummary>("GET", "/v1/entities/greeter/f")
    expect(body).toMatchObject({
      status: "queued",
      reason: expect.stringMatching(/waits: the endpoint .*|cannot be reached/),
    })
    if (endpoint) network.endpoints.set(URL_1, endpoint)
    for (const id of ["a", "b", "c", "d", "e", "f"])
      expect(await harness.ask(`/greeter/${id}`, "y")).toMatchObject({ status: "processed" })
    expect((await types(harness))[0]?.health.state).toBe("ok")
  })

  test("that answers garbage, a redirect, too much, or nothing of use costs its wake attempts", async () => {
    const network = new Network()
    const harness = await harnessOf(network, { limits: { commitBytesMax: 1_000 } })
    network.serve(URL_1, () => harness, { entities: [greeter] })
    await harness.call("POST", "/v1/types", { url: URL_1 })
    const served = network.endpoints.get(URL_1)
    const answers: readonly (readonly [string, () => Response])[] = [
      ["not JSON", () => new Response("<html>")],
      ["redirect", () => new Response(null, { status: 302, headers: { location: "http://10.0.0.1/" } })],
      ["larger than", () => new Response("x".repeat(3_000_000))],
      ["commit", () => Response.json({ kind: "finished" })],
      ["kind", () => Response.json({ kind: "what" })],
      ["answered 500", () => new Response("oops", { status: 500 })],
      ["seq", () => Response.json({ kind: "finished", commit: { seq: "1", events: [] } })],
      [
        "collection",
        () =>
          Response.json({
            kind: "finished",
            commit: {
              seq: 1,
              run: "r",
              events: [{ type: "message", key: "x", value: {}, headers: { operation: "insert" } }],
              finish: { kind: "completed", reply: null },
            },
          }),
      ],
    ]
    for (const [index, [what, answer]] of answers.entries()) {
      let count = 0
      network.endpoints.set(URL_1, async (request) => {
        count += 1
        return count === 1 ? answer() : ((await served?.(request)) ?? answer())
      })
      const url = `/greeter/g${index}`
      await harness.spawn(url, { args: { name: "x" } })
      expect(await harness.ask(url, "x"), what).toMatchObject({ status: "processed" })
      const [wake] = (await harness.log(url))
        .filter((event) => event.type === "wake")
        .map((event) => event.value as unknown as WakeRow)
        .filter((one) => one.endedAt !== undefined)
      expect(wake, what).toMatchObject({ outcome: "retry", error: expect.stringContaining(what) })
    }
  })

  test("may be put to no private address, and no schema that is none", async () => {
    const network = new Network()
    const harness = await harnessOf(network, { endpoints: { ...network.webhooks, allowLoopback: false } })
    const put = (body: unknown): Promise<Refusal> => harness.call("PUT", "/v1/types/x", body)
    for (const url of [
      "http://127.0.0.1/x",
      "https://10.0.0.1/",
      "https://169.254.1.1/",
      "http://example.com/",
      "nope",
    ])
      expect(await put({ dispatch: { kind: "webhook", url } })).toMatchObject({
        body: { code: "WEBHOOK_URL_REJECTED" },
      })
    expect(await put({ dispatch: { kind: "pull" }, args: { type: "string" } })).toMatchObject({ status: 422 })
    expect(await put({ dispatch: { kind: "pull" }, args: { type: 5 } })).toMatchObject({ status: 422 })
    expect(await put({ dispatch: { kind: "push" } })).toMatchObject({ status: 422 })
  })

  test("refuses what its server did not sign, or signed long ago, or was here before", async () => {
    const network = new Network()
    const harness = await harnessOf(network)
    const handler = network.serve(URL_1, () => harness, { entities: [greeter] })
    await harness.call("POST", "/v1/types", { url: URL_1 })
    await harness.spawn("/greeter/a", { args: { name: "x" } })
    await harness.ask("/greeter/a", "x")
    const sent = network.requests.at(-1)
    if (!sent) throw new Error("nothing was sent")
    const post = (body: string, headers: Headers | Record<string, string> = sent.headers): Promise<Response> =>
      handler(new Request(URL_1, { method: "POST", headers, body }))
    expect((await post(sent.body)).status).toBe(409)
    expect((await post(`${sent.body} `)).status).toBe(401)
    expect((await post(sent.body.slice(0, 50))).status).toBe(401)
    expect((await post(sent.body, {})).status).toBe(401)
    const signature = sent.headers.get("webhook-signature") ?? ""
    const old = signature.replace(/t=\d+/, `t=${Math.floor(Date.now() / 1000) - 900}`)
    expect((await post(sent.body, { "webhook-signature": old })).status).toBe(401)
    const other = signature.replace(/kid=[^,]+/, "kid=ds_other")
    expect((await post(sent.body, { "webhook-signature": other })).status).toBe(401)
    expect((await handler(new Request(URL_1))).status).toBe(405)
  })

  test("meets a new key of its server by its name, and the one before it counts for a while", async () => {
    onTestFinished(() => void vi.useRealTimers())
    vi.useFakeTimers({ toFake: ["Date"] })
    const network = new Network()
    const harness = await harnessOf(network)
    network.serve(URL_1, () => harness, { entities: [greeter] })
    await harness.call("POST", "/v1/types", { url: URL_1 })
    await harness.spawn("/greeter/a", { args: { name: "x" } })
    const days = (count: number): void => void vi.setSystemTime(Date.now() + count * 86_400_000)
    const turn = async (): Promise<string> => {
      expect(await harness.ask("/greeter/a", "x")).toMatchObject({ status: "processed" })
      return /kid=([^,]+)/.exec(network.requests.at(-1)?.headers.get("webhook-signature") ?? "")?.[1] ?? ""
    }
    const published = async (): Promise<readonly string[]> =>
      (await harness.call<{ keys: { kid: string }[] }>("GET", KEYS_PATH)).body.keys.map(({ kid }) => kid)
    const first = await turn()
    days(31)
    await turn()
    expect(await published()).toEqual([first, expect.any(String)])
    days(0.5)
    const second = await turn()
    expect(second).not.toBe(first)
    expect(await published()).toContain(first)
    days(2)
    expect(await turn()).toBe(second)
    expect(await published()).toEqual([second])
  })

  test("is sent no more wakes at once than its type allows", async () => {
    const network = new Network()
    const harness = await harnessOf(network)
    let [now, most] = [0, 0]
    const busy = defineEntity("busy", {
      concurrency: 2,
      async handler(ctx) {
        most = Math.max(most, ++now)
        await new Promise((resolve) => setImmediate(resolve))
        now -= 1
        ctx.reply("ok")
      },
    })
    network.serve(URL_1, () => harness, { entities: [busy] })
    await harness.call("POST", "/v1/types", { url: URL_1 })
    const all = Array.from({ length: 8 }, (_, n) => harness.spawn(`/busy/a${n}`, { message: "x" }))
    await Promise.all(all)
    for (let n = 0; n < 8; n++) expect(await harness.ask(`/busy/a${n}`, "y")).toMatchObject({ status: "processed" })
    expect(most).toBe(2)
  })

  test("whose claim is forged, stale or of another wake commits nothing", async () => {
    const network = new Network()
    const harness = await harnessOf(network)
    network.serve(URL_1, () => harness, { entities: [greeter] })
    await harness.call("POST", "/v1/types", { url: URL_1 })
    await harness.spawn("/greeter/a", { args: { name: "x" } })
    await harness.ask("/greeter/a", "x")
    const { claim } = JSON.parse(network.requests.at(-1)?.body ?? "") as WakeDelivery
    const commit = { seq: 9, events: [], tags: { stolen: "yes" } }
    const post = (token: string, body: unknown = commit): Promise<Refusal> =>
      harness.call("POST", "/v1/commits", body, { authorization: `Bearer ${token}` })
    expect(await post(claim)).toMatchObject({ status: 409, body: { code: "FENCED" } })
    const [payload = "", mac = ""] = claim.split(".")
    const forged = Buffer.from(
      JSON.stringify({ ...(JSON.parse(Buffer.from(payload, "base64url").toString()) as object), epoch: 99 }),
    ).toString("base64url")
    expect(await post(`${forged}.${mac}`)).toMatchObject({ status: 401 })
    expect(await post("nonsense")).toMatchObject({ status: 401 })
    expect(await harness.call("POST", "/v1/commits", commit)).toMatchObject({ status: 401 })
    expect(await post(claim, { seq: 0, events: [] })).toMatchObject({ status: 422 })
    expect(await post(claim, "{")).toMatchObject({ status: 400 })
    expect(await harness.call("POST", "/v1/claims/renew", {}, { authorization: `Bearer ${claim}` })).toMatchObject({
      status: 409,
    })
    expect((await harness.call<EntitySummary>("GET", "/v1/entities/greeter/a")).body.tags).toEqual({})
  })

  test("goes on after its answer where its host can, and slices at the host's deadline", async () => {
    const network = new Network()
    const harness = await harnessOf(network)
    const slow = defineEntity("slow", {
      async handler(ctx) {
        await new Promise((resolve) => setTimeout(resolve, 150))
        await ctx.commit()
        ctx.reply("late")
      },
    })
    const handler = network.serve(URL_1, () => harness, { entities: [slow], detachMs: 10 })
    const later: Promise<unknown>[] = []
    const kinds: unknown[] = []
    network.endpoints.set(URL_1, async (request) => {
      const response = await handler(request, { waitUntil: (work) => void later.push(work) })
      kinds.push(((await response.clone().json()) as { kind?: unknown }).kind)
      return response
    })
    await harness.call("POST", "/v1/types", { url: URL_1 })
    await harness.spawn("/slow/a")
    expect(await harness.ask("/slow/a", "x")).toMatchObject({ status: "processed", reply: "late" })
    expect(kinds).toEqual([undefined, "continues"])
    await Promise.all(later)
    const steps = defineEntity("steps", {
      async handler(ctx) {
        ctx.useAgent({
          systemPrompt: "",
          model: "rouse/echo",
          tools: [
            tool({
              name: "nap",
              description: "",
              input: z.object({}),
              effect: "pure",
              execute: () => new Promise((resolve) => setTimeout(() => resolve("ok"), 60)),
            }),
          ],
        })
        await ctx.agent.run()
      },
    })
    network.serve(URL_2, () => harness, { entities: [steps], deadlineMs: 90 })
    await harness.call("POST", "/v1/types", { url: URL_2 })
    await harness.spawn("/steps/a")
    const settled = await harness.ask("/steps/a", "/call nap {}\n/then\n/call nap {}\n/then\n/call nap {}")
    expect(settled.status).toBe("processed")
    const outcomes = (await harness.log("/steps/a")).flatMap((event) =>
      event.type === "wake" ? ((event.value as unknown as WakeRow).outcome ?? []) : [],
    )
    expect(outcomes).toContain("sliced")
    expect(outcomes.at(-1)).toBe("completed")
  })
})

describe("a worker", () => {
  test("asks for wakes, commits by its claim, and gives back what it has when it stops", async () => {
    const harness = await harnessOf(new Network())
    const worker = workerOf(() => harness, { entities: [greeter], version: "v1", capacity: 4 })
    await harness.until(async () => (await types(harness)).length === 1, "the type is registered")
    await harness.spawn("/greeter/a", { args: { name: "Ada" } })
    expect(await harness.ask("/greeter/a", "one")).toMatchObject({ status: "processed", reply: "hello Ada, 1" })
    const all = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        await harness.spawn(`/greeter/m${i}`, { args: { name: `m${i}` } })
        return harness.ask(`/greeter/m${i}`, "x")
      }),
    )
    expect(all.every((one) => one.status === "processed")).toBe(true)
    await worker.stop()
    await harness.spawn("/greeter/z", { args: { name: "z" }, message: "x" })
    expect((await harness.call<EntitySummary>("GET", "/v1/entities/greeter/z")).body.status).toBe("queued")
    workerOf(() => harness, { entities: [greeter], version: "v1" })
    expect(await harness.ask("/greeter/z", "y")).toMatchObject({ status: "processed" })
  })

  test("that stops gives its wakes back at once, and another goes on with them", async () => {
    const harness = await harnessOf(new Network())
    const attempts: number[] = []
    let reached = (): void => undefined
    const begun = new Promise<void>((resolve) => {
      reached = resolve
    })
    const hanging = defineEntity("hanging", {
      async handler(ctx, wake) {
        attempts.push(wake.attempt)
        reached()
        if (wake.attempt === 1) await new Promise(() => undefined)
        ctx.reply("done")
      },
    })
    const first = workerOf(() => harness, { entities: [hanging] })
    await harness.until(async () => (await types(harness)).length === 1, "the type is registered")
    await harness.spawn("/hanging/a")
    const asked = harness.ask("/hanging/a", "x")
    await begun
    await first.stop({ graceMs: 10 })
    workerOf(() => harness, { entities: [hanging] })
    expect(await asked).toMatchObject({ status: "processed", reply: "done" })
    expect(attempts).toEqual([1, 2])
  })

  test("hears of an interrupt while it commits nothing", async () => {
    const harness = await harnessOf(new Network(), { limits: { remoteLeaseMs: 300 } })
    let reached = (): void => undefined
    const begun = new Promise<void>((resolve) => {
      reached = resolve
    })
    const waits = defineEntity("waits", {
      async handler(ctx) {
        reached()
        await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason as Error)))
      },
    })
    workerOf(() => harness, { entities: [waits] })
    await harness.until(async () => (await types(harness)).length === 1, "the type is registered")
    await harness.spawn("/waits/a")
    const asked = harness.ask("/waits/a", "x")
    await begun
    await harness.call("POST", "/v1/entities/waits/a/signals", { signal: "interrupt" })
    expect(await asked).toMatchObject({ status: "cancelled" })
  })

  test("that vanishes loses its lease, and the wake is tried again", async () => {
    const harness = await harnessOf(new Network(), { limits: { remoteLeaseMs: 200 } })
    await harness.call("PUT", "/v1/types/greeter", { dispatch: { kind: "pull" }, version: "1", collections: ["notes"] })
    const claims = harness.call<{ claims: WakeDelivery[] }>("POST", "/v1/claims", {
      worker: "gone",
      types: [{ name: "greeter", version: "1" }],
      capacity: 1,
      waitMs: 20_000,
    })
    await harness.spawn("/greeter/a", { args: { name: "x" }, message: "x" })
    const { body } = await claims
    expect(body.claims).toHaveLength(1)
    workerOf(() => harness, { entities: [greeter], register: false })
    await harness.until(
      async () => (await harness.call<EntitySummary>("GET", "/v1/entities/greeter/a")).body.status === "idle",
      "the wake ends",
    )
    expect(
      await harness.call(
        "POST",
        "/v1/commits",
        { seq: 1, events: [] },
        { authorization: `Bearer ${body.claims[0]?.claim}` },
      ),
    ).toMatchObject({ status: 409 })
  })
})

test("a handler elsewhere keeps its lease over a restart of the server, and its next commit is accepted", async () => {
  const store = await openTestStore({ clock: Date.now })
  const network = new Network()
  let harness = await Harness.open({ entities: [], store, endpoints: network.webhooks })
  let reached = (): void => undefined
  let goOn = (): void => undefined
  const begun = new Promise<void>((resolve) => {
    reached = resolve
  })
  const held = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const attempts: number[] = []
  const long = defineEntity("long", {
    async handler(ctx, wake) {
      attempts.push(wake.attempt)
      await ctx.step("first", () => "x")
      reached()
      await held
      await ctx.step("second", () => "y")
      ctx.reply(`attempt ${wake.attempt}`)
    },
  })
  workerOf(() => harness, { entities: [long], version: "1" })
  await harness.until(async () => (await types(harness)).length === 1, "the type is registered")
  await harness.spawn("/long/a", { message: "x" })
  await begun
  await harness.stop()
  harness = await Harness.open({ entities: [], store, endpoints: network.webhooks })
  open.unshift({ close: () => harness.close() })
  expect(await types(harness)).toMatchObject([{ name: "long", dispatch: { kind: "pull" } }])
  goOn()
  await harness.until(
    async () => (await harness.call<EntitySummary>("GET", "/v1/entities/long/a")).body.status === "idle",
    "the wake ends",
  )
  expect(attempts).toEqual([1])
  expect(await harness.rows<RunRow>("/long/a", "run")).toMatchObject([{ value: { reply: "attempt 1" } }])
})

test("a handler behind a webhook that outlives its server posts its end to the next one", async () => {
  const store = await openTestStore({ clock: Date.now })
  const network = new Network()
  let harness = await Harness.open({ entities: [], store, endpoints: network.webhooks })
  let reached = (): void => undefined
  let goOn = (): void => undefined
  const begun = new Promise<void>((resolve) => {
    reached = resolve
  })
  const held = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const attempts: number[] = []
  const long = defineEntity("long", {
    async handler(ctx, wake) {
      attempts.push(wake.attempt)
      reached()
      await held
      ctx.reply(`attempt ${wake.attempt}`)
    },
  })
  network.serve(URL_1, () => harness, { entities: [long], version: "1" })
  await harness.call("POST", "/v1/types", { url: URL_1 })
  await harness.spawn("/long/a", { message: "x" })
  await begun
  await harness.server.close({ graceMs: 50 })
  harness = await Harness.open({ entities: [], store, endpoints: network.webhooks })
  open.unshift({ close: () => harness.close() })
  goOn()
  await harness.until(
    async () => (await harness.call<EntitySummary>("GET", "/v1/entities/long/a")).body.status === "idle",
    "the wake ends",
  )
  expect(attempts).toEqual([1])
  expect(await harness.rows<RunRow>("/long/a", "run")).toMatchObject([{ value: { reply: "attempt 1" } }])
})

test("registering handlers is for administrators, and claims need no token but themselves", async () => {
  const network = new Network()
  const tokens = [
    { name: "app", digest: digestOf("app-token-0123456789"), scope: "write" },
    { name: "ops", digest: digestOf("ops-token-0123456789"), scope: "admin" },
  ] as const
  const harness = await harnessOf(network, { tokens })
  network.serve(URL_1, () => harness, { entities: [greeter] })
  const as = (name: string): Record<string, string> => ({ authorization: `Bearer ${name}-token-0123456789` })
  expect(await harness.call("POST", "/v1/types", { url: URL_1 }, as("app"))).toMatchObject({ status: 403 })
  expect(await harness.call("PUT", "/v1/types/x", { dispatch: { kind: "pull" } }, as("app"))).toMatchObject({
    status: 403,
  })
  expect(await harness.call("POST", "/v1/types", { url: URL_1 }, as("ops"))).toMatchObject({ status: 200 })
  expect(await harness.call("GET", "/v1/stream/rouse/types", undefined, as("ops"))).toMatchObject({ status: 403 })
  await harness.call("PUT", "/v1/entities/greeter/a", { args: { name: "x" } }, as("app"))
  const asked = await harness.call("POST", "/v1/entities/greeter/a/messages?wait=20s", { content: "x" }, as("app"))
  expect(asked.body).toMatchObject({ status: "processed" })
})
