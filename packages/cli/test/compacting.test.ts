import { silentLog } from "@rouse/server"
import { openMemoryStore } from "@rouse/store"
import { afterEach, expect, test, vi } from "vitest"
import { collectRetention } from "../src/core/retention.ts"
import { hostStreams } from "../src/host/host-streams.ts"
import { processIo } from "../src/io.ts"

afterEach(() => vi.useRealTimers())

test("rouse streams takes away what the rules do not keep, and nothing of other streams", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  const hosted = await hostStreams(
    {
      store: openMemoryStore({ clock: Date.now }),
      host: "127.0.0.1",
      port: 0,
      tokens: [],
      retention: collectRetention("old/=1kb"),
      log: silentLog,
    },
    processIo(process, new AbortController().signal),
  )
  const headers = { "content-type": "application/json" }
  const body = JSON.stringify({ pad: "x".repeat(20_000) })
  for (const url of [`${hosted.streamsUrl}/old/a`, `${hosted.streamsUrl}/new/a`]) {
    await fetch(url, { method: "PUT", headers })
    for (let n = 0; n < 8; n++) expect((await fetch(url, { method: "POST", headers, body })).status).toBe(204)
  }
  vi.advanceTimersByTime(60_000)
  vi.useRealTimers()
  await vi.waitFor(async () => {
    const gone = await fetch(`${hosted.streamsUrl}/old/a?offset=-1`)
    expect([gone.status, await gone.json()]).toMatchObject([410, { code: "GONE" }])
  })
  const kept = await fetch(`${hosted.streamsUrl}/new/a?offset=-1`)
  expect([kept.status, ((await kept.json()) as unknown[]).length]).toEqual([200, 8])
  await hosted.close()
})
