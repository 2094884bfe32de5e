import { START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import { parseJson } from "@rouse/store"
import type { Op, Store } from "@rouse/store"
import { describe, expect, it } from "vitest"
import { append, closeOnly, create, fork, NOW, putRow, refused, spawn } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"

const ALL = 1_000_000
const HOUR_MS = 3_600_000
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A stream of messages 0 to `count - 1`, each a batch; the offsets after each. */
async function numbered(store: Store, path: string, count: number): Promise<Offset[]> {
  await store.commit({ ops: [create(path)] })
  const offsets: Offset[] = []
  for (let n = 0; n < count; n += 1) {
    const { streams } = await store.commit({ ops: [append(path, n)] })
    offsets.push(streams[path]?.next as Offset)
  }
  return offsets
}

async function messages(store: Store, path: string, from: Offset = START): Promise<unknown> {
  return parseJson((await store.read(path, from, ALL)).chunks)
}

function trimOp(path: string, to: Offset | undefined, data?: Uint8Array): Op {
  return { op: "trimStream", path, to: to ?? START, ...(data && { data }) }
}

async function sweepAll(store: Store, nowMs: number): Promise<number> {
  let dropped = 0
  for (let count = 1; count > 0; dropped += count) count = await store.sweep(nowMs)
  return dropped
}

export function retentionTests(fixture: Fixture): void {
  describe("reading back", () => {
    it("gives the batches before an offset, whole, in order, about as many bytes as asked", async () => {
      const store = await fixture.open()
      const offsets = await numbered(store, "a", 10)
      const [after6, tail] = [offsets[6] as Offset, offsets[9] as Offset]
      expect(parseJson((await store.readBack("a", tail, ALL)).chunks)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      const some = await store.readBack("a", after6, 6)
      expect(parseJson(some.chunks)).toEqual([4, 5, 6])
      expect(some).toMatchObject({ start: offsets[3], next: after6, upToDate: false })
      expect(parseJson((await store.readBack("a", tail, 0)).chunks)).toEqual([9])
      expect((await store.readBack("a", START, ALL)).chunks).toEqual([])
      await refused(store.readBack("none", START, ALL), "UNKNOWN_STREAM")
    })
  })

  describe("live rows", () => {
    it("are given with the offset that the same commit left", async () => {
      const store = await fixture.open()
      expect(await store.liveRows("/t/a", "entities/t/a")).toBeUndefined()
      await store.commit({ ops: [...spawn("/t/a"), putRow("/t/a", "c", "k", { n: 1 }), putRow("/t/a", "b", "k", "x")] })
      const live = await store.liveRows("/t/a", "entities/t/a")
      expect(live?.info).toEqual(await store.stream("entities/t/a"))
      expect(live?.rows).toEqual([
        { collection: "b", key: "k", json: '"x"' },
        { collection: "c", key: "k", json: '{"n":1}' },
      ])
      expect((await store.liveRows("/t/a", "entities/t/a", "b"))?.rows).toHaveLength(1)
    })

    it("and their offset never tell different commits, though both change all the time", async () => {
      const store = await fixture.open()
      await store.commit({ ops: spawn("/t/a") })
      const written = { last: 0 }
      const write = async (): Promise<void> => {
        for (let n = 1; n <= 100; n += 1) {
          await store.commit({ ops: [append("entities/t/a", n), putRow("/t/a", "c", "k", n)] })
          written.last = n
        }
      }
      const writing = write()
      let seen = 0
      while (written.last < 100) {
        const live = await store.liveRows("/t/a", "entities/t/a")
        const row = Number(live?.rows[0]?.json ?? 0)
        const before = live === undefined ? [] : (await store.readBack("entities/t/a", live.info.next, 0)).chunks
        expect(before.length === 0 ? 0 : parseJson(before)[0]).toBe(row)
        seen += 1
        await new Promise((resolve) => setTimeout(resolve, 0))
      }
      await writing
      expect(seen).toBeGreaterThan(0)
    })
  })

  describe("snapshots", () => {
    it("are kept by offset: the newest, and the newest at or before one", async () => {
      const store = await fixture.open()
      const offsets = await numbered(store, "a", 4)
      expect(await store.snapshot("a")).toBeUndefined()
      const keep = async (n: number): Promise<unknown> =>
        store.commit({ ops: [{ op: "putSnapshot", path: "a", at: offsets[n] as Offset, data: bytes(`s${n}`) }] })
      await keep(1)
      expect(await store.snapshot("a")).toEqual({ info: await store.stream("a"), at: offsets[1], data: bytes("s1") })
      expect(await store.snapshot("a", offsets[0])).toBeUndefined()
      await keep(3)
      await keep(2)
      expect(await store.snapshot("a")).toMatchObject({ at: offsets[3], data: bytes("s3") })
      expect(await store.snapshot("a", offsets[2])).toBeUndefined()
    })

    it("are refused of what is no offset of the stream, and go with it", async () => {
      const store = await fixture.open()
      const [first] = await numbered(store, "a", 1)
      const put = (path: string) =>
        store.commit({ ops: [{ op: "putSnapshot", path, at: first as Offset, data: bytes("s") }] })
      await put("a")
      await refused(put("none"), "UNKNOWN_STREAM")
      await store.commit({ ops: [{ op: "deleteStream", path: "a" }] })
      await numbered(store, "a", 2)
      await refused(put("a"), "BAD_OFFSET")
      expect(await store.snapshot("a")).toBeUndefined()
    })
  })

  describe("trimming", () => {
    it("moves no offset: what is above the horizon is the same, what is below is gone and says from where on there is more", async () => {
      const { store, reopen } = await fixture.openOnce()
      const offsets = await numbered(store, "a", 10)
      const to = offsets[5] as Offset
      const before = await store.read("a", to, ALL)
      await store.commit({ ops: [{ op: "trimStream", path: "a", to, data: bytes("base") }] })
      for (const swept of [false, true]) {
        if (swept) expect(await sweepAll(store, NOW)).toBe(6)
        for (const from of [START, ...offsets.slice(0, 5)]) {
          expect(await refused(store.read("a", from, ALL), "GONE")).toEqual({ path: "a", offset: from, horizon: to })
          await refused(store.readBack("a", from, ALL), "GONE")
        }
        expect(await store.read("a", to, ALL)).toEqual({ ...before, info: { ...before.info, horizon: to } })
        expect(await messages(store, "a", offsets[7])).toEqual([8, 9])
        expect(parseJson((await store.readBack("a", offsets[9] as Offset, ALL)).chunks)).toEqual([6, 7, 8, 9])
        expect(await store.snapshot("a", to)).toMatchObject({ at: to, data: bytes("base") })
      }
      await store.commit({ ops: [append("a", 10)] })
      const again = (await reopen?.()) ?? store
      expect(await messages(again, "a", to)).toEqual([6, 7, 8, 9, 10])
      await refused(again.read("a", START, ALL), "GONE")
    })

    it("goes to the end of a batch, never to the tail, and never back", async () => {
      const store = await fixture.open()
      const offsets = await numbered(store, "a", 4)
      const trim = (to: Offset) => store.commit({ ops: [{ op: "trimStream", path: "a", to }] })
      await refused(trim(offsets[3] as Offset), "BAD_OFFSET")
      await refused(trim(`${offsets[0]?.slice(0, -1)}1` as Offset), "BAD_OFFSET")
      await trim(offsets[2] as Offset)
      await trim(offsets[1] as Offset)
      await trim(START)
      expect((await store.stream("a"))?.horizon).toBe(offsets[2])
      await refused(store.commit({ ops: [{ op: "trimStream", path: "none", to: START }] }), "UNKNOWN_STREAM")
      await sweepAll(store, NOW)
      await store.commit({ ops: [closeOnly("a")] })
      expect(await store.stream("a")).toMatchObject({ next: offsets[3], closed: true, horizon: offsets[2] })
    })

    it("keeps the snapshot at the horizon when newer ones come, and drops those below", async () => {
      const store = await fixture.open()
      const offsets = await numbered(store, "a", 6)
      const keep = async (n: number): Promise<unknown> =>
        store.commit({ ops: [{ op: "putSnapshot", path: "a", at: offsets[n] as Offset, data: bytes(`s${n}`) }] })
      await keep(1)
      await store.commit({ ops: [{ op: "trimStream", path: "a", to: offsets[2] as Offset, data: bytes("base") }] })
      await keep(3)
      await keep(5)
      expect(await store.snapshot("a")).toMatchObject({ at: offsets[5] })
      expect(await store.snapshot("a", offsets[4])).toMatchObject({ at: offsets[2], data: bytes("base") })
      await refused(keep(1), "GONE")
      await store.commit({ ops: [{ op: "trimStream", path: "a", to: offsets[4] as Offset }] })
      expect(await store.snapshot("a", offsets[4])).toBeUndefined()
      expect(await store.snapshot("a")).toMatchObject({ at: offsets[5] })
    })

    it("does not take what a pin needs, until it is dropped", async () => {
      const store = await fixture.open()
      const offsets = await numbered(store, "a", 6)
      const pin = (holder: string, n: number) =>
        store.commit({ ops: [{ op: "putPin", path: "a", holder, at: offsets[n] as Offset }] })
      const trim = (n: number) => store.commit({ ops: [{ op: "trimStream", path: "a", to: offsets[n] as Offset }] })
      const drop = (holder: string) => store.commit({ ops: [{ op: "dropPin", path: "a", holder }] })
      await pin("x", 1)
      await pin("y", 3)
      const details = await refused(trim(2), "CONFLICT")
      expect(details).toEqual({ path: "a", pinned: offsets[1] })
      expect((await store.trimmable("a", { nowMs: NOW }))?.to).toBe(offsets[1])
      await trim(1)
      await pin("x", 4)
      expect((await store.trimmable("a", { nowMs: NOW }))?.to).toBe(offsets[3])
      await refused(pin("z", 0), "GONE")
      await drop("y")
      await drop("y")
      expect((await store.trimmable("a", { nowMs: NOW }))?.to).toBe(offsets[4])
      await refused(trim(5), "BAD_OFFSET")
      await refused(
        store.commit({ ops: [{ op: "putPin", path: "b", holder: "x", at: START }, create("b")] }),
        "UNKNOWN_STREAM",
      )
      const both = [
        { op: "putPin", path: "a", holder: "w", at: offsets[2] as Offset } as const,
        { op: "trimStream", path: "a", to: offsets[4] as Offset } as const,
      ]
      await refused(store.commit({ ops: both }), "CONFLICT")
      await drop("x")
      await trim(4)
      await store.commit({ ops: [{ op: "dropPin", path: "none", holder: "x" }] })
    })

    it("keeps what is young, by marks that sweeps make, and what is near the tail", async () => {
      const store = await fixture.open()
      const old = await numbered(store, "a", 3)
      await store.sweep(NOW)
      const young: Offset[] = []
      for (let n = 3; n < 6; n += 1) {
        young.push((await store.commit({ ops: [append("a", n)] })).streams["a"]?.next as Offset)
      }
      const trimmable = async (nowMs: number, keep: { ageMs?: number; bytes?: number }): Promise<Offset | undefined> =>
        (await store.trimmable("a", { nowMs, ...keep }))?.to
      expect(await trimmable(NOW + HOUR_MS - 1, { ageMs: HOUR_MS })).toBeUndefined()
      expect(await trimmable(NOW + HOUR_MS, { ageMs: HOUR_MS })).toBe(old[2])
      await store.sweep(NOW + HOUR_MS)
      expect(await trimmable(NOW + 2 * HOUR_MS, { ageMs: HOUR_MS })).toBe(young[1])
      expect(await trimmable(NOW + 2 * HOUR_MS, { ageMs: 2 * HOUR_MS })).toBe(old[2])
      expect(await trimmable(NOW, {})).toBe(young[1])
      expect(await trimmable(NOW, { bytes: 6 })).toBe(old[2])
      expect(await trimmable(NOW, { bytes: 7 })).toBe(old[1])
      expect(await trimmable(NOW, { bytes: 12 })).toBeUndefined()
      expect(await trimmable(NOW + 2 * HOUR_MS, { ageMs: HOUR_MS, bytes: 8 })).toBe(old[1])
      expect(await store.trimmable("a", { nowMs: NOW })).toEqual({ to: young[1], bytes: 10 })
      expect(await store.trimmable("none", { nowMs: NOW })).toBeUndefined()
    })

    it("takes no batch for older than it is because another was dropped", async () => {
      const store = await fixture.open()
      await numbered(store, "old", 50)
      await store.sweep(NOW)
      await store.commit({ ops: [{ op: "deleteStream", path: "old" }] })
      await sweepAll(store, NOW + 1)
      await numbered(store, "new", 10)
      expect(await store.trimmable("new", { nowMs: NOW + HOUR_MS, ageMs: HOUR_MS })).toBeUndefined()
    })

    it("finds the same end as one would by looking at every batch", async () => {
      const store = await fixture.open()
      const offsets: Offset[] = []
      await store.commit({ ops: [create("a"), create("other")] })
      for (let n = 0; n < 40; n += 1) {
        if (n % 7 === 0) await store.commit({ ops: [append("other", n)] })
        const { streams } = await store.commit({ ops: [append("a", "x".repeat((n * 13) % 31))] })
        offsets.push(streams["a"]?.next as Offset)
        await store.sweep(NOW + n * HOUR_MS)
      }
      for (let n = 0; n < 39; n += 1) {
        const found = await store.trimmable("a", { nowMs: NOW + (n + 1) * HOUR_MS, ageMs: HOUR_MS })
        expect(found?.to).toBe(offsets[n])
      }
    })

    it("drops a long history in bounded batches", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), ...Array.from({ length: 1_200 }, (_, n) => append("a", n))] })
      const there = await store.trimmable("a", { nowMs: NOW })
      await store.commit({ ops: [{ op: "trimStream", path: "a", to: there?.to as Offset }] })
      const counts: number[] = []
      for (let count = 1; count > 0; counts.push(count)) count = await store.sweep(NOW)
      expect(counts.length).toBeGreaterThan(2)
      expect(counts.reduce((sum, count) => sum + count)).toBe(1_199)
      expect(await messages(store, "a", there?.to)).toEqual([1_199])
    })
  })

  describe("trimming and forks", () => {
    it("a stream keeps all that its forks read, and may be trimmed once they are gone", async () => {
      const store = await fixture.open()
      const offsets = await numbered(store, "a", 6)
      const trim = (path: string, n: number) =>
        store.commit({ ops: [{ op: "trimStream", path, to: offsets[n] as Offset, data: bytes(`s${n}`) }] })
      await store.commit({ ops: [fork("f", "a", { offset: offsets[3] as Offset }), append("f", "own")] })
      await refused(trim("a", 1), "CONFLICT")
      expect(await store.trimmable("a", { nowMs: NOW })).toBeUndefined()
      await refused(store.commit({ ops: [fork("g", "a"), trimOp("a", offsets[1])] }), "CONFLICT")
      expect(await messages(store, "f")).toEqual([0, 1, 2, 3, "own"])
      await store.commit({ ops: [{ op: "deleteStream", path: "f" }] })
      await trim("a", 1)
      await sweepAll(store, NOW)
      expect(await messages(store, "a", offsets[1])).toEqual([2, 3, 4, 5])
    })

    it("a fork of a trimmed stream begins at its horizon, and has its snapshots up to the fork point", async () => {
      const { store, reopen } = await fixture.openOnce()
      const offsets = await numbered(store, "a", 6)
      await store.commit({ ops: [trimOp("a", offsets[1], bytes("base"))] })
      await store.commit({ ops: [{ op: "putSnapshot", path: "a", at: offsets[4] as Offset, data: bytes("new") }] })
      await refused(store.commit({ ops: [fork("f", "a", { offset: offsets[0] as Offset })] }), "GONE")
      await refused(store.commit({ ops: [fork("f", "a", { offset: START })] }), "GONE")
      await store.commit({ ops: [fork("f", "a", { offset: offsets[3] as Offset })] })
      await store.commit({ ops: [append("f", "x")] })
      await store.commit({ ops: [append("f", "y")] })
      await sweepAll(store, NOW)
      const again = (await reopen?.()) ?? store
      await refused(again.read("f", START, ALL), "GONE")
      const base = await again.snapshot("f")
      expect(base).toMatchObject({ at: offsets[1], data: bytes("base") })
      expect(await messages(again, "f", base?.at)).toEqual([2, 3, "x", "y"])
      expect(await messages(again, "f", base?.info.horizon)).toEqual([2, 3, "x", "y"])
      const tail = base?.info.next as Offset
      expect(parseJson((await again.readBack("f", tail, ALL)).chunks)).toEqual([2, 3, "x", "y"])
      expect(parseJson((await again.readBack("f", tail, 9)).chunks)).toEqual(["x", "y"])
      const own = (await again.trimmable("f", { nowMs: NOW }))?.to
      await again.commit({ ops: [trimOp("f", own, bytes("own"))] })
      await sweepAll(again, NOW)
      expect(await messages(again, "f", own)).toEqual(["y"])
      expect(await again.snapshot("f")).toMatchObject({ at: own, data: bytes("own") })
      expect(await messages(again, "a", offsets[1])).toEqual([2, 3, 4, 5])
    })
  })

  describe("paths", () => {
    it("are listed by prefix, in byte order, page by page", async () => {
      const store = await fixture.open()
      const paths = ["a/1", "a/2", "a/3", "a", "ab", "b/1", "a/\u{1f600}"]
      await store.commit({ ops: paths.map((path) => create(path)) })
      expect(await store.streamPaths({ prefix: "a/", limit: 2 })).toEqual(["a/1", "a/2"])
      expect(await store.streamPaths({ prefix: "a/", after: "a/2", limit: 9 })).toEqual(["a/3", "a/\u{1f600}"])
      expect(await store.streamPaths({ prefix: "", limit: 9 })).toHaveLength(7)
      const fork = { op: "forkStream", path: "c", source: "a/1", nowMs: 0 } as const
      await store.commit({ ops: [fork, { op: "deleteStream", path: "a/1" }] })
      expect(await store.streamPaths({ prefix: "a/", limit: 1 })).toEqual(["a/2"])
    })
  })
}
