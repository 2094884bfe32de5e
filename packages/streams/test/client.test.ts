import { DurableStream, IdempotentProducer, StaleEpochError, stream } from "@durable-streams/client"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Served } from "./serve.ts"
import { serveStreams } from "./serve.ts"

/** The protocol's own client, unchanged, against our server. */

let served: Served
let count = 0

beforeAll(async () => {
  served = await serveStreams({ longPollMs: 200, sseSeconds: 1, readBytesMax: 4096 })
})
afterAll(async () => {
  expect(served.errors).toEqual([])
  await served.close()
})

const fresh = (): string => `${served.url}/v1/stream/client/${++count}`
const numbers = (to: number): number[] => Array.from({ length: to }, (_, index) => index)

describe("@durable-streams/client", () => {
  test("creates, appends, reads, closes and deletes", async () => {
    const handle = await DurableStream.create({ url: fresh(), contentType: "application/json" })
    await handle.append(JSON.stringify({ n: 1 }))
    await handle.append(JSON.stringify([2]))
    const read = await handle.stream({ live: false })
    expect(await read.json()).toEqual([{ n: 1 }, [2]])
    expect(await handle.head()).toMatchObject({ exists: true, contentType: "application/json" })
    const { finalOffset } = await handle.close()
    expect(await handle.head()).toMatchObject({ offset: finalOffset, streamClosed: true })
    await expect(handle.append("3")).rejects.toThrow()
    await handle.delete()
    expect((await handle.head()).exists).toBe(false)
  })

  test("reads bytes as they were written", async () => {
    const bytes = new Uint8Array(10_000).map((_, index) => (index * 7) % 256)
    const handle = await DurableStream.create({ url: fresh(), contentType: "application/octet-stream" })
    for (let at = 0; at < bytes.length; at += 1000) await handle.append(bytes.subarray(at, at + 1000))
    // With `live: false` this client takes the first chunk alone; otherwise `body` ends at the tail.
    expect(await (await handle.stream()).body()).toEqual(bytes)
  })

  test.each(["long-poll", "sse"] as const)(
    "follows a stream live by %s, from its beginning to its close",
    async (live) => {
      const url = fresh()
      const handle = await DurableStream.create({ url, contentType: "application/json" })
      for (const n of numbers(50)) await handle.append(JSON.stringify({ n }))
      const reader = await stream<{ n: number }>({ url, live })
      const seen: number[] = []
      const done = (async () => {
        for await (const item of reader.jsonStream()) seen.push(item.n)
      })()
      for (const n of numbers(100).slice(50)) await handle.append(JSON.stringify({ n }))
      await handle.close()
      await done
      expect(seen).toEqual(numbers(100))
      expect(reader.streamClosed).toBe(true)
    },
  )

  test("takes up an event stream again when the server ended it", async () => {
    const url = fresh()
    const handle = await DurableStream.create({ url, contentType: "application/json" })
    const reader = await stream<number>({ url, live: "sse", offset: "now" })
    const seen: number[] = []
    const done = (async () => {
      for await (const item of reader.jsonStream()) seen.push(item)
    })()
    for (const n of numbers(12)) {
      await handle.append(String(n))
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    await handle.close()
    await done
    expect(seen).toEqual(numbers(12))
  })

  test("reads binary streams live", async () => {
    const url = fresh()
    const handle = await DurableStream.create({ url, contentType: "application/octet-stream" })
    await handle.append(new Uint8Array([0, 10, 13]))
    const reader = await stream({ url, live: "sse" })
    const seen: number[] = []
    const done = (async () => {
      for await (const chunk of reader.bodyStream()) seen.push(...chunk)
    })()
    await handle.append(new Uint8Array([255, 32, 0]))
    await handle.close()
    await done
    expect(seen).toEqual([0, 10, 13, 255, 32, 0])
  })
})

describe("IdempotentProducer", () => {
  test("writes each message once, in order, pipelined and batched, though answers are lost", async () => {
    const url = fresh()
    const handle = await DurableStream.create({ url, contentType: "application/json" })
    let requests = 0
    const lossy: typeof fetch = async (...args) => {
      // The answer to every third request is lost after the server has acted, and the request is sent again.
      if (++requests % 3 === 0) await fetch(...args)
      return fetch(...args)
    }
    const options = { lingerMs: 0, maxBatchBytes: 64, maxInFlight: 4, fetch: lossy }
    const producer = new IdempotentProducer(handle, "writer", { ...options, onError: (error) => failures.push(error) })
    const failures: Error[] = []
    for (const n of numbers(60)) producer.append(JSON.stringify({ n }))
    await producer.flush()
    await producer.close()
    expect(failures).toEqual([])
    expect(await (await handle.stream({ live: false })).json()).toEqual(numbers(60).map((n) => ({ n })))
    expect(await handle.head()).toMatchObject({ streamClosed: true })
  })

  test("of an older epoch is fenced, and may claim the next", async () => {
    const handle = await DurableStream.create({ url: fresh(), contentType: "application/json" })
    const newer = new IdempotentProducer(handle, "writer", { epoch: 3, lingerMs: 0 })
    newer.append("1")
    await newer.flush()
    const failures: unknown[] = []
    const older = new IdempotentProducer(handle, "writer", {
      epoch: 1,
      lingerMs: 0,
      onError: (error) => failures.push(error),
    })
    older.append("2")
    await older.flush().catch((error: unknown) => failures.push(error))
    expect(failures.some((error) => error instanceof StaleEpochError)).toBe(true)
    const claiming = new IdempotentProducer(handle, "writer", { epoch: 0, autoClaim: true, lingerMs: 0 })
    claiming.append("3")
    await claiming.flush()
    expect(await (await handle.stream({ live: false })).json()).toEqual([1, 3])
  })
})
