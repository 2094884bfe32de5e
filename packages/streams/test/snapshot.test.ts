import { DurableStream, stream } from "@durable-streams/client"
import { createStateSchema, MaterializedState } from "@durable-streams/state"
import type { ChangeEvent, StateEvent } from "@durable-streams/state"
import { createStreamDB } from "@durable-streams/state/db"
import { START } from "@rouse/protocol"
import type { Offset, Problem } from "@rouse/protocol"
import { frameJson, openMemoryStore } from "@rouse/store"
import type { Store } from "@rouse/store"
import { createCompactor, createStreams } from "@rouse/streams"
import type { RetentionRule, Streams } from "@rouse/streams"
import fc from "fast-check"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import { z } from "zod"
import { serveStreams, systemClock } from "./serve.ts"

/** docs/snapshots.md, over HTTP. */

interface World {
  readonly store: Store
  readonly errors: unknown[]
  nowMs: number
  readonly get: (query: string, headers?: Record<string, string>) => Promise<Response>
  readonly write: (...events: readonly unknown[]) => Promise<Offset>
  readonly compact: (...rules: RetentionRule[]) => Promise<number>
}

const PATH = "s"

async function world(contentType = "application/json"): Promise<World> {
  const errors: unknown[] = []
  const now = (): number => made.nowMs
  const store = await openMemoryStore({ clock: now })
  const clock = { ...systemClock, now }
  const streams: Streams = createStreams({ store, clock, random: Math.random, onError: (error) => errors.push(error) })
  onTestFinished(async () => {
    await streams.close()
    await store.close()
    expect(errors).toEqual([])
  })
  await store.commit({ ops: [{ op: "createStream", path: PATH, contentType, nowMs: 0 }] })
  const made: World = {
    store,
    errors,
    nowMs: 1_800_000_000_000,
    get: (query, headers = {}) => streams.fetch(new Request(`http://x/v1/stream/${PATH}${query}`, { headers })),
    async write(...events) {
      const data = contentType === "application/json" ? frameJson(events) : new TextEncoder().encode(events.join(""))
      const { streams: done } = await store.commit({ ops: [{ op: "append", path: PATH, data, nowMs: made.nowMs }] })
      const next = done[PATH]?.next
      if (next === undefined) throw new Error("nothing was appended")
      return next
    },
    async compact(...rules) {
      const compactor = createCompactor({
        store,
        clock,
        rules,
        trimBytesMin: 1,
        onError: (error) => errors.push(error),
      })
      let done = 0
      for (let count = 1; count > 0; done += count) count = (await compactor.step()) + (await store.sweep(made.nowMs))
      return done
    },
  }
  return made
}

const put = (key: string, value: unknown, operation = "insert"): unknown => ({
  type: "row",
  key,
  value,
  headers: { operation },
})
const remove = (key: string): unknown => ({ type: "row", key, headers: { operation: "delete" } })

/** What a reader of these messages holds. */
function held(events: readonly unknown[], state: MaterializedState = new MaterializedState()): unknown {
  for (const event of events as StateEvent[]) if ("operation" in event.headers) state.apply(event as ChangeEvent)
  return Object.fromEntries(state.types.map((type) => [type, Object.fromEntries(state.getType(type))]))
}

async function json(response: Response): Promise<unknown[]> {
  expect(response.status).toBe(200)
  return (await response.json()) as unknown[]
}

describe("a snapshot", () => {
  test("is what is live, between two control messages, and where the stream goes on", async () => {
    const { get, write } = await world()
    await write(put("a", 1), put("b", 1))
    const next = await write(put("a", 2, "update"), remove("b"), put("c", 1))
    const response = await get("?snapshot=true")
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/json",
      "stream-next-offset": next,
      "stream-up-to-date": "true",
      "cache-control": "private, no-cache",
    })
    expect(await json(response)).toEqual([
      { headers: { control: "snapshot-start", offset: next } },
      put("a", 2),
      put("c", 1),
      { headers: { control: "snapshot-end", offset: next } },
    ])
    await write(put("d", 1))
    expect(await json(await get(`?snapshot=true&offset=${next}`))).toEqual([put("d", 1)])
  })

  test("is not noticed by who does not ask for it", async () => {
    const { get, write } = await world()
    await write(put("a", 1))
    await write(put("a", 2, "update"))
    for (const query of ["", "?offset=-1", "?snapshot=false"]) {
      expect(await json(await get(query))).toEqual([put("a", 1), put("a", 2, "update")])
    }
    expect(await json(await get("?snapshot=true&offset=now"))).toEqual([])
  })

  test("of an empty stream has no rows, and of a closed one ends it", async () => {
    const { get, store, write } = await world()
    expect(await json(await get("?snapshot=true"))).toHaveLength(2)
    await write(put("a", 1))
    await store.commit({ ops: [{ op: "append", path: PATH, data: new Uint8Array(), close: true, nowMs: 0 }] })
    const response = await get("?snapshot=true")
    expect(response.headers.get("stream-closed")).toBe("true")
    expect(await json(response)).toHaveLength(3)
  })

  test("has an entity tag, which is not that of a read", async () => {
    const { get, write } = await world()
    await write(put("a", 1))
    const etag = (await get("?snapshot=true")).headers.get("etag") ?? ""
    expect(etag).not.toBe((await get("")).headers.get("etag"))
    expect((await get("?snapshot=true", { "if-none-match": etag })).status).toBe(304)
    await write(put("a", 2))
    expect((await get("?snapshot=true", { "if-none-match": etag })).status).toBe(200)
  })

  test.each([
    ["?snapshot=yes", "snapshot: must be true or false"],
    ["?snapshot=true&snapshot=true", "snapshot: must be true or false"],
  ])("is refused of %s", async (query, detail) => {
    const { get } = await world()
    const response = await get(query)
    expect(response.status).toBe(400)
    expect(((await response.json()) as Problem).detail).toContain(detail)
  })

  test("is refused of streams that are none of the State Protocol", async () => {
    const text = await world("text/plain")
    await text.write("a")
    expect((await text.get("?snapshot=true")).status).toBe(400)
    const numbers = await world()
    await numbers.write(1, 2)
    expect((await numbers.get("?snapshot=true")).status).toBe(400)
    expect(await json(await numbers.get(""))).toEqual([1, 2])
  })

  test("is stored as the stream grows, so that the next costs what came since", async () => {
    const { get, store, write } = await world()
    for (let n = 0; n < 200; n += 1) await write(put(`k${n % 3}`, n + "x".repeat(1_000)))
    expect(await store.snapshot(PATH)).toBeUndefined()
    await get("?snapshot=true")
    const first = await store.snapshot(PATH)
    expect(first?.at).toBe(first?.info.next)
    expect(first?.data.length).toBeLessThan(4_000)
    const read = vi.spyOn(store, "read")
    await write(put("k0", "new"))
    expect(held(await json(await get("?snapshot=true")))).toMatchObject({ row: { k0: "new" } })
    expect(read.mock.calls.map(([, from]) => from)).toEqual([first?.at])
    expect((await store.snapshot(PATH))?.at).toBe(first?.at)
  })

  test("is made once for many who ask together, and none is shown an older one than was there", async () => {
    const { get, store, write } = await world()
    for (let n = 0; n < 3; n += 1)
      await write(...Array.from({ length: 400 }, (_, k) => put(`k${k}`, "x".repeat(3_000))))
    const read = vi.spyOn(store, "read")
    const early = Array.from({ length: 10 }, () => get("?snapshot=true"))
    await new Promise((resolve) => setTimeout(resolve, 0))
    await write(put("late", 1))
    const late = get("?snapshot=true")
    for (const response of await Promise.all(early)) expect(response.status).toBe(200)
    expect(held(await json(await late))).toMatchObject({ row: { late: 1 } })
    expect(read.mock.calls.length).toBeLessThan(12)
  })
})

describe("the ecosystem's readers", () => {
  const schema = createStateSchema({
    rows: { schema: z.object({ id: z.string(), n: z.number() }), type: "row", primaryKey: "id" },
  })

  test.each(["long-poll", "sse"] as const)("take a snapshot and go on live, by %s", async (live) => {
    const served = await serveStreams({ longPollMs: 300 })
    onTestFinished(() => served.close())
    const url = `${served.url}/v1/stream/live`
    const writer = await DurableStream.create({ url, contentType: "application/json" })
    for (let n = 0; n < 30; n += 1)
      await writer.append(JSON.stringify(put(`k${n % 2}`, { id: `k${n % 2}`, n }, "upsert")))
    const plain = await stream<StateEvent>({ url, live: false })
    expect(await plain.json()).toHaveLength(30)

    const reader = await stream<StateEvent>({ url, live, params: { snapshot: "true" } })
    const seen: StateEvent[] = []
    const done = (async () => {
      for await (const event of reader.jsonStream()) seen.push(event)
    })()
    await vi.waitFor(() => expect(seen).toHaveLength(4), { timeout: 10_000 })
    const streamOptions = { url, contentType: "application/json", params: { snapshot: "true" } }
    const db = createStreamDB({ streamOptions, state: schema, live })
    await db.preload()
    const rows = (): unknown =>
      [...db.collections.rows.values()].map(({ id, n }) => `${id}=${n}`).toSorted((a, b) => (a < b ? -1 : 1))
    expect(rows()).toEqual(["k0=28", "k1=29"])
    await writer.append(JSON.stringify(put("k2", { id: "k2", n: 30 })))
    await writer.append(JSON.stringify(remove("k0")))
    await vi.waitFor(() => expect(rows()).toEqual(["k1=29", "k2=30"]), { timeout: 10_000 })
    db.close()
    await writer.close()
    await done
    expect(held(seen)).toEqual({ row: { k1: { id: "k1", n: 29 }, k2: { id: "k2", n: 30 } } })
    expect(served.errors).toEqual([])
  })
})

describe("compaction", () => {
  const rule = { prefix: PATH }

  test("answers a read below the horizon with 410, the horizon and how to go on", async () => {
    const { get, write, compact, store } = await world()
    const offsets = [await write(put("a", 1)), await write(put("a", 2)), await write(put("b", 1))]
    const tag = (await get(`?offset=${offsets[1]}`)).headers.get("etag")
    expect(await compact(rule)).toBeGreaterThan(0)
    for (const query of ["", `?offset=${offsets[0]}`, "?offset=-1&live=long-poll", "?offset=-1&live=sse"]) {
      const response = await get(query)
      expect(response.status).toBe(410)
      expect(response.headers.get("content-type")).toBe("application/problem+json")
      const problem = (await response.json()) as Problem
      expect(problem).toMatchObject({ code: "GONE", details: { path: PATH, horizon: offsets[1] } })
    }
    const above = await get(`?offset=${offsets[1]}`)
    expect(above.headers.get("etag")).toBe(tag)
    expect(await json(above)).toEqual([put("b", 1)])
    expect(held(await json(await get("?snapshot=true")))).toEqual({ row: { a: 2, b: 1 } })
    expect((await get("?offset=now")).status).toBe(200)
    expect((await store.stream(PATH))?.horizon).toBe(offsets[1])
  })

  test("trims streams of other kinds, which then have no snapshot", async () => {
    const text = await world("text/plain")
    const offsets = [await text.write("one"), await text.write("two")]
    await text.compact(rule)
    expect(await (await text.get(`?offset=${offsets[0]}`)).text()).toBe("two")
    expect((await text.get("")).status).toBe(410)
    const numbers = await world()
    const after = await numbers.write(1)
    await numbers.write(2)
    await numbers.compact(rule)
    await numbers.write(3)
    await numbers.compact(rule)
    expect((await numbers.get("?snapshot=true")).status).toBe(410)
    expect((await numbers.get(`?offset=${after}`)).status).toBe(410)
  })

  test("leaves what no rule names, what is pinned, and what is too little", async () => {
    const { get, write, compact, store, errors } = await world()
    await write(put("a", 1))
    await write(put("a", 2))
    expect(await compact({ prefix: "other" })).toBe(0)
    await store.commit({ ops: [{ op: "putPin", path: PATH, holder: "h", at: START }] })
    expect(await compact(rule)).toBe(0)
    await store.commit({ ops: [{ op: "dropPin", path: PATH, holder: "h" }] })
    const compactor = createCompactor({ store, clock: systemClock, rules: [rule], onError: (e) => errors.push(e) })
    expect(await compactor.step()).toBe(0)
    expect(await json(await get(""))).toHaveLength(2)
  })

  test("goes through many streams in bounded steps, and again after a while", async () => {
    const { store } = await world()
    const data = frameJson([put("a", 1)])
    const paths = Array.from({ length: 250 }, (_, n) => `many/${String(n).padStart(3, "0")}`)
    for (const path of paths) {
      const append = { op: "append", path, data, nowMs: 0 } as const
      await store.commit({
        ops: [{ op: "createStream", path, contentType: "application/json", nowMs: 0 }, append, append],
      })
    }
    let nowMs = 0
    const clock = { ...systemClock, now: () => nowMs }
    const rules = [{ prefix: "many/" }, { prefix: "many/1", keepBytes: 1_000_000 }]
    const compactor = createCompactor({ store, clock, rules, trimBytesMin: 1, roundMs: 1_000 })
    const counts: number[] = []
    for (let count = 1; count > 0; counts.push(count)) count = await compactor.step()
    expect(Math.max(...counts)).toBeLessThanOrEqual(11)
    const horizons = await Promise.all(paths.map(async (path) => (await store.stream(path))?.horizon !== undefined))
    expect(horizons).toEqual(paths.map((path) => !path.startsWith("many/1")))
    const looked = vi.spyOn(store, "streamPaths")
    expect(await compactor.step()).toBe(0)
    expect(looked).not.toHaveBeenCalled()
    nowMs += 1_000
    expect(await compactor.step()).toBe(1)
    expect(looked).toHaveBeenCalled()
  })

  test("of any history, at any times: a snapshot and what follows is the whole replayed, and kept offsets give the same bytes", async () => {
    type Step = { readonly kind: "write"; readonly events: readonly unknown[] } | { readonly kind: "compact" | "open" }
    const event = fc
      .tuple(fc.constantFrom("a", "b", "c"), fc.option(fc.jsonValue({ maxDepth: 1 })), fc.nat(40))
      .map(([key, value, size]) => (value === null ? remove(key) : put(key, [value, "x".repeat(size)], "upsert")))
    const step: fc.Arbitrary<Step> = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant("write" as const),
          events: fc.array(event, { minLength: 1, maxLength: 3 }),
        }),
      },
      { weight: 1, arbitrary: fc.constant({ kind: "compact" as const }) },
      { weight: 1, arbitrary: fc.constant({ kind: "open" as const }) },
    )
    const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat(200), async (steps, keepBytes) => {
      const { get, write, compact, store } = await world()
      const whole: unknown[] = []
      const readers: { readonly from: string; readonly state: MaterializedState }[] = []
      const texts = new Map<string, string>()
      for (const one of steps) {
        if (one.kind === "write") {
          const before = (await store.stream(PATH))?.next as string
          await write(...one.events)
          texts.set(before, JSON.stringify(JSON.parse(JSON.stringify(one.events))))
          whole.push(...one.events)
        } else if (one.kind === "compact") await compact({ prefix: PATH, keepBytes })
        else {
          const response = await get("?snapshot=true")
          const state = new MaterializedState()
          held(await json(response), state)
          readers.push({ from: response.headers.get("stream-next-offset") as string, state })
        }
      }
      const full = present(held(JSON.parse(JSON.stringify(whole)) as unknown[]))
      expect(present(held(await json(await get("?snapshot=true"))))).toEqual(full)
      const horizon = (await store.stream(PATH))?.horizon
      for (const { from, state } of readers) {
        const response = await get(`?offset=${from}`)
        if (horizon !== undefined && from < horizon) expect(response.status).toBe(410)
        else expect(present(held(await json(response), state))).toEqual(full)
      }
      for (const [from, events] of texts) {
        if (horizon !== undefined && from < horizon) continue
        const { chunks } = await store.read(PATH, from as Offset, 1)
        expect(
          JSON.stringify(
            JSON.parse(
              `[${Buffer.from(chunks[0] ?? [])
                .toString()
                .slice(0, -1)}]`,
            ),
          ),
        ).toBe(events)
      }
    })
    await fc.assert(property, { numRuns: 60 })
  })
})

/** Without the types that have no row left. */
function present(state: unknown): unknown {
  return Object.fromEntries(
    Object.entries(state as object).filter(([, rows]) => Object.keys(rows as object).length > 0),
  )
}
