import { DurableStream, IdempotentProducer, stream } from "@durable-streams/client"
import { createStateSchema } from "@durable-streams/state"
import { createStreamDB } from "@durable-streams/state/db"
import { expect, onTestFinished, test, vi } from "vitest"
import { z } from "zod"
import { roughProxy } from "./rough-proxy.ts"
import type { RoughProxy } from "./rough-proxy.ts"
import { serveStreams } from "./serve.ts"
import type { Served } from "./serve.ts"

/** The protocol's own clients over a network that loses, repeats, delays, reorders and cuts. */

const MESSAGES = 200
const DONE_MS_MAX = 25_000
const BACKOFF = { initialDelay: 5, maxDelay: 50, multiplier: 1.3, maxRetries: 200 }
const schema = createStateSchema({
  rows: { schema: z.object({ id: z.string(), n: z.number() }), type: "row", primaryKey: "id" },
})

/** `ROUSE_SEED=1234` for the fates of a run that failed; how requests interleave is not repeated. */
const SEED = Number(process.env["ROUSE_SEED"] ?? Math.floor(Math.random() * 1e9))

/** Small chunks and short connections, so that there is much to lose. */
async function between(): Promise<{ served: Served; proxy: RoughProxy; direct: string; rough: string }> {
  const served = await serveStreams({ longPollMs: 300, sseSeconds: 0.5, readBytesMax: 1_000 })
  const proxy = await roughProxy(served.url, seeded(SEED))
  onTestFinished(async () => {
    await proxy.close()
    await served.close()
  })
  const path = "/v1/stream/rough"
  return { served, proxy, direct: served.url + path, rough: proxy.url + path }
}

/** Mulberry32: from 0 to below 1, the same for a seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Each message as its own batch, several on their way at once. */
async function produce(url: string, messages: readonly unknown[]): Promise<void> {
  const handle = new DurableStream({ url, contentType: "application/json", backoffOptions: BACKOFF })
  const failures: Error[] = []
  const producer = new IdempotentProducer(handle, "writer", {
    lingerMs: 0,
    maxBatchBytes: 1,
    maxInFlight: 4,
    fetch: persistent,
    onError: (error) => failures.push(error),
  })
  for (const message of messages) producer.append(JSON.stringify(message))
  await producer.flush()
  await producer.detach()
  expect(failures).toEqual([])
}

/** The producer leaves it to its `fetch` to send again what the network lost. */
const persistent: typeof fetch = async (...request) => {
  for (;;) {
    try {
      return await fetch(...request)
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
  }
}

/** How long a batch that was read may take to be handed out. */
const HAND_OUT_MS = 100

test.each(["long-poll", "sse"] as const)(
  `what a producer was acknowledged is what a reader by %s gets: in order, once (seed ${SEED})`,
  { timeout: DONE_MS_MAX },
  async (live) => {
    const { served, proxy, direct, rough } = await between()
    const numbers = Array.from({ length: MESSAGES }, (_, n) => n)
    const handle = await DurableStream.create({ url: direct, contentType: "application/json" })
    const seen: number[] = []
    const follow = async (): Promise<void> => {
      let offset = "-1"
      for (;;) {
        try {
          const reader = await stream<number>({ url: rough, live, offset, backoffOptions: BACKOFF })
          reader.subscribeJson((batch) => {
            seen.push(...batch.items)
            offset = batch.offset
          })
          await reader.closed
          // This client calls itself closed before it hands out its last batch.
          await new Promise((resolve) => setTimeout(resolve, HAND_OUT_MS))
          if (reader.streamClosed) return
        } catch {
          // A cut answer ends this client's session: it goes on from the last batch that came whole.
          continue
        }
      }
    }
    const following = follow()
    await produce(rough, numbers)
    proxy.calm()
    await handle.close()
    await following
    expect(seen).toEqual(numbers)
    for (const fate of ["lost", "unanswered", "twice", "late"] as const) expect(proxy.fates[fate]).toBeGreaterThan(0)
    expect(served.errors).toEqual([])
  },
)

test(
  `a StreamDB behind it is always as the stream was at some time, and in the end as it is (seed ${SEED})`,
  {
    timeout: DONE_MS_MAX,
  },
  async () => {
    const { proxy, direct, rough } = await between()
    await DurableStream.create({ url: direct, contentType: "application/json" })
    const open = () => {
      const streamOptions = { url: rough, contentType: "application/json", backoffOptions: BACKOFF }
      const db = createStreamDB({ streamOptions, state: schema, live: "long-poll" })
      onTestFinished(() => db.close())
      const rows = (): { id: string; n: number }[] =>
        [...db.collections.rows.values()].map(({ id, n }) => ({ id, n })).toSorted((a, b) => a.n - b.n)
      const loaded = db.preload()
      // It may be refused long before anybody waits for it.
      loaded.catch(() => undefined)
      return { loaded, rows }
    }
    const values = Array.from({ length: MESSAGES }, (_, n) => ({ id: `r${n % 20}`, n }))
    const early = open()
    const looks: (readonly { id: string; n: number }[])[] = []
    const looking = setInterval(() => looks.push(early.rows()), 5)
    await produce(
      rough,
      values.map((value) => schema.rows.upsert({ value })),
    )
    // An answer that is cut in its middle ends this client's session for good. Before it has loaded, `preload` rejects; after, it says so on
    // the console alone and its rows stay as they are: that is for whoever uses it to begin anew.
    await Promise.race([early.loaded.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 500))])
    clearInterval(looking)
    for (const rows of looks) expect(rows).toEqual(values.slice(0, (rows.at(-1)?.n ?? -1) + 1).slice(-20))
    proxy.calm()
    const late = open()
    await late.loaded
    await vi.waitFor(() => expect(late.rows()).toEqual(values.slice(-20)), { timeout: DONE_MS_MAX / 2 })
  },
)
