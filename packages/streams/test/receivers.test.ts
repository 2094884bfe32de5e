import type { WebhookResponse } from "@rouse/streams"
import * as fc from "fast-check"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { Receivers, RECEIVER_DELIVERIES_MAX } from "../src/subscriptions/receivers.ts"
import { says, World } from "./subscription-world.ts"

/** A slow receiver is its own problem. */

describe("places at receivers", () => {
  test("each has so many, and who is held is told by turns once there is room", () => {
    const receivers = new Receivers()
    for (let n = 0; n < RECEIVER_DELIVERIES_MAX; n++) {
      expect(receivers.take("a", `a${n}`)).toBe(true)
      expect(receivers.take("b", `b${n}`)).toBe(true)
    }
    for (const id of ["a8", "a9", "b8", "a8"]) expect(receivers.take(id.slice(0, 1), id)).toBe(false)
    expect([receivers.held, receivers.next(9)]).toEqual([3, []])
    receivers.give("a")
    receivers.give("a")
    receivers.give("b")
    expect(receivers.next(2)).toEqual(["a8", "b8"])
    expect(receivers.next(0)).toEqual([])
    expect(receivers.next(9)).toEqual(["a9"])
    expect(receivers.held).toBe(0)
  })

  test("never more than so many, and none is forgotten but by its time or name", () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant("take"), origin: fc.constantFrom("a", "b"), n: fc.nat(40) }),
        fc.record({ kind: fc.constant("give"), origin: fc.constantFrom("a", "b"), n: fc.nat(40) }),
        fc.record({ kind: fc.constant("next"), origin: fc.constant("a"), n: fc.nat(12) }),
      ),
      { maxLength: 200 },
    )
    fc.assert(
      fc.property(steps, (given) => {
        const receivers = new Receivers()
        const taken = new Map<string, number>()
        const held = new Set<string>()
        for (const { kind, origin, n } of given) {
          const count = taken.get(origin) ?? 0
          if (kind === "take") {
            const ok = receivers.take(origin, `${origin}${n}`)
            expect(ok).toBe(count < RECEIVER_DELIVERIES_MAX)
            if (ok) taken.set(origin, count + 1)
            else held.add(`${origin}${n}`)
          } else if (kind === "give" && count > 0) {
            receivers.give(origin)
            taken.set(origin, count - 1)
          } else if (kind === "next") {
            for (const id of receivers.next(n)) expect(held.delete(id)).toBe(true)
          }
          expect(receivers.held).toBe(held.size)
        }
      }),
    )
  })
})

describe("deliveries", () => {
  let world: World
  beforeEach(async () => {
    world = await World.open()
  })
  afterEach(() => world.close())

  /** How many subscriptions the slow receiver has: more than are looked at together, and than may be under way. */
  const SLOW = 300

  const subscribe = (id: string, host: string, path: string) =>
    world.subscribe(id, { pattern: null, streams: [path], webhook: { url: `https://${host}/${id}` } })

  /** A receiver that answers when it is told to. */
  function hold(): { readonly answers: (() => void)[]; most: () => number } {
    const answers: (() => void)[] = []
    let now = 0
    let most = 0
    world.receive = ({ url }): Promise<WebhookResponse> => {
      if (url.host !== "slow.example.com") return Promise.resolve(says(200, { done: true }))
      most = Math.max(most, ++now)
      return new Promise((resolve) =>
        answers.push(() => {
          now -= 1
          resolve(says(200, { done: true }))
        }),
      )
    }
    return { answers, most: () => most }
  }

  const sentTo = (host: string): string[] =>
    world.sent.filter(({ url }) => url.host === host).map(({ url }) => url.pathname)

  test("a receiver that is slow, with everything due before all others, holds nobody else up and gets it all", async () => {
    const { answers, most } = hold()
    await world.ask("PUT", "a")
    await world.ask("PUT", "b")
    for (let n = 0; n < SLOW; n++) await subscribe(`s${n}`, "slow.example.com", "a")
    for (let n = 0; n < 20; n++) await subscribe(`q${n}`, "quick.example.com", "b")
    await world.append("a")
    await world.until(() => answers.length === RECEIVER_DELIVERIES_MAX)
    await world.after(1)
    await world.append("b")
    await world.until(() => sentTo("quick.example.com").length === 20)
    expect(sentTo("slow.example.com")).toHaveLength(RECEIVER_DELIVERIES_MAX)
    for (let answered = 0; answered < SLOW; answered++) {
      await world.until(() => answers.length > answered)
      answers[answered]?.()
    }
    await world.until(async () => (await world.store.nextSubscriptionDueAtMs()) === undefined)
    expect(new Set(sentTo("slow.example.com")).size).toBe(SLOW)
    expect(sentTo("slow.example.com")).toHaveLength(SLOW)
    expect(most()).toBe(RECEIVER_DELIVERIES_MAX)
    expect(world.errors).toEqual([])
  }, 60_000)

  test("more slow receivers than there are places take turns", async () => {
    const hosts = Array.from({ length: 12 }, (_, n) => `slow${n}.example.com`)
    const answers: (() => void)[] = []
    world.receive = () => new Promise((resolve) => answers.push(() => resolve(says(200, { done: true }))))
    await world.ask("PUT", "a")
    for (const [at, host] of hosts.entries()) for (let n = 0; n < 20; n++) await subscribe(`s${at}-${n}`, host, "a")
    await world.append("a")
    for (let answered = 0; answered < 150; answered++) {
      await world.until(() => answers.length > answered)
      answers[answered]?.()
    }
    for (const host of hosts) expect(sentTo(host).length).toBeGreaterThan(0)
  }, 60_000)
})
