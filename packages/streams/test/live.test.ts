import { setImmediate as tick } from "node:timers/promises"
import type { Offset } from "@rouse/protocol"
import { openMemoryStore } from "@rouse/store"
import type { Store } from "@rouse/store"
import type { Streams, StreamsOptions } from "@rouse/streams"
import { createStreams } from "@rouse/streams"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { ManualClock } from "./manual-clock.ts"
import { control, SseClient } from "./sse-client.ts"
import { watch } from "./watched-store.ts"

const URL_OF = "http://rouse.test/v1/stream/live"
const PATH = "live"

let store: Store
let clock: ManualClock
let streams: Streams
let errors: unknown[]

beforeEach(async () => {
  clock = new ManualClock()
  store = await openMemoryStore({ clock: () => clock.now() })
  errors = []
  streams = serve({})
})
afterEach(async () => {
  await streams.close()
  await store.close()
})

function serve(options: Partial<StreamsOptions>): Streams {
  return createStreams({ store, clock, random: () => 0.5, onError: (error) => errors.push(error), ...options })
}

const ask = (query: string, init?: RequestInit): Promise<Response> =>
  streams.fetch(new Request(`${URL_OF}?${query}`, init))
const make = (contentType = "text/plain"): Promise<Response> =>
  streams.fetch(new Request(URL_OF, { method: "PUT", headers: { "content-type": contentType } }))
const append = (body: string, contentType = "text/plain"): Promise<Response> =>
  streams.fetch(new Request(URL_OF, { method: "POST", headers: { "content-type": contentType }, body }))
const close = (): Promise<Response> =>
  streams.fetch(new Request(URL_OF, { method: "POST", headers: { "stream-closed": "true" } }))

/** Lets everything that is under way come to rest. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await tick()
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  await settle()
  return (await Promise.race([promise.then(() => "done"), Promise.resolve("pending")])) === "pending"
}

describe("§5.6 long-poll", () => {
  test("waits for data, then answers it", async () => {
    await make()
    const poll = ask("offset=-1&live=long-poll")
    expect(await isPending(poll)).toBe(true)
    await append("hello")
    const answer = await poll
    expect([answer.status, await answer.text(), answer.headers.get("stream-up-to-date")]).toEqual([
      200,
      "hello",
      "true",
    ])
    expect(answer.headers.get("stream-cursor")).toMatch(/^\d+$/)
    expect(clock.armed).toBe(0)
  })

  test("answers 204 when its time is over", async () => {
    await make()
    const poll = ask("offset=now&live=long-poll")
    await settle()
    clock.advance(19_999)
    expect(await isPending(poll)).toBe(true)
    clock.advance(1)
    const answer = await poll
    expect([answer.status, answer.headers.get("stream-up-to-date"), answer.headers.get("cache-control")]).toEqual([
      204,
      "true",
      "no-store",
    ])
    expect(answer.headers.get("stream-next-offset")).toBe((await store.stream(PATH))?.next)
  })

  test.each([
    ["a close", close, 204],
    ["a delete", () => streams.fetch(new Request(URL_OF, { method: "DELETE" })), 404],
    ["the server's end", async () => streams.close(), 204],
  ] as const)("%s ends the wait", async (_, end, status) => {
    await make()
    const poll = ask("offset=now&live=long-poll")
    expect(await isPending(poll)).toBe(true)
    await end()
    const answer = await poll
    expect(answer.status).toBe(status)
    expect(answer.headers.get("stream-closed")).toBe(end === close ? "true" : null)
  })

  test("a client that goes away is forgotten", async () => {
    await make()
    const controller = new AbortController()
    const poll = ask("offset=now&live=long-poll", { signal: controller.signal })
    expect(await isPending(poll)).toBe(true)
    controller.abort()
    expect((await poll).status).toBe(204)
    expect(clock.armed).toBe(0)
  })

  test("at the end of a closed stream nobody waits", async () => {
    await make()
    await close()
    const answer = await ask("offset=now&live=long-poll")
    expect([answer.status, answer.headers.get("stream-closed")]).toEqual([204, "true"])
  })
})

describe("§5.7 event streams", () => {
  test("bring what is there, then what comes, each batch and its control event in one write", async () => {
    await make("application/json")
    await append("[1,2]", "application/json")
    const reader = new SseClient(await ask("offset=-1&live=sse"))
    const [data, first, ...rest] = (await reader.write()) ?? []
    expect([data, rest]).toEqual([{ event: "data", data: "[1, 2]".replace(" ", "") }, []])
    expect(control(first)).toMatchObject({ upToDate: true, streamNextOffset: (await store.stream(PATH))?.next })
    const waiting = reader.write()
    expect(await isPending(waiting)).toBe(true)
    await append('{"n":3}', "application/json")
    expect((await waiting)?.map(({ event }) => event)).toEqual(["data", "control"])
  })

  test("an empty stream is greeted, once", async () => {
    await make()
    const reader = new SseClient(await ask("offset=now&live=sse"))
    expect(control((await reader.write())?.[0])).toMatchObject({
      upToDate: true,
      streamNextOffset: (await store.stream(PATH))?.next,
    })
    expect(await isPending(reader.write())).toBe(true)
  })

  test("appends of one tick are one batch", async () => {
    await make()
    const reader = new SseClient(await ask("offset=now&live=sse"))
    await reader.write()
    const waiting = reader.write()
    await settle()
    await Promise.all(["a", "b", "c"].map((body) => append(body)))
    let text = ""
    let writes = 0
    for (let write = await waiting; text.length < 3; write = text.length < 3 ? await reader.write() : undefined) {
      text += write?.[0]?.data ?? ""
      writes++
    }
    expect(text.split("").toSorted().join("")).toBe("abc")
    expect(writes).toBeLessThanOrEqual(2)
  })

  test("catching up is said once it is true, also when shared frames are older", async () => {
    streams = serve({ readBytesMax: 1 })
    await make()
    const early = new SseClient(await ask("offset=-1&live=sse"))
    await early.write()
    for (const body of ["a", "b", "c"]) {
      await append(body)
      expect(control((await early.write())?.[1])).toMatchObject({ upToDate: true })
    }
    const late = new SseClient(await ask("offset=-1&live=sse"))
    const said = []
    for (let write = 0; write < 3; write++) said.push(control((await late.write())?.[1])["upToDate"])
    expect(said).toEqual([undefined, undefined, true])
  })

  test("bytes that are not text come in base64", async () => {
    await make("application/octet-stream")
    await streams.fetch(
      new Request(URL_OF, {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: new Uint8Array([0, 13, 10, 255]),
      }),
    )
    const response = await ask("offset=-1&live=sse")
    expect(response.headers.get("stream-sse-data-encoding")).toBe("base64")
    expect((await new SseClient(response).write())?.[0]?.data).toBe(Buffer.from([0, 13, 10, 255]).toString("base64"))
  })

  test("an idle one shows life every fifteen seconds, a busy one need not", async () => {
    await make()
    const reader = new SseClient(await ask("offset=now&live=sse"))
    await reader.write()
    const waiting = reader.raw()
    await settle()
    clock.advance(15_000)
    expect(await isPending(waiting)).toBe(true)
    clock.advance(15_000)
    expect(new TextDecoder().decode(await waiting)).toBe(":\n\n")
    const data = reader.write()
    await append("x")
    expect((await data)?.[0]?.data).toBe("x")
  })

  test("a heartbeat that is due does not swallow the close", async () => {
    const watchStream = store.watchStream.bind(store)
    store.watchStream = (path, listener) =>
      watchStream(path, (event) => {
        listener(event)
        clock.advance(15_000)
      })
    await make()
    const reader = new SseClient(await ask("offset=now&live=sse"))
    await reader.write()
    const waiting = reader.write()
    await settle()
    clock.advance(15_000)
    await close()
    const events = []
    for (let write = await waiting; write !== undefined; write = await reader.write()) events.push(...write)
    expect(control(events.at(-1))).toMatchObject({ streamClosed: true })
  })

  test("ends after about a minute, with nothing left armed", async () => {
    await make()
    const reader = new SseClient(await ask("offset=now&live=sse"))
    await reader.write()
    await settle()
    clock.advance(60_000)
    const rest = [await reader.raw(), await reader.raw()]
    expect(rest.at(-1)).toBeUndefined()
    expect(clock.armed).toBe(0)
  })

  test("a close is the last event, with the data that came with it before", async () => {
    await make()
    const reader = new SseClient(await ask("offset=now&live=sse"))
    await reader.write()
    const waiting = reader.write()
    await settle()
    await streams.fetch(
      new Request(URL_OF, {
        method: "POST",
        headers: { "content-type": "text/plain", "stream-closed": "true" },
        body: "end",
      }),
    )
    const [data, last] = (await waiting) ?? []
    expect(data?.data).toBe("end")
    expect(control(last)).toEqual({ streamNextOffset: (await store.stream(PATH))?.next, streamClosed: true })
    expect(await reader.write()).toBeUndefined()
  })

  test.each([
    ["a close without data", close, 1],
    ["a delete", () => streams.fetch(new Request(URL_OF, { method: "DELETE" })), 0],
    ["the server's end", async () => streams.close(), 0],
  ] as const)("%s ends it", async (_, end, events) => {
    await make()
    const reader = new SseClient(await ask("offset=now&live=sse"))
    await reader.write()
    const waiting = reader.write()
    await settle()
    await end()
    expect((await waiting)?.length ?? 0).toBe(events)
    if (events > 0) expect(await reader.write()).toBeUndefined()
    expect([clock.armed, errors]).toEqual([0, []])
  })

  test("a reader that cancels is forgotten, whenever it does", async () => {
    await make()
    for (const moment of ["before", "greeted", "waiting"]) {
      const reader = new SseClient(await ask("offset=now&live=sse"))
      if (moment !== "before") await reader.write()
      const waiting = moment === "waiting" ? reader.write() : undefined
      await settle()
      await reader.cancel()
      await append(moment)
      await settle()
      await waiting
      expect([clock.armed, errors]).toEqual([0, []])
    }
  })

  test("what cannot be read is refused with a status, not with an empty stream", async () => {
    expect((await ask("offset=-1&live=sse")).status).toBe(404)
    await make()
    expect((await ask("offset=nope&live=sse")).status).toBe(400)
    expect(clock.armed).toBe(0)
  })
})

describe("live readers", () => {
  test("are bounded in number, and refused at the end", async () => {
    streams = serve({ readersMax: 2 })
    await make()
    const first = new SseClient(await ask("offset=now&live=sse"))
    const poll = ask("offset=now&live=long-poll")
    await settle()
    const refused = await ask("offset=now&live=sse")
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"])
    await first.cancel()
    await new SseClient(await ask("offset=now&live=sse")).cancel()
    await streams.close()
    await poll
    const late = await ask("offset=now&live=long-poll")
    expect([late.status, ((await late.json()) as { code: string }).code]).toEqual([503, "SHUTTING_DOWN"])
    expect((await ask("offset=-1")).status).toBe(200)
  })

  test("that are slow cost no reads: nothing is read until they pull", async () => {
    const watched = watch(store)
    streams = serve({ store: watched.store })
    await make()
    const reader = new SseClient(await ask("offset=now&live=sse"))
    await settle()
    const before = watched.reads
    for (let index = 0; index < 50; index++) await append("x".repeat(100))
    await settle()
    expect(watched.reads).toBe(before)
    await reader.write()
    expect((await reader.write())?.[0]?.data).toHaveLength(5000)
    expect(watched.reads).toBe(before + 1)
  })

  test("at the same place share one read and one buffer", async () => {
    const watched = watch(store)
    streams = serve({ store: watched.store })
    await make()
    const readers: SseClient[] = []
    for (let index = 0; index < 20; index++) readers.push(new SseClient(await ask("offset=now&live=sse")))
    for (const reader of readers) await reader.raw()
    const waiting = readers.map((reader) => reader.raw())
    await settle()
    const before = watched.reads
    await append("shared")
    const buffers = new Set(await Promise.all(waiting))
    expect([buffers.size, watched.reads - before]).toEqual([1, 1])
  })

  test.each([
    ["long-poll", append, "late"],
    ["long-poll", close, ""],
    ["sse", append, "late"],
    ["sse", close, ""],
  ] as const)("hear by %s of what happens between a read and the wait behind it (%#)", async (live, act, text) => {
    await make()
    const read = store.read.bind(store)
    let acted = false
    store.read = async (...args) => {
      const result = await read(...args)
      if (!acted) {
        acted = true
        await act("late")
        await settle()
      }
      return result
    }
    const answer = await ask(`offset=-1&live=${live}`)
    if (live === "long-poll") expect(await answer.text()).toBe(text)
    else {
      const reader = new SseClient(answer)
      const events = [...((await reader.write()) ?? []), ...((await reader.write()) ?? [])]
      expect(
        events.some(({ event, data }) =>
          text === "" ? data.includes("streamClosed") : event === "data" && data === text,
        ),
      ).toBe(true)
      await reader.cancel()
    }
  })

  test("lose nothing to a race between a read and a wait", async () => {
    await make()
    const total = 300
    const readers = Array.from({ length: 5 }, async () => {
      let text = ""
      while (text.length < total) {
        const reader = new SseClient(await ask("offset=-1&live=sse"))
        text = ""
        for (
          let write = await reader.write();
          write !== undefined && text.length < total;
          write = text.length < total ? await reader.write() : undefined
        ) {
          if (write[0]?.event === "data") text += write[0].data
        }
        await reader.cancel()
      }
      return text
    })
    const polls = Array.from({ length: 5 }, async () => {
      let text = ""
      let offset = "-1" as Offset
      while (text.length < total) {
        const answer = await ask(`offset=${offset}&live=long-poll`)
        text += await answer.text()
        offset = (answer.headers.get("stream-next-offset") ?? "") as Offset
      }
      return text
    })
    let written = ""
    for (let index = 0; index < total; index++) {
      const char = String(index % 10)
      await append(char)
      written += char
      if (index % 7 === 0) await tick()
    }
    expect(new Set(await Promise.all([...readers, ...polls]))).toEqual(new Set([written]))
  })
})
