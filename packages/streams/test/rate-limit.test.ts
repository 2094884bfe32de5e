import { createRateLimit } from "@rouse/streams"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { takeToken } from "../src/core/token-bucket.ts"
import type { Bucket } from "../src/core/token-bucket.ts"
import { ManualClock } from "./manual-clock.ts"
import { World } from "./subscription-world.ts"

describe("a bucket", () => {
  test("gives no more than its burst and what it fills by, whatever the times", () => {
    const pauses = fc.array(fc.integer({ min: -500, max: 2_000 }), { maxLength: 100 })
    fc.assert(
      fc.property(
        pauses,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        (given, perSecond, burst) => {
          let bucket: Bucket | undefined
          let taken = 0
          let passedMs = 0
          let nowMs = 1_000_000
          for (const pause of given) {
            nowMs += pause
            passedMs += Math.max(0, pause)
            const [next, waitMs] = takeToken(bucket, { perSecond, burst }, nowMs)
            bucket = next
            if (waitMs === 0) taken += 1
            else expect(takeToken(next, { perSecond, burst }, nowMs + waitMs)[1]).toBe(0)
          }
          expect(taken).toBeLessThanOrEqual(burst + (passedMs * perSecond) / 1_000 + 1)
        },
      ),
    )
  })
})

test("each key has its own bound, and is told when to come back", () => {
  const clock = new ManualClock()
  const ask = createRateLimit({ clock, perSecond: 0.5, burst: 2 })
  ask("a")
  ask("a")
  ask("b")
  expect(() => ask("a")).toThrow(expect.objectContaining({ code: "RATE_LIMITED", details: { retryAfterSeconds: 2 } }))
  clock.advance(2_000)
  ask("a")
  expect(() => ask("a")).toThrow()
})

test.each([
  [{ perSecond: 0 }, /perSecond/],
  [{ perSecond: Number.NaN }, /perSecond/],
  [{ perSecond: 1, burst: 0 }, /burst/],
])("a bound that makes no sense is refused: %j", (bounds, message) => {
  expect(() => createRateLimit({ clock: new ManualClock(), ...bounds })).toThrow(message)
})

test("more keys than are remembered cost no more memory, and nobody is refused for it", () => {
  const ask = createRateLimit({ clock: new ManualClock(), perSecond: 1, burst: 1 })
  for (let n = 0; n < 10_001; n++) ask(`k${n}`)
  ask("k0")
  expect(() => ask("k10000")).toThrow()
})

test("as a guard it answers 429 with Retry-After, to subscriptions too", async () => {
  const clock = new ManualClock()
  const ask = createRateLimit({ clock, perSecond: 1, burst: 1 })
  const world = await World.open({}, { guard: () => ask("all") }, clock)
  expect((await world.ask("PUT", "a")).status).toBe(201)
  const answer = await world.streams.fetch(new Request("https://streams.example.com/v1/stream/a"))
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "1"])
  const refused = await world.ask("GET", "__ds/subscriptions/s")
  expect([refused.status, refused.body.error?.code]).toEqual([429, "RATE_LIMITED"])
  await world.close()
})
