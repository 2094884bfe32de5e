import { START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import type { Op, Store, SubscribedStream, SubscriptionInput } from "@rouse/store"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { append, create, NOW, refused } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"

/** The limits are part of the contract; the suite does not wait for `SUBSCRIPTIONS_MAX` commits. */
const BROAD_MAX = 64
const SETTLED_MAX = 1_000

function subscribe(id: string, changes: Partial<SubscriptionInput> = {}): Op {
  const rest = { pattern: null, wakeStream: null, idle: true, dueAtMs: null, config: "{}", state: "{}" }
  return { op: "subscription", change: { kind: "put", record: { id, ...rest, ...changes }, nowMs: NOW } }
}

function link(id: string, path: string): Op {
  return { op: "subscription", change: { kind: "link", id, path, nowMs: NOW } }
}

function unlink(id: string, path: string): Op {
  return { op: "subscription", change: { kind: "unlink", id, path } }
}

function ack(id: string, path: string, offset: Offset, lenient = false): Op {
  return { op: "subscription", change: { kind: "ack", id, path, offset, lenient, nowMs: NOW } }
}

async function tail(store: Store, path: string): Promise<Offset> {
  const info = await store.stream(path)
  if (info === undefined) throw new Error(`there is no stream ${path}`)
  return info.next
}

async function only(store: Store, id: string): Promise<SubscribedStream> {
  const [stream, ...others] = await store.subscribedStreams(id, 10)
  expect(others).toEqual([])
  if (stream === undefined) throw new Error(`${id} has no stream`)
  return stream
}

export function subscriptionTests(fixture: Fixture): void {
  describe("subscriptions", () => {
    it("an append makes who is idle due in its own commit, once", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), subscribe("s"), link("s", "a")] })
      expect(await store.nextSubscriptionDueAtMs()).toBeUndefined()
      const told: number[] = []
      const unwatch = store.watchSubscriptions((dueAtMs) => told.push(dueAtMs))
      const first = await store.commit({ ops: [append("a", 1, { nowMs: NOW + 5 })] })
      expect(first.subscriptionDueAtMs).toBe(NOW + 5)
      const again = await store.commit({ ops: [append("a", 2, { nowMs: NOW + 9 })] })
      expect(again.subscriptionDueAtMs).toBeUndefined()
      unwatch()
      expect(told).toEqual([NOW + 5])
      expect((await store.dueSubscriptions(NOW + 5, 9)).map(({ id, pending }) => [id, pending])).toEqual([["s", 1]])
      expect(await store.dueSubscriptions(NOW + 4, 9)).toEqual([])
      const stream = await only(store, "s")
      expect(stream).toEqual({ path: "a", explicit: true, acked: START, next: await tail(store, "a"), pending: true })
    })

    it("what is due is told from the earliest, and in pages", async () => {
      const store = await fixture.open()
      const due = [3, 1, 2, 1, 9].map((at, n) => subscribe(`s${n}`, { idle: false, dueAtMs: NOW + at }))
      await store.commit({ ops: due })
      const seen: string[] = []
      let after: { dueAtMs: number; serial: number } | undefined
      for (;;) {
        const page = await store.dueSubscriptions(NOW + 3, 2, after)
        seen.push(...page.map(({ id }) => id))
        const last = page.at(-1)
        if (last === undefined) break
        after = { dueAtMs: last.dueAtMs ?? 0, serial: last.serial }
      }
      expect(seen).toEqual(["s1", "s3", "s2", "s0"])
    })

    it("a silent append, one that is refused, and one to another stream make nobody due", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), create("b"), subscribe("s"), link("s", "a")] })
      await store.commit({ ops: [append("a", 1, { silent: true }), append("b", 1)] })
      await refused(store.commit({ ops: [append("a", 1), append("none", 1)] }), "UNKNOWN_STREAM")
      expect(await store.nextSubscriptionDueAtMs()).toBeUndefined()
    })

    it("who is not idle is made due when it is put idle while a stream is pending, and not otherwise", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), subscribe("s", { idle: false, dueAtMs: NOW + 99 }), link("s", "a")] })
      await store.commit({ ops: [append("a", 1)] })
      expect(await store.nextSubscriptionDueAtMs()).toBe(NOW + 99)
      const next = await tail(store, "a")
      await store.commit({ ops: [append("a", 2)] })
      const partly = await store.commit({ ops: [ack("s", "a", next), subscribe("s")] })
      expect(partly.subscriptionDueAtMs).toBe(NOW)
      const wholly = await store.commit({ ops: [ack("s", "a", await tail(store, "a")), subscribe("s")] })
      expect(wholly.subscriptionDueAtMs).toBeUndefined()
      expect(await store.nextSubscriptionDueAtMs()).toBeUndefined()
    })

    it("streams that match a pattern join when they grow, with what came after the subscription", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("e/old"), append("e/old", "before"), subscribe("s", { pattern: "e/*" })] })
      expect(await store.subscribedStreams("s", 9)).toEqual([])
      const before = await tail(store, "e/old")
      await store.commit({ ops: [append("e/old", 1), create("e/new"), create("e/new/deep"), append("e/new/deep", 1)] })
      expect(await only(store, "s")).toMatchObject({ path: "e/old", explicit: false, acked: before, pending: true })
      await store.commit({ ops: [append("e/new", 1)] })
      const paths = (await store.subscribedStreams("s", 9)).map(({ path, acked }) => [path, acked])
      expect(paths).toEqual([
        ["e/new", START],
        ["e/old", before],
      ])
      expect(await store.subscription("s")).toMatchObject({ pending: 2, links: 2 })
    })

    it.each([
      ["*", ["a"], ["a/b"]],
      ["**", ["a", "a/b", "a/b/c"], []],
      ["a/**", ["a", "a/b", "a/b/c"], ["b", "b/a"]],
      ["**/z", ["z", "a/z", "a/b/z"], ["a/z/b"]],
      ["a/*/z", ["a/b/z"], ["a/z", "a/b/c/z"]],
      ["a/**/z/**", ["a/z", "a/b/z/c/d"], ["z", "a/b"]],
      ["a/%2A", ["a/*"], ["a/b"]],
    ])("the pattern %s", async (pattern, matching, others) => {
      const store = await fixture.open()
      await store.commit({ ops: [subscribe("s", { pattern })] })
      const paths = [...matching, ...others]
      await store.commit({ ops: paths.flatMap((path) => [create(path), append(path, 1)]) })
      expect((await store.subscribedStreams("s", 99)).map(({ path }) => path)).toEqual(matching.toSorted())
    })

    it("a pattern does not match the stream that tells of its own wakes", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [subscribe("s", { pattern: "**", wakeStream: "w" }), create("w"), append("w", 1)] })
      expect(await store.subscribedStreams("s", 9)).toEqual([])
    })

    it("a cursor only moves forward, and no further than the end", async () => {
      const store = await fixture.open()
      const ops = [create("a"), create("b"), append("b", 1), subscribe("s", { idle: false }), link("s", "a")]
      await store.commit({ ops })
      await store.commit({ ops: [append("a", 1)] })
      const first = await tail(store, "a")
      await store.commit({ ops: [append("a", 2)] })
      const second = await tail(store, "a")
      await store.commit({ ops: [ack("s", "a", second)] })
      await store.commit({ ops: [ack("s", "a", second)] })
      for (const [path, offset] of [
        ["a", first],
        ["a", START],
        ["a", "rubbish" as Offset],
        ["a", await tail(store, "b")],
        ["a", second.replace(/\d{3}$/, "999") as Offset],
        ["b", await tail(store, "b")],
        ["none", second],
      ] as const) {
        await refused(store.commit({ ops: [append("a", 3), ack("s", path, offset)] }), "ACK_REFUSED")
        await store.commit({ ops: [ack("s", path, offset, true)] })
      }
      expect(await only(store, "s")).toMatchObject({ acked: second, pending: false })
      await refused(store.commit({ ops: [ack("none", "a", second)] }), "UNKNOWN_SUBSCRIPTION")
    })

    it("names and unnames streams; what the pattern matches stays", async () => {
      const store = await fixture.open()
      await store.commit({
        ops: [subscribe("s", { pattern: "e/*" }), link("s", "e/a"), link("s", "x"), link("s", "x")],
      })
      await store.commit({ ops: [create("e/a"), append("e/a", 1), create("x"), append("x", 1)] })
      expect(await store.subscription("s")).toMatchObject({ pending: 2, links: 2 })
      await store.commit({ ops: [unlink("s", "e/a"), unlink("s", "x"), unlink("s", "never")] })
      expect(await only(store, "s")).toMatchObject({ path: "e/a", explicit: false, pending: true })
      expect(await store.subscription("s")).toMatchObject({ pending: 1, links: 1 })
    })

    it.each(["deleted", "expired and replaced", "expired and swept"])(
      "a stream that is %s is nobody's any more",
      async (how) => {
        const store = await fixture.open()
        const expiring = create("e/a", { expiresAtMs: NOW + 10 })
        const patterns = [subscribe("named"), link("named", "e/a"), subscribe("matched", { pattern: "e/*" })]
        await store.commit({ ops: [...patterns, expiring, append("e/a", 1)] })
        fixture.now = NOW + 20
        if (how === "deleted") await store.commit({ ops: [{ op: "deleteStream", path: "e/a" }] })
        if (how === "expired and swept") await store.sweep(NOW + 20)
        await store.commit({ ops: [create("e/a", { nowMs: NOW + 20 })] })
        expect(await only(store, "named")).toMatchObject({ path: "e/a", acked: START, next: START, pending: false })
        expect(await store.subscribedStreams("matched", 9)).toEqual([])
        expect(await store.subscription("named")).toMatchObject({ pending: 0, links: 1 })
        expect(await store.subscription("matched")).toMatchObject({ pending: 0, links: 0 })
        await store.commit({ ops: [append("e/a", 1, { nowMs: NOW + 20 })] })
        expect(await only(store, "named")).toMatchObject({ acked: START, pending: true })
        expect(await only(store, "matched")).toMatchObject({ acked: START, pending: true })
      },
    )

    it("a guard fences a record that was changed; growing streams do not change it", async () => {
      const store = await fixture.open()
      const put = (version: number) =>
        store.commit({ guards: [{ kind: "subscription", id: "s", version }], ops: [subscribe("s", { pattern: "*" })] })
      await put(0)
      await refused(put(0), "CONFLICT")
      await store.commit({ ops: [create("a"), append("a", 1)] })
      await put(1)
      expect(await refused(put(1), "CONFLICT")).toMatchObject({ guard: "subscription", id: "s", version: 2 })
    })

    it("a deleted one leaves nothing, and one of the same name is another", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), subscribe("s", { pattern: "*" }), append("a", 1)] })
      const before = await store.subscription("s")
      const remove: Op = { op: "subscription", change: { kind: "delete", id: "s" } }
      await store.commit({ ops: [remove, append("a", 2)] })
      await store.commit({ ops: [remove, append("a", 3)] })
      expect(await store.subscription("s")).toBeUndefined()
      expect(await store.nextSubscriptionDueAtMs()).toBeUndefined()
      await store.commit({ ops: [subscribe("s")] })
      expect((await store.subscription("s"))?.serial).toBeGreaterThan(before?.serial ?? Infinity)
      expect(await store.subscribedStreams("s", 9)).toEqual([])
    })

    it("a fork is news from its beginning, and is acknowledged by its source's offsets too", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("src"), append("src", 1)] })
      const first = await tail(store, "src")
      await store.commit({ ops: [append("src", 2), subscribe("s", { pattern: "f/*", idle: false })] })
      await store.commit({ ops: [{ op: "forkStream", path: "f/a", source: "src", nowMs: NOW }] })
      expect(await only(store, "s")).toMatchObject({ acked: START, next: await tail(store, "f/a"), pending: true })
      await store.commit({ ops: [ack("s", "f/a", first)] })
      expect(await only(store, "s")).toMatchObject({ acked: first, pending: true })
      await store.commit({ ops: [append("src", 3), append("f/a", 3)] })
      await refused(store.commit({ ops: [ack("s", "f/a", await tail(store, "src"))] }), "ACK_REFUSED")
      await store.commit({ ops: [ack("s", "f/a", await tail(store, "f/a"))] })
      expect(await store.subscription("s")).toMatchObject({ pending: 0 })
    })

    it("what is after a cursor is not trimmed", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), append("a", 0), subscribe("s", { pattern: "a", idle: false })] })
      const before = await tail(store, "a")
      for (const n of [1, 2, 3]) await store.commit({ ops: [append("a", n)] })
      const keep = { nowMs: NOW, bytes: 1 }
      expect(await store.trimmable("a", keep)).toMatchObject({ to: before })
      const { next } = await store.read("a", before, 1)
      await refused(store.commit({ ops: [{ op: "trimStream", path: "a", to: next }] }), "CONFLICT")
      await store.commit({ ops: [ack("s", "a", await tail(store, "a"))] })
      await store.commit({ ops: [{ op: "trimStream", path: "a", to: next }] })
    })

    it("a stream that is deleted and kept for its forks is nobody's any more", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("e/src"), subscribe("s", { pattern: "e/*" }), append("e/src", 1)] })
      await store.commit({ ops: [{ op: "forkStream", path: "fork", source: "e/src", nowMs: NOW }] })
      await store.commit({ ops: [{ op: "deleteStream", path: "e/src" }] })
      expect(await store.subscription("s")).toMatchObject({ pending: 0, links: 0 })
    })

    it("so many may match everything, and no more", async () => {
      const store = await fixture.open()
      const names = Array.from({ length: BROAD_MAX }, (_, n) => `s${n}`)
      for (const name of names) await store.commit({ ops: [subscribe(name, { pattern: "**" })] })
      const details = await refused(store.commit({ ops: [subscribe("more", { pattern: "*/x" })] }), "LIMIT_REACHED")
      expect(details).toMatchObject({ field: "pattern", max: BROAD_MAX })
      await store.commit({ ops: [subscribe("narrow", { pattern: "x/**" }), subscribe("s0", { pattern: "**" })] })
      await store.commit({ ops: [{ op: "subscription", change: { kind: "delete", id: "s0" } }] })
      await store.commit({ ops: [subscribe("more", { pattern: "*/x" })] })
      const { subscriptionDueAtMs } = await store.commit({ ops: [create("a/x"), append("a/x", 1)] })
      expect(subscriptionDueAtMs).toBe(NOW)
      expect(await store.dueSubscriptions(NOW, 99)).toHaveLength(BROAD_MAX)
    })

    it("streams that only a pattern names are forgotten when they are handled and too many", async () => {
      const store = await fixture.open()
      const paths = Array.from({ length: SETTLED_MAX + 5 }, (_, n) => `e${n}`)
      await store.commit({ ops: [subscribe("s", { pattern: "**", idle: false })] })
      await store.commit({ ops: paths.flatMap((path) => [create(path), append(path, 1)]) })
      expect(await store.subscription("s")).toMatchObject({ links: SETTLED_MAX + 5, pending: SETTLED_MAX + 5 })
      const acks = (await store.subscribedStreams("s", 9_999)).map(({ path, next }) => ack("s", path, next))
      await store.commit({ ops: acks })
      expect(await store.subscription("s")).toMatchObject({ links: SETTLED_MAX, pending: 0 })
      const before = await tail(store, "e0")
      await store.commit({ ops: [append("e0", 2)] })
      expect(await store.subscribedStreams("s", 1)).toMatchObject([{ path: "e0", acked: before, pending: true }])
    })

    it("all of it is there after the store was closed", async ({ skip }) => {
      const { store, reopen } = await fixture.openOnce()
      if (reopen === undefined) return skip("nothing outlives a close")
      const ops: Op[] = [subscribe("s", { pattern: "e/*", config: "c", state: "t" }), create("e/a"), append("e/a", 1)]
      await store.commit({ ops: [...ops, { op: "secret", name: "k/1", secret: "hush", nowMs: NOW }] })
      const before = [await store.subscription("s"), await store.subscribedStreams("s", 9)]
      const again = await reopen()
      expect([await again.subscription("s"), await again.subscribedStreams("s", 9)]).toEqual(before)
      expect(await again.secrets("k/")).toEqual([{ name: "k/1", value: "hush", createdAtMs: NOW }])
      await again.commit({
        ops: [create("e/b"), append("e/b", 1), { op: "secret", name: "k/1", secret: null, nowMs: NOW }],
      })
      expect(await again.subscription("s")).toMatchObject({ pending: 2 })
      expect(await again.secrets("")).toEqual([])
      return undefined
    })

    it("pending is what is after the cursor, whatever happens", () => checkPending(fixture))
  })
}

type Act = readonly ["append" | "ack" | "delete" | "link" | "unlink" | "idle", number]

/** Random acts on three streams, beside counts of what was appended and handled. */
async function checkPending(fixture: Fixture): Promise<void> {
  const kinds = fc.constantFrom<Act[0]>("append", "append", "append", "ack", "ack", "delete", "link", "unlink", "idle")
  const acts = fc.array(fc.tuple(kinds, fc.integer({ min: 0, max: 2 })), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(acts, async (script) => {
      const store = await fixture.open()
      await store.commit({ ops: [subscribe("s", { pattern: "g/*" })] })
      for (const [kind, n] of script) await act(store, kind, n === 0 ? "x" : `g/${n}`)
      const streams = await store.subscribedStreams("s", 9)
      for (const { acked, next, pending } of streams) expect(pending).toBe(acked !== next)
      const record = await store.subscription("s")
      expect(record).toMatchObject({ links: streams.length, pending: streams.filter(({ pending }) => pending).length })
      expect(record?.dueAtMs === null).toBe(record?.pending === 0)
    }),
    { numRuns: 30 },
  )
}

async function act(store: Store, kind: Act[0], path: string): Promise<void> {
  const known = (await store.subscribedStreams("s", 9)).find((stream) => stream.path === path)
  switch (kind) {
    case "append":
      await store.commit({ ops: [create(path), append(path, 1)] })
      return
    case "ack":
      if (known === undefined || known.next === START) return
      await store.commit({ ops: [ack("s", path, known.next), subscribe("s")] })
      return
    case "delete":
      if ((await store.stream(path)) === undefined) return
      await store.commit({ ops: [{ op: "deleteStream", path }, subscribe("s")] })
      return
    case "link":
      await store.commit({ ops: [link("s", path)] })
      return
    case "unlink":
      await store.commit({ ops: [unlink("s", path), subscribe("s")] })
      return
    case "idle":
      await store.commit({ ops: [subscribe("s")] })
  }
}
