import { defineEntity } from "@rouse/agents"
import { createServer, silentLog } from "@rouse/server"
import { openMemoryStore } from "@rouse/store"
import { expect, onTestFinished, test } from "vitest"
import { entityDb } from "../src/db.ts"
import { applyChange, applyChanges, createClient, emptyTimeline, RouseError, statusOf } from "../src/index.ts"
import type { Client, ClientOptions, StreamEvent, Timeline } from "../src/index.ts"

/** The client against the real server, with the offline model, over HTTP. */

const assistant = defineEntity("assistant", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You are helpful.", model: "rouse/echo" })
    await ctx.agent.run()
  },
})

function defer(ms: number, fn: () => void): () => void {
  const timer = setTimeout(fn, ms)
  return () => clearTimeout(timer)
}

async function serve(options: Partial<ClientOptions> = {}): Promise<Client> {
  const store = await openMemoryStore({ clock: Date.now })
  const host = { clock: Date.now, random: Math.random, log: silentLog }
  const server = createServer({ store, entities: [assistant], defer, host, ...host })
  await server.start()
  const listening = await server.listen({ host: "127.0.0.1", port: 0 })
  onTestFinished(async () => {
    await listening.close(0)
    await server.close({ graceMs: 100 })
    await store.close()
  })
  return createClient({ url: listening.url, ...options })
}

const timelineOf = (events: readonly StreamEvent[]): Timeline =>
  events.reduce(
    (timeline, event) => (event.kind === "change" ? applyChange(timeline, event.event) : timeline),
    emptyTimeline(),
  )

test("spawn, ask, stream, list, get, state, tag and stop", async () => {
  const client = await serve()
  expect((await client.info()).types.map((type) => type.name)).toEqual(["assistant"])
  const { entity } = await client.spawn("/assistant/one", { tags: { team: "a" } })
  expect(entity).toMatchObject({ url: "/assistant/one", tags: { team: "a" } })
  const asked = await client.ask("/assistant/one", "hello")
  expect(asked).toMatchObject({ status: "processed" })
  expect(JSON.stringify(asked.reply)).toContain("hello")

  const told: StreamEvent[] = []
  for await (const event of client.stream("/assistant/one", "again")) told.push(event)
  expect([told[0]?.kind, told.at(-1)?.kind]).toEqual(["accepted", "settled"])
  const kinds = timelineOf(told).items.map((item) => item.kind)
  expect(kinds.slice(0, 2)).toEqual(["message", "step"])

  expect((await client.list({ tag: "team=a" })).entities.map((found) => found.url)).toEqual(["/assistant/one"])
  expect((await client.state("/assistant/one", "message")).rows).toHaveLength(2)
  expect((await client.tag("/assistant/one", { team: null })).tags).toEqual({})
  await client.stop("/assistant/one")
  expect((await client.get("/assistant/one")).status).toBe("stopped")
  const refused = await client.send("/assistant/one", "too late").catch((error: unknown) => error)
  expect(RouseError.is(refused, "STOPPED")).toBe(true)
})

test("a log that is observed, and one that is materialised, show what happened", async () => {
  const client = await serve()
  await client.spawn("/assistant/one")
  const db = entityDb(client, "/assistant/one")
  await db.preload()
  const { reply, message } = await client.ask("/assistant/one", "hello")
  await expect.poll(() => db.collections.message.get(message)?.status).toBe("processed")
  expect(db.collections.run.toArray.map((run) => run.reply)).toEqual([reply])
  db.close()
  let timeline = emptyTimeline()
  for await (const { events } of client.observe("/assistant/one", { live: false })) {
    timeline = applyChanges(timeline, events)
  }
  expect(timeline.items.map((item) => item.kind)).toEqual(["message", "step", "runEnd"])
  expect(statusOf(timeline).kind).toBe("idle")
  const abort = new AbortController()
  for await (const event of client.watch({ type: "assistant" }, { signal: abort.signal })) {
    if (event.kind === "page") await client.send("/assistant/one", "wake up")
    else if (event.kind === "entity") abort.abort()
  }
})

test("a stream whose connection is cut in a dozen places tells the same changes", async () => {
  const client = await serve()
  for (let n = 0; n < 12; n++) {
    const url = `/assistant/cut-${n}`
    await client.spawn(url)
    let cuts = 1
    const cutting: typeof fetch = async (input, init) => {
      const response = await fetch(input, init)
      const isEvents = response.headers.get("content-type")?.includes("text/event-stream") ?? false
      return isEvents && cuts-- > 0 ? cutAfter(response, 150 + n * 350) : response
    }
    const told: StreamEvent[] = []
    const fragile = createClient({ url: client.url, fetch: cutting, random: () => 0 })
    for await (const event of fragile.stream(url, "one two three four five six")) told.push(event)
    const log = []
    for await (const { events } of client.observe(url, { live: false })) log.push(...events)
    const changes = told.flatMap((event) => (event.kind === "change" ? [event.event] : []))
    const start = log.findIndex((event) => event.type === "message")
    expect(changes).toEqual(log.slice(start, start + changes.length))
    expect(told.at(-1)).toMatchObject({ kind: "settled", settled: { status: "processed" } })
  }
})

/** The response, cut off after so many bytes. */
function cutAfter(response: Response, bytes: number): Response {
  let left = bytes
  const cut = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      controller.enqueue(chunk.subarray(0, left))
      left -= chunk.length
      if (left <= 0) controller.error(new TypeError("cut"))
    },
  })
  return new Response(response.body?.pipeThrough(cut), { status: response.status, headers: response.headers })
}

test("a log longer than one answer is read to its end, without an interruption", async () => {
  const client = await serve()
  await client.spawn("/assistant/long")
  const filler = "x".repeat(400_000)
  for (let i = 0; i < 4; i++) await client.ask("/assistant/long", `${i} ${filler}`)
  const keys = new Set<string>()
  let interruptions = 0
  for await (const { events } of client.observe("/assistant/long", {
    live: false,
    onInterrupted: () => (interruptions += 1),
  })) {
    for (const event of events) if (event.type === "message") keys.add(event.key)
  }
  expect(keys.size).toBe(4)
  expect(interruptions).toBe(0)
})

test("who is told of an interruption is told that it is over, though nothing was written meanwhile", async () => {
  const client = await serve()
  await client.spawn("/assistant/still")
  await client.ask("/assistant/still", "hello")
  // The first event stream is cut once all has been read, and the request after it fails.
  const read = Promise.withResolvers<void>()
  let streams = 0
  let isAway = false
  const cutting: typeof fetch = async (input, init) => {
    if (isAway) {
      isAway = false
      throw new TypeError("away")
    }
    const response = await fetch(input, init)
    const isEvents = response.headers.get("content-type")?.includes("text/event-stream") ?? false
    if (!isEvents || ++streams > 1) return response
    const through = new TransformStream<Uint8Array, Uint8Array>({
      start(controller) {
        void read.promise.then(() => {
          isAway = true
          controller.error(new TypeError("cut"))
        })
      },
    })
    return new Response(response.body?.pipeThrough(through), { status: response.status, headers: response.headers })
  }
  const fragile = createClient({ url: client.url, fetch: cutting, random: () => 0, attempts: 1 })
  const abort = new AbortController()
  const told: string[] = []
  const onInterrupted = (): void => void told.push("interrupted")
  for await (const { events, upToDate } of fragile.observe("/assistant/still", {
    signal: abort.signal,
    onInterrupted,
  })) {
    if (!upToDate) continue
    told.push(events.length > 0 ? "events" : "no events")
    if (told.includes("interrupted")) abort.abort()
    else read.resolve()
  }
  expect(told).toEqual(["events", "interrupted", "no events"])
})
