import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { openStore } from "@rouse/store"
import { expect, onTestFinished, test } from "vitest"
import { CrashWriter } from "./crash-load.ts"
import { serveStreams } from "./serve.ts"
import { startStreams } from "./streams-process.ts"

/** `ROUSE_CRASHES=200` for the long run. */
const CRASHES = Number(process.env["ROUSE_CRASHES"] ?? 8)
const LIFE_MS_MAX = 250
const MS_PER_CRASH_MAX = 6_000

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
