import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openStore } from "@rouse/store"
import type { WebhookResponse } from "@rouse/streams"
import { createLocalJWKSet } from "jose"
import type { JSONWebKeySet } from "jose"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { KEY_LEAD_MS, KEY_OVERLAP_MS, scheduleKeys } from "../src/core/key-schedule.ts"
import { ManualClock } from "./manual-clock.ts"
import { BASE, HOOK, says, World } from "./subscription-world.ts"

const DAY_MS = 86_400_000

let world: World
beforeEach(async () => {
  world = await World.open()
})
afterEach(() => world.close())

async function acked(id: string, path: string): Promise<unknown> {
  const { body } = await world.ask("GET", `__ds/subscriptions/${id}`)
  return (body["streams"] as { path: string; acked_offset: string }[]).find((stream) => stream.path === path)
    ?.acked_offset
}

async function status(id: string): Promise<unknown> {
  return (await world.ask("GET", `__ds/subscriptions/${id}`)).body["status"]
}

describe("a delivery", () => {
  test("goes to the checked address, says what is pending, and holds a lease", async () => {
    await world.subscribe("s", { lease_ttl_ms: 5_000 })
    await world.append("events/a")
    await world.settle()
    expect(world.sent).toHaveLength(1)
    expect(world.sent[0]).toMatchObject({ address: "8.8.8.8", url: new URL(HOOK) })
    const notice = world.notice(0)
    expect(notice).toMatchObject({
      subscription_id: "s",
      generation: 1,
      callback_url: `${BASE}/__ds/subscriptions/s/callback`,
    })
    expect(notice.streams).toEqual([
      {
        path: "events/a",
        link_type: "glob",
        acked_offset: "-1",
        tail_offset: expect.any(String) as string,
        has_pending: true,
      },
    ])
    await world.append("events/a")
    await world.after(4_999)
    expect(world.sent).toHaveLength(1)
  })

  test("a lease that runs out makes another wake, and fences the first", async () => {
    await world.subscribe("s", { lease_ttl_ms: 5_000 })
    await world.append("events/a")
    await world.settle()
    const first = world.notice(0)
    await world.after(5_000)
    const { wake_id, generation } = first
    const late = await world.ask("POST", first.callback_url, { wake_id, generation, done: true }, first.callback_token)
    expect(late).toMatchObject({ status: 409, body: { error: { code: "FENCED" } } })
    await world.after(1_000)
    expect(world.notice(1)).toMatchObject({ generation: 2 })
    expect(world.notice(1).wake_id).not.toBe(wake_id)
  })

  test("a receiver that never acknowledges is woken ever less often", async () => {
    world.receive = () => Promise.resolve(says(200, {}))
    await world.subscribe("s", { lease_ttl_ms: 1_000 })
    await world.append("events/a")
    for (let second = 0; second < 600; second++) await world.after(1_000)
    expect(world.sent.length).toBeLessThan(20)
    expect(world.sent.length).toBeGreaterThan(8)
  }, 20_000)

  test("done at once acknowledges what was sent, and nothing that came since", async () => {
    let answer: (response: WebhookResponse) => void = () => undefined
    world.receive = () => new Promise((resolve) => (answer = resolve))
    await world.subscribe("s")
    await world.append("events/a")
    await world.settle()
    await world.append("events/a")
    await world.append("events/b")
    answer(says(200, { done: true }))
    await world.settle()
    expect(await acked("s", "events/a")).toBe(world.notice(0).streams[0]?.tail_offset)
    expect(world.notice(1)).toMatchObject({ generation: 2 })
    expect(world.notice(1).streams.map(({ path }) => path)).toEqual(["events/a", "events/b"])
  })

  test("a callback may come before the answer; the late answer changes nothing", async () => {
    let answer: (response: WebhookResponse) => void = () => undefined
    world.receive = () => new Promise((resolve) => (answer = resolve))
    await world.subscribe("s")
    await world.append("events/a")
    await world.settle()
    const { wake_id, generation, callback_url, callback_token, streams } = world.notice(0)
    const acks = [{ stream: "events/a", offset: streams[0]?.tail_offset }]
    const report = { wake_id, generation, acks, done: true }
    expect(await world.ask("POST", callback_url, report, callback_token)).toEqual({
      status: 200,
      body: { ok: true, next_wake: false },
    })
    expect(await world.ask("POST", callback_url, report, callback_token)).toMatchObject({ status: 409 })
    answer(says(500, ""))
    await world.after(60_000)
    expect(world.sent).toHaveLength(1)
    expect(await status("s")).toBe("active")
  })

  test.each([
    ["a 500", () => Promise.resolve(says(500, { done: true }))],
    ["a redirect inside", () => Promise.resolve(says(302, { done: true }))],
    ["a broken connection", () => Promise.reject(new Error("ECONNRESET"))],
  ])("%s is tried again, later each time, as the same wake", async (_, receive) => {
    world.receive = receive
    await world.subscribe("s")
    await world.append("events/a")
    await world.settle()
    const counts: number[] = [world.sent.length]
    for (const ms of [999, 1, 1_999, 1, 3_999, 1]) {
      await world.after(ms)
      counts.push(world.sent.length)
    }
    expect(counts).toEqual([1, 1, 2, 2, 3, 3, 4])
    expect(await status("s")).toBe("failed")
    expect(new Set(world.sent.map((_request, index) => world.notice(index).wake_id)).size).toBe(1)
    world.receive = () => Promise.resolve(says(200, { done: true }))
    await world.after(8_000)
    expect(await status("s")).toBe("active")
    await world.after(120_000)
    expect(world.sent).toHaveLength(5)
  })

  test.each([
    ["garbage", says(200, "{{{")],
    ["not UTF-8", { status: 204, body: new Uint8Array([0xff, 0xfe]) }],
    ["too long an answer", { status: 200, body: undefined }],
    ["null", says(200, "null")],
    ["done that is not true", says(200, { done: "true" })],
  ])("%s counts as taken", async (_, answer) => {
    world.receive = () => Promise.resolve(answer)
    await world.subscribe("s")
    await world.append("events/a")
    await world.after(29_000)
    expect(world.sent).toHaveLength(1)
    expect(await status("s")).toBe("active")
    expect(await acked("s", "events/a")).toBe("-1")
  })

  test("a receiver or a resolver that never answers is given up", async () => {
    world.receive = () => new Promise(() => undefined)
    await world.subscribe("s")
    await world.append("events/a")
    await world.settle()
    await world.after(9_999)
    expect(world.sent[0]?.signal.aborted).toBe(false)
    await world.after(1)
    expect(world.sent[0]?.signal.aborted).toBe(true)
    expect(await status("s")).toBe("failed")
    await world.after(1_000)
    expect(world.sent).toHaveLength(2)
  })

  test.each([[["10.0.0.1"]], [["8.8.8.8", "127.0.0.1"]], [["::ffff:169.254.169.254"]], [[]], [["fd00::1"]]])(
    "a name that leads to %j is not called",
    async (addresses) => {
      world.addresses = addresses
      await world.subscribe("s")
      await world.append("events/a")
      await world.settle()
      expect(world.sent).toEqual([])
      expect(await status("s")).toBe("failed")
      world.addresses = ["1.1.1.1"]
      await world.after(1_000)
      expect(world.sent).toHaveLength(1)
    },
  )

  test("many slow receivers hold up to 64 connections, and everybody is served in the end", async () => {
    const waiting: ((answer: WebhookResponse) => void)[] = []
    world.receive = () => new Promise((resolve) => waiting.push(resolve))
    for (let n = 0; n < 100; n++)
      await world.subscribe(`s${n}`, { webhook: { url: `https://receiver${n % 20}.example.com/` } })
    await world.append("events/a")
    await world.settle()
    expect(waiting).toHaveLength(64)
    for (const answer of waiting.splice(0)) answer(says(200, { done: true }))
    await world.until(() => waiting.length === 36)
  })
})

describe("the schedule", () => {
  test("is there after a restart: a retry that was due, one that is not, and an attempt that was cut off", async () => {
    const directory = mkdtempSync(join(tmpdir(), "rouse-webhooks-"))
    const clock = new ManualClock()
    const open = () => openStore({ directory, clock: () => clock.now(), sync: "off" })
    const before = await World.open({}, {}, clock, await open())
    before.receive = () => Promise.resolve(says(503, ""))
    await before.subscribe("failing")
    await before.append("events/a")
    await before.until(async () => (await before.store.subscription("failing"))?.state.includes("waiting") === true)
    before.receive = () => new Promise(() => undefined)
    await before.subscribe("cut-off", { pattern: "other/*" })
    await before.append("other/a")
    await before.until(() => before.sent.length === 2)
    await before.close()

    const after = await World.open({}, {}, clock, await open())
    after.receive = () => Promise.resolve(says(200, { done: true }))
    await after.until(async () => (await after.store.nextSubscriptionDueAtMs()) !== undefined)
    expect(after.sent).toEqual([])
    clock.advance(1_000)
    await after.until(() => after.sent.length === 1)
    expect(after.notice(0)).toMatchObject({
      subscription_id: "failing",
      generation: 1,
      wake_id: before.notice(0).wake_id,
    })
    clock.advance(14_000)
    await after.until(() => after.sent.length === 2)
    await after.settle()
    expect(after.errors).toEqual([])
    expect(after.notice(1)).toMatchObject({ subscription_id: "cut-off", wake_id: before.notice(1).wake_id })
    await after.until(async () => (await after.store.nextSubscriptionDueAtMs()) === undefined)
    const { callback_token, wake_id, generation, callback_url } = before.notice(0)
    const stale = await after.ask("POST", callback_url, { wake_id, generation }, callback_token)
    expect(stale).toMatchObject({ status: 409, body: { error: { code: "FENCED" } } })
    await after.close()
    rmSync(directory, { recursive: true })
  })

  test("a clock that is set back by a year delays nothing by more than a lease", async () => {
    world.receive = () => Promise.resolve(says(200, {}))
    await world.subscribe("s")
    await world.append("events/a")
    await world.settle()
    world.clock.set(world.clock.now() - 365 * DAY_MS)
    await world.after(30_000)
    await world.after(30_000)
    await world.after(5_000)
    expect(world.sent.length).toBeGreaterThanOrEqual(2)
  })

  test("a clock that leaps ahead ends a lease once", async () => {
    await world.subscribe("s")
    await world.append("events/a")
    await world.settle()
    world.clock.set(world.clock.now() + 365 * DAY_MS)
    await world.after(30_000)
    await world.after(1_000)
    expect(world.sent).toHaveLength(2)
  })

  test("one timer is armed, whatever the number of subscriptions, and none after the end", async () => {
    for (let n = 0; n < 50; n++) await world.subscribe(`s${n}`, { streams: [`x/${n}`] })
    await world.settle()
    expect(world.clock.armed).toBe(1)
    await world.streams.close()
    expect(world.clock.armed).toBe(0)
  })
})

describe("signatures", () => {
  async function keySet(): Promise<JSONWebKeySet> {
    return (await world.ask("GET", "__ds/jwks.json")).body as unknown as JSONWebKeySet
  }

  /** Checks as a receiver does that finds keys with `jose`. Returns the key's identifier. */
  async function verify(index: number, keys: JSONWebKeySet): Promise<string> {
    const request = world.sent.at(index)
    const [, t = "", kid = "", signature = ""] =
      /^t=(\d+),kid=([^,]+),ed25519=(.+)$/.exec(request?.headers["webhook-signature"] ?? "") ?? []
    const key = await createLocalJWKSet(keys)({ alg: "EdDSA", kid })
    const text = new TextEncoder().encode(`${t}.${request?.body}`)
    const good = await crypto.subtle.verify("Ed25519", key, Buffer.from(signature, "base64url"), text)
    if (!good) throw new Error("the signature is not the key's")
    return kid
  }

  async function deliver(): Promise<void> {
    const before = world.sent.length
    await world.append("events/a")
    await world.until(() => world.sent.length > before)
    await world.settle()
  }

  beforeEach(() => {
    world.receive = () => Promise.resolve(says(200, { done: true }))
  })

  test("are those of a published key, which outlives its successor's beginning", async () => {
    await world.subscribe("s")
    await deliver()
    const first = await verify(-1, await keySet())
    world.clock.advance(30 * DAY_MS)
    await deliver()
    const both = await keySet()
    expect(both.keys).toHaveLength(2)
    expect(await verify(-1, both)).toBe(first)
    world.clock.advance(KEY_LEAD_MS)
    await deliver()
    const second = await verify(-1, both)
    expect(second).not.toBe(first)
    await verify(0, await keySet())
    world.clock.advance(KEY_OVERLAP_MS)
    await deliver()
    const { keys } = await keySet()
    expect(keys.map(({ kid }) => kid)).toEqual([second])
    await expect(verify(0, { keys })).rejects.toThrow(/no applicable key/)
  })

  test("no private part of a key is on the wire", async () => {
    await world.subscribe("s")
    await deliver()
    const secrets = await world.store.secrets("")
    expect(secrets.length).toBeGreaterThanOrEqual(2)
    const said = [
      JSON.stringify(await keySet()),
      JSON.stringify(world.sent),
      JSON.stringify(await world.ask("GET", "__ds/subscriptions/s")),
    ].join()
    for (const { value } of secrets) expect(said).not.toContain(value)
    for (const key of (await keySet()).keys)
      expect(Object.keys(key).toSorted()).toEqual(["alg", "crv", "kid", "kty", "use", "x"])
  })

  test("a schedule always has a key to sign with, and makes one at a time", () => {
    const at = (...times: number[]) => times.map((createdAtMs) => ({ createdAtMs }))
    expect(scheduleKeys([], 0, DAY_MS)).toMatchObject({ sign: undefined, create: true })
    expect(scheduleKeys(at(1_000), 0, DAY_MS)).toMatchObject({ sign: { createdAtMs: 1_000 }, create: false })
    expect(scheduleKeys(at(0, DAY_MS), DAY_MS, DAY_MS)).toMatchObject({
      sign: { createdAtMs: 0 },
      create: false,
      drop: [],
    })
    const late = scheduleKeys(at(0, DAY_MS), 900 * DAY_MS, DAY_MS)
    expect(late).toMatchObject({ sign: { createdAtMs: DAY_MS }, create: true, drop: at(0), publish: at(DAY_MS) })
  })
})
