import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { openStore } from "@rouse/store"
import { expect, onTestFinished, test, vi } from "vitest"
import { CrashWriter } from "./crash-load.ts"
import { CrashSubscriber, receiverOf } from "./crash-subscriber.ts"
import { serveStreams } from "./serve.ts"
import { startStreams } from "./streams-process.ts"
import type { StreamsProcess } from "./streams-process.ts"

/** `ROUSE_CRASHES=200` for the long run. */
const CRASHES = Number(process.env["ROUSE_CRASHES"] ?? 8)
const LIFE_MS_MAX = 250
const MS_PER_CRASH_MAX = 6_000
/** An attempt to deliver that a crash cut off counts as lost after 15 s. */
const DRAIN_MS_MAX = 40_000

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "rouse-streams-"))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test(
  `kill -9 at ${CRASHES} random moments loses nothing, halves nothing and repeats nothing`,
  {
    timeout: CRASHES * MS_PER_CRASH_MAX + 20_000,
  },
  async () => {
    const place = directory()
    const writers = Array.from({ length: 8 }, (_, n) => new CrashWriter(`crash/${n}`, n % 2 === 0))
    for (let crash = 0; crash < CRASHES; crash++) {
      const server = await startStreams(place)
      onTestFinished(() => server.kill())
      for (const writer of writers) await writer.judge(server.url)
      const writing = Promise.all(writers.map((writer) => writer.write(server.url)))
      await sleep(Math.random() * LIFE_MS_MAX)
      await server.kill()
      await writing
    }
    const server = await startStreams(place)
    onTestFinished(() => server.kill())
    for (const writer of writers) await writer.judge(server.url)
    expect(writers.reduce((sum, writer) => sum + writer.acknowledged + 1, 0)).toBeGreaterThan(CRASHES)
  },
)

test(
  `kill -9 at ${CRASHES} random moments keeps no event from a subscriber, moves no cursor back and revives no old wake`,
  {
    timeout: CRASHES * MS_PER_CRASH_MAX + DRAIN_MS_MAX + 20_000,
  },
  async () => {
    const place = directory()
    const paths = Array.from({ length: 4 }, (_, n) => `crash/${n}`)
    const writers = paths.map((path, n) => ({ path, writer: new CrashWriter(path, n % 2 === 0) }))
    const hooked = new Map(["w0", "w1", "w2", "w3"].map((id) => [id, new CrashSubscriber(id, "webhook")]))
    const workers = ["p0", "p1", "p2"].map((id) => new CrashSubscriber(id, "pull-wake"))
    const subscribers = [...hooked.values(), ...workers]
    const receiver = await receiverOf(hooked)
    onTestFinished(() => {
      receiver.server.closeAllConnections()
      receiver.server.close()
    })
    const life = async (first: boolean): Promise<StreamsProcess> => {
      const server = await startStreams(place, "--allow-loopback-webhooks")
      onTestFinished(() => server.kill())
      for (const subscriber of subscribers) {
        subscriber.moved(server.url)
        if (first) await subscriber.subscribe(server.url, "crash/*", receiver.url)
        await subscriber.judge(server.url)
      }
      for (const { writer } of writers) await writer.judge(server.url)
      return server
    }
    const never = new AbortController()
    for (let crash = 0; crash < CRASHES; crash++) {
      const server = await life(crash === 0)
      const working = Promise.all([
        ...writers.map(({ writer }) => writer.write(server.url)),
        ...workers.map((worker) => worker.pull(server.url, never.signal)),
      ])
      await sleep(Math.random() * LIFE_MS_MAX)
      await server.kill()
      await working
    }
    for (const subscriber of subscribers) subscriber.calm()
    const server = await life(false)
    const end = new AbortController()
    const working = Promise.all(workers.map((worker) => worker.pull(server.url, end.signal)))
    await vi.waitFor(
      () => {
        for (const { path, writer } of writers)
          for (const [at, subscriber] of subscribers.entries())
            expect([at, path, subscriber.hasSeen(path, writer.acknowledged)]).toEqual([at, path, true])
      },
      { timeout: DRAIN_MS_MAX, interval: 100 },
    )
    end.abort()
    await working
    for (const subscriber of subscribers) await subscriber.judge(server.url)
    const total = (count: "wakes" | "fenced"): number => subscribers.reduce((sum, { counts }) => sum + counts[count], 0)
    expect(total("wakes")).toBeGreaterThan(CRASHES)
    if (CRASHES > 50) expect(total("fenced")).toBeGreaterThan(0)
  },
)

test("a log damaged at its end is a shorter log, and takes what comes", { timeout: 60_000 }, async () => {
  for (const damage of ["cut", "garbage"] as const) {
    const place = directory()
    const server = await startStreams(place)
    onTestFinished(() => server.kill())
    const writer = new CrashWriter("damaged", false)
    const writing = writer.write(server.url)
    await sleep(300)
    await server.kill()
    await writing
    const log = join(place, ".rouse", "rouse.db-wal")
    if (damage === "cut") truncateSync(log, statSync(log).size - 5_000)
    else appendFileSync(log, Buffer.alloc(10_000, 0xa5))
    const again = await startStreams(place)
    onTestFinished(() => again.kill())
    const messages = (await (await fetch(`${again.url}/damaged`)).json()) as { batch: number; part: number }[]
    // What was cut off is gone, though it was acknowledged: a disk that forgets is beyond us. What is there is whole.
    expect(messages.map(({ batch, part }) => batch * 3 + part)).toEqual(messages.map((_, n) => n))
    if (damage === "garbage") expect(messages.length / 3).toBeGreaterThan(writer.acknowledged)
    const headers = { "content-type": "application/json" }
    expect((await fetch(`${again.url}/damaged`, { method: "POST", headers, body: "{}" })).status).toBe(204)
    await again.kill()
  }
})

test("a database cut short is refused, and left as it is", { timeout: 30_000 }, async () => {
  const place = directory()
  const store = await openStore({ directory: join(place, ".rouse"), clock: Date.now })
  await store.close()
  const file = join(place, ".rouse", "rouse.db")
  truncateSync(file, statSync(file).size - 5_000)
  const size = statSync(file).size
  await expect(startStreams(place)).rejects.toThrow(/damaged/)
  expect(statSync(file).size).toBe(size)
  expect(readdirSync(join(place, ".rouse"))).toContain("rouse.db")
})

test("a full disk refuses writes with 503 and goes on reading; nothing acknowledged is lost", async () => {
  const store = await openStore({ directory: directory(), clock: Date.now, pagesMax: 120 })
  const served = await serveStreams({ store })
  onTestFinished(() => served.close())
  const url = `${served.url}/v1/stream/full`
  const headers = { "content-type": "application/json" }
  await fetch(url, { method: "PUT", headers })
  let taken = 0
  for (;;) {
    const answer = await fetch(url, {
      method: "POST",
      headers,
      body: JSON.stringify({ n: taken, pad: "x".repeat(4_000) }),
    })
    await answer.arrayBuffer()
    if (answer.status !== 204) {
      expect(answer.status).toBe(503)
      expect(answer.headers.get("retry-after")).not.toBeNull()
      break
    }
    taken += 1
  }
  const messages = (await (await fetch(url)).json()) as { n: number }[]
  expect(taken).toBeGreaterThan(0)
  expect(messages.map(({ n }) => n)).toEqual(Array.from({ length: taken }, (_, n) => n))
})
