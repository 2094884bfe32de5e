import { START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import { parseJson } from "@rouse/store"
import type { Store } from "@rouse/store"
import { describe, expect, it } from "vitest"
import { append, closeOnly, create, NOW, refused } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"

const ALL = 1_000_000

async function messages(store: Store, path: string, from: Offset = START): Promise<unknown> {
  return parseJson((await store.read(path, from, ALL)).chunks)
}

export function streamTests(fixture: Fixture): void {
  describe("create", () => {
    it("makes a stream once, and finds an equal one there", async () => {
      const store = await fixture.open()
      const first = await store.commit({ ops: [create("a", { ttlSeconds: 60 })] })
      const again = await store.commit({ ops: [create("a", { ttlSeconds: 60, nowMs: NOW + 1 })] })
      expect(first.streams["a"]).toMatchObject({ created: true, closed: false })
      expect(again.streams["a"]).toEqual({ ...first.streams["a"], created: false })
      expect(await store.stream("a")).toMatchObject({
        path: "a",
        contentType: "application/json",
        createdAtMs: NOW,
        ttlSeconds: 60,
        next: first.streams["a"]?.next,
      })
    })

    it("refuses one that differs, naming the field", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a")] })
      const differing = { contentType: "text/plain", ttlSeconds: 1, expiresAtMs: NOW + 1, closed: true }
      for (const [field, value] of Object.entries(differing)) {
        const details = await refused(store.commit({ ops: [create("a", { [field]: value })] }), "ALREADY_EXISTS")
        expect(details).toEqual({ path: "a", field })
      }
      const other = await store.commit({ ops: [create("a", { contentType: "Application/JSON; charset=utf-8" })] })
      expect(other.streams["a"]?.created).toBe(false)
    })

    it("takes initial data, and may close at once", async () => {
      const store = await fixture.open()
      const { data } = append("a", 1)
      const { streams } = await store.commit({ ops: [create("a", { data, closed: true })] })
      expect(await messages(store, "a")).toEqual([1])
      expect(streams["a"]).toMatchObject({ closed: true, created: true })
      await refused(store.commit({ ops: [append("a", 2)] }), "STREAM_CLOSED")
    })

    it("creates and appends in one commit", async () => {
      const store = await fixture.open()
      const { streams } = await store.commit({ ops: [create("a"), append("a", 1), append("a", 2, { close: true })] })
      const info = await store.stream("a")
      expect(streams["a"]).toEqual({ created: true, next: info?.next, closed: true })
      expect(await messages(store, "a")).toEqual([1, 2])
    })
  })

  describe("append and read", () => {
    it("gives back the bytes, whole batches, in order", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), create("b")] })
      for (let n = 0; n < 5; n += 1) await store.commit({ ops: [append("a", n), append("b", -n)] })
      expect(await messages(store, "a")).toEqual([0, 1, 2, 3, 4])
      expect(await messages(store, "b")).toEqual([0, -1, -2, -3, -4])
    })

    it("reads in pieces that join to the whole", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a")] })
      const sent = Array.from({ length: 20 }, (_, n) => "x".repeat(n * 7))
      for (const message of sent) await store.commit({ ops: [append("a", message)] })
      for (const bytesMax of [0, 1, 30, 100, 1_000]) {
        const got: unknown[] = []
        const offsets: string[] = []
        let from: Offset = START
        for (let upToDate = false; !upToDate;) {
          const piece = await store.read("a", from, bytesMax)
          expect(piece.chunks.length).toBeGreaterThan(0)
          if (from !== START) expect(piece.start).toBe(from)
          got.push(...parseJson(piece.chunks))
          offsets.push(piece.next)
          from = piece.next
          upToDate = piece.upToDate
        }
        expect(got).toEqual(sent)
        expect(offsets).toEqual([...offsets].sort())
        expect(from).toBe((await store.stream("a"))?.next)
      }
    })

    it("tells batches apart when it is asked, of what was read", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), append("a", 1), append("a", 2)] })
      const read = await store.read("a", START, ALL)
      await store.commit({ ops: [append("a", 3)] })
      expect(read.chunks.map((chunk) => parseJson([chunk]))).toEqual([[1], [2]])
    })

    it("gives the rest of a long read piece by piece, as it was when it began", async () => {
      const store = await fixture.open()
      const sent = Array.from({ length: 9 }, (_, n) => String(n).repeat(30_000))
      await store.commit({ ops: [create("a"), ...sent.map((text) => append("a", text))] })
      for (const firstBytes of [1, 65_000, 200_000, 10_000_000]) {
        const read = await store.read("a", START, 250_000, firstBytes)
        const whole = await store.read("a", START, 250_000)
        expect({ start: read.start, next: read.next, upToDate: read.upToDate }).toEqual({
          start: whole.start,
          next: whole.next,
          upToDate: false,
        })
        const pieces = [read.data]
        for (let piece = read.rest?.next(); piece !== undefined; piece = read.rest?.next()) pieces.push(piece)
        expect(read.rest?.bytes ?? 0).toBe(0)
        expect(Buffer.concat(pieces).equals(whole.data)).toBe(true)
        for (const piece of read.rest === undefined ? [] : pieces) piece.fill(0)
        expect(Buffer.concat((await store.read("a", START, 250_000)).chunks).equals(whole.data)).toBe(true)
        await store.commit({ ops: [append("a", "later")] })
      }
    })

    it("refuses the rest of a read whose stream was deleted and swept", async () => {
      const store = await fixture.open()
      const long = "x".repeat(100_000)
      await store.commit({ ops: [create("a"), append("a", long), append("a", long)] })
      const { rest } = await store.read("a", START, ALL, 1)
      await store.commit({ ops: [{ op: "deleteStream", path: "a" }] })
      while ((await store.sweep(0)) > 0);
      if (rest !== undefined) expect(() => rest.next()).toThrow(expect.objectContaining({ code: "UNKNOWN_STREAM" }))
    })

    it("reads nothing at the tail", async () => {
      const store = await fixture.open()
      const { streams } = await store.commit({ ops: [create("a"), append("a", 1)] })
      const next = streams["a"]?.next as Offset
      expect(await store.read("a", next, ALL)).toMatchObject({ chunks: [], start: next, next, upToDate: true })
    })

    it("refuses what is not an offset of the stream", async () => {
      const store = await fixture.open()
      const first = await store.commit({ ops: [create("a"), append("a", "first")] })
      const next = first.streams["a"]?.next as string
      const inside = next.replace(/.$/, (digit) => String(Number(digit) - 1))
      const past = next.replace(/.$/, (digit) => String(Number(digit) + 1))
      for (const bad of ["", "0", "now", "-2", "x", inside, past, `${next} `, next.toUpperCase() + "0"]) {
        await refused(store.read("a", bad as Offset, ALL), "BAD_OFFSET")
      }
      await refused(store.read("nowhere", START, ALL), "UNKNOWN_STREAM")
      expect(await store.stream("nowhere")).toBeUndefined()
    })

    it("refuses an offset of an earlier stream at the same path", async () => {
      const store = await fixture.open()
      const first = await store.commit({ ops: [create("a"), append("a", 1)] })
      const before = await store.stream("a")
      await store.commit({ ops: [{ op: "deleteStream", path: "a" }] })
      await store.commit({ ops: [create("a"), append("a", 2)] })
      expect((await store.stream("a"))?.incarnation).not.toBe(before?.incarnation)
      await refused(store.read("a", first.streams["a"]?.next as Offset, ALL), "BAD_OFFSET")
      expect(await messages(store, "a")).toEqual([2])
    })

    it("refuses an unknown stream, another type, and no bytes", async () => {
      const store = await fixture.open()
      await refused(store.commit({ ops: [append("a", 1)] }), "UNKNOWN_STREAM")
      await refused(store.commit({ ops: [{ op: "deleteStream", path: "a" }] }), "UNKNOWN_STREAM")
      await store.commit({ ops: [create("a")] })
      await refused(store.commit({ ops: [append("a", 1, { contentType: "text/plain" })] }), "CONTENT_TYPE_MISMATCH")
      await refused(store.commit({ ops: [append("a", 1, { data: new Uint8Array() })] }), "BAD_REQUEST")
      await store.commit({ ops: [append("a", 1, { contentType: "application/JSON;charset=utf-8" })] })
      expect(await messages(store, "a")).toEqual([1])
    })

    it("keeps the bytes of a small view of a large buffer", async () => {
      const store = await fixture.open()
      const data = Buffer.from("[1],[2],[3],").subarray(4, 8)
      await store.commit({ ops: [create("a"), append("a", 0, { data })] })
      expect(await messages(store, "a")).toEqual([[2]])
    })
  })

  describe("close", () => {
    it("ends a stream for good, says where, and may be repeated", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), append("a", 1)] })
      const closed = await store.commit({ ops: [closeOnly("a")] })
      const again = await store.commit({ ops: [closeOnly("a", { contentType: "text/plain" })] })
      expect(again.streams["a"]).toEqual(closed.streams["a"])
      const details = await refused(store.commit({ ops: [append("a", 2)] }), "STREAM_CLOSED")
      expect(details["next"]).toBe(closed.streams["a"]?.next)
      await refused(store.commit({ ops: [append("a", 2, { close: true })] }), "STREAM_CLOSED")
      expect(await store.stream("a")).toMatchObject({ closed: true })
      expect(await messages(store, "a")).toEqual([1])
    })
  })

  describe("Stream-Seq", () => {
    it("must grow, byte by byte", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), append("a", 1, { streamSeq: "a2" })] })
      for (const streamSeq of ["a2", "a10", "a", "A3"]) {
        const details = await refused(store.commit({ ops: [append("a", 2, { streamSeq })] }), "SEQUENCE_REGRESSION")
        expect(details).toMatchObject({ last: "a2", received: streamSeq })
      }
      await store.commit({ ops: [append("a", 2)] })
      await store.commit({ ops: [append("a", 3, { streamSeq: "a20" })] })
      await store.commit({ ops: [append("a", 4, { streamSeq: "\uffee" })] })
      await store.commit({ ops: [append("a", 5, { streamSeq: "\u{1f600}" })] })
      expect(await messages(store, "a")).toEqual([1, 2, 3, 4, 5])
    })
  })

  describe("expiry", () => {
    it("a time to live begins anew when the stream is used; an absolute expiry stays", async () => {
      const store = await fixture.open()
      await store.commit({ ops: ["read", "written", "idle"].map((path) => create(path, { ttlSeconds: 10 })) })
      await store.commit({ ops: [create("at", { expiresAtMs: NOW + 10_000 })] })
      const nowMs = NOW + 9_000
      const touch = (path: string) => ({ op: "touchStream", path, nowMs }) as const
      await store.commit({ ops: [touch("read"), touch("at"), touch("none"), append("written", 1, { nowMs })] })
      fixture.now = NOW + 18_999
      const alive = await Promise.all(["read", "written", "idle", "at"].map((path) => store.stream(path)))
      expect(alive.map((info) => info !== undefined)).toEqual([true, true, false, false])
      fixture.now = NOW + 19_000
      expect(await store.stream("read")).toBeUndefined()
    })

    it("makes a stream as if absent, and its path free", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("ttl", { ttlSeconds: 10 }), create("at", { expiresAtMs: NOW + 10_000 })] })
      fixture.now = NOW + 9_999
      expect(await store.stream("ttl")).toMatchObject({ ttlSeconds: 10 })
      expect(await store.stream("at")).toMatchObject({ expiresAtMs: NOW + 10_000 })
      fixture.now = NOW + 10_000
      for (const path of ["ttl", "at"]) {
        expect(await store.stream(path)).toBeUndefined()
        await refused(store.read(path, START, ALL), "UNKNOWN_STREAM")
        await refused(store.commit({ ops: [append(path, 1, { nowMs: fixture.now })] }), "UNKNOWN_STREAM")
        const made = await store.commit({ ops: [create(path, { contentType: "text/plain", nowMs: fixture.now })] })
        expect(made.streams[path]?.created).toBe(true)
      }
    })
  })
}
