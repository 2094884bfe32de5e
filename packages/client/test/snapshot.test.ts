import { defineEntity, tool } from "@rouse/agents"
import type { LogEvent, Offset } from "@rouse/protocol"
import { createServer, silentLog } from "@rouse/server"
import type { ServerOptions } from "@rouse/server"
import { openMemoryStore } from "@rouse/store"
import type { Store } from "@rouse/store"
import { expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { entityDb } from "../src/db.ts"
import { applyChanges, createClient, emptyTimeline, statusOf } from "../src/index.ts"
import type { Client, Item, Timeline } from "../src/index.ts"

/** Entity logs opened from snapshots, against the real server. */

const look = tool({
  name: "look",
  description: "Look",
  input: z.object({}),
  effect: "pure",
  execute: () => "seen",
})
const risky = tool({
  name: "risky",
  description: "Ask first",
  input: z.object({}),
  effect: "once",
  approval: () => true,
  execute: () => "done",
})
const assistant = defineEntity("assistant", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You are helpful.", model: "rouse/echo", tools: [look, risky] })
    await ctx.agent.run()
  },
})

interface World {
  readonly client: Client
  readonly store: Store
  /** Runs what the server does every minute. */
  readonly sweep: () => Promise<void>
}

async function serve(options: Partial<ServerOptions> = {}): Promise<World> {
  const store = await openMemoryStore({ clock: Date.now })
  const host = { clock: Date.now, random: Math.random, log: silentLog }
  const minutes = new Set<() => void>()
  const defer = (ms: number, fn: () => void): (() => void) => {
    if (ms !== 60_000) {
      const timer = setTimeout(fn, ms)
      return () => clearTimeout(timer)
    }
    minutes.add(fn)
    return () => void minutes.delete(fn)
  }
  const server = createServer({ store, entities: [assistant], defer, host, ...host, ...options })
  await server.start()
  const listening = await server.listen({ host: "127.0.0.1", port: 0 })
  onTestFinished(async () => {
    await listening.close(0)
    await server.close({ graceMs: 100 })
    await store.close()
  })
  const sweep = async (): Promise<void> => {
    const due = [...minutes]
    minutes.clear()
    for (const fn of due) fn()
    while (minutes.size === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return { client: createClient({ url: listening.url }), store, sweep }
}

async function whole(client: Client, url: string, snapshot: boolean): Promise<Timeline> {
  let timeline = emptyTimeline()
  const batches = snapshot ? client.observe(url, { live: false, snapshot: true }) : client.observe(url, { live: false })
  for await (const { events } of batches) timeline = applyChanges(timeline, events)
  return timeline
}

/** What is shown of an item, but for what is only on the log. */
const shown = (items: readonly Item[]): readonly Item[] =>
  items.filter(({ kind }) => kind !== "error" && kind !== "signal" && kind !== "wake")

test("a timeline opened from a snapshot is the timeline of the whole log", async () => {
  const { client } = await serve()
  const url = "/assistant/one"
  await client.spawn(url, { tags: { team: "a" } })
  await client.ask(url, "hello")
  await client.ask(url, "/think hm\n/call look\n/call look\n/then\n/say well")
  await client.send(url, "/call risky")
  await expect.poll(async () => (await client.state(url, "approval")).rows.length).toBe(1)
  await client.send(url, "and then?", { mode: "queue" })
  const full = await whole(client, url, false)
  const opened = await whole(client, url, true)
  expect(full.items.length).toBeGreaterThan(7)
  expect(shown(opened.items)).toEqual(shown(full.items))
  expect({ ...opened, items: [] }).toEqual({ ...full, items: [] })
  expect(statusOf(opened)).toEqual(statusOf(full))
})

test("a late reader is shown the whole text that is streaming, and goes on with it", async () => {
  const { client } = await serve()
  const url = "/assistant/slow"
  await client.spawn(url)
  await client.ask(url, "first")
  const words = Array.from({ length: 30 }, (_, n) => `word${n}`).join(" ")
  const asked = client.ask(url, `/slow 40\n/say ${words}`)
  const textOf = (timeline: Timeline): string => {
    const step = timeline.items.findLast((item) => item.kind === "step")
    const part = step?.kind === "step" ? step.parts.findLast(({ kind }) => kind === "text") : undefined
    return part?.kind === "text" && part.streaming && !part.gap ? part.text : ""
  }
  const abort = new AbortController()
  let early = emptyTimeline()
  for await (const { events } of client.observe(url, { signal: abort.signal })) {
    early = applyChanges(early, events)
    if (textOf(early).includes("word6")) abort.abort()
  }
  let late = emptyTimeline()
  const firsts: LogEvent[][] = []
  let seen = ""
  const stop = new AbortController()
  for await (const { events } of client.observe(url, { snapshot: true, signal: stop.signal })) {
    firsts.push([...events])
    late = applyChanges(late, events)
    if (firsts.length === 1) seen = textOf(late)
    if (late.run?.status === "completed" && late.items.filter(({ kind }) => kind === "runEnd").length === 2)
      stop.abort()
  }
  expect(words.startsWith(seen)).toBe(true)
  expect(seen.length).toBeGreaterThanOrEqual(textOf(early).length)
  expect(firsts[0]?.filter((event) => "type" in event && event.type === "delta")).toHaveLength(1)
  expect((await asked).reply).toBe(words)
  expect(shown(late.items)).toEqual(shown((await whole(client, url, false)).items))
})

test("a log whose history was compacted is opened from what is live, asked for or not", async () => {
  const { client, store, sweep } = await serve({ retention: [{ prefix: "entities/assistant/", keepBytes: 500 }] })
  const url = "/assistant/one"
  await client.spawn(url)
  let middle: Offset | undefined
  for (let n = 0; n < 3; n += 1) {
    await client.ask(url, `${n} ${"x".repeat(30_000)}`)
    middle ??= (await client.get(url)).offset
  }
  const before = await whole(client, url, false)
  const rows = (await client.state(url)).rows
  await sweep()
  const info = await store.stream("entities/assistant/one")
  expect(info?.horizon).toBeDefined()
  expect((await client.state(url)).rows).toEqual(rows)
  for (const snapshot of [false, true]) {
    expect(shown((await whole(client, url, snapshot)).items)).toEqual(shown(before.items))
  }
  const log = await fetch(`${client.url}/v1/stream/entities${url}?offset=${middle}`)
  expect(log.status).toBe(410)
  const failed = (async () => {
    for await (const _ of client.observe(url, { from: middle, live: false })) expect.unreachable()
  })()
  await expect(failed).rejects.toMatchObject({ code: "GONE", details: { horizon: info?.horizon } })
  let resumed: Timeline = before
  for await (const { events } of client.observe(url, { from: middle, live: false, snapshot: true })) {
    resumed = applyChanges(resumed, events)
  }
  expect(shown(resumed.items)).toEqual(shown(before.items))
  const db = entityDb(client, url, { snapshot: true })
  await db.preload()
  expect(db.collections.message.size).toBe(3)
  const { message } = await client.ask(url, "and on")
  await expect.poll(() => db.collections.message.get(message)?.status).toBe("processed")
  db.close()
})

test("control events begin a timeline anew", () => {
  const message = (key: string): LogEvent => ({
    type: "tag",
    key,
    value: { value: "x" },
    headers: { operation: "insert" },
  })
  const control = (kind: "snapshot-start" | "snapshot-end" | "reset"): LogEvent => ({ headers: { control: kind } })
  const first = applyChanges(emptyTimeline(), [message("old")])
  const anew = applyChanges(first, [
    control("snapshot-start"),
    message("new"),
    control("snapshot-end"),
    message("next"),
  ])
  expect(Object.keys(anew.tags)).toEqual(["new", "next"])
  expect(applyChanges(anew, [control("snapshot-end")])).toBe(anew)
  expect(applyChanges(anew, [message("late"), control("reset")])).toEqual(emptyTimeline())
})
