import { START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import { frameJson, parseJson } from "@rouse/store"
import type { Store } from "@rouse/store"
import { describe, expect, it } from "vitest"
import { append, closeOnly, create, fork, refused } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"

const ALL = 1_000_000
const TEXT = "text/plain"

export async function messages(store: Store, path: string, from: Offset = START): Promise<unknown> {
  return parseJson((await store.read(path, from, ALL)).chunks)
}

/** Appends one message and says what offset is behind it. */
async function add(store: Store, path: string, message: string | number): Promise<Offset> {
  return (await store.commit({ ops: [append(path, message)] })).streams[path]?.next as Offset
}

async function text(store: Store, path: string): Promise<string> {
  return Buffer.concat((await store.read(path, START, ALL)).chunks).toString()
}

function write(path: string, data: string) {
  return append(path, null, { data: Buffer.from(data) })
}

export function forkTests(fixture: Fixture): void {
  describe("fork", () => {
    it("begins with its source's bytes, and the two go on apart", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), append("a", 1), append("a", 2)] })
      const { streams } = await store.commit({ ops: [fork("b", "a")] })
      expect(streams["b"]).toMatchObject({ created: true, closed: false, next: (await store.stream("b"))?.next })
      await store.commit({ ops: [append("a", "source"), append("b", "fork"), closeOnly("a")] })
      expect(await messages(store, "a")).toEqual([1, 2, "source"])
      expect(await messages(store, "b")).toEqual([1, 2, "fork"])
      expect(await store.stream("b")).toMatchObject({ closed: false, contentType: "application/json" })
    })

    it("is made at any offset of the source, and of what the source was made of", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a")] })
      const offsets = [START, await add(store, "a", 0), await add(store, "a", 1), await add(store, "a", 2)]
      await store.commit({ ops: [fork("b", "a")] })
      offsets.push(await add(store, "b", 3), await add(store, "b", 4))
      for (const [n, offset] of offsets.entries()) {
        await store.commit({ ops: [fork(`f${n}`, "b", { offset }), append(`f${n}`, "own")] })
        expect(await messages(store, `f${n}`)).toEqual([...[0, 1, 2, 3, 4].slice(0, n), "own"])
      }
    })

    it("reads on from every offset of its source before the fork point, and refuses those behind it", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a")] })
      const [one, two] = [await add(store, "a", 1), await add(store, "a", 2)]
      await store.commit({ ops: [fork("b", "a", { offset: two }), append("b", 3)] })
      const behind = await add(store, "a", 9)
      expect(await messages(store, "b", one)).toEqual([2, 3])
      expect(await messages(store, "b", two)).toEqual([3])
      await refused(store.read("b", behind, ALL), "BAD_OFFSET")
      await refused(store.read("a", (await store.stream("b"))?.next as Offset, ALL), "BAD_OFFSET")
      expect(await messages(store, "a", two)).toEqual([9])
    })

    it("reads in pieces over a whole line, with offsets that sort", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("s0")] })
      const sent: number[] = []
      for (let n = 0; n < 24; n += 1) {
        const path = `s${Math.floor(n / 4)}`
        if (n % 4 === 0 && n > 0) await store.commit({ ops: [fork(path, `s${n / 4 - 1}`)] })
        await add(store, path, n)
        sent.push(n)
      }
      for (const bytesMax of [0, 1, 7, 30, ALL]) {
        const got: unknown[] = []
        const offsets: string[] = []
        let from: Offset = START
        for (let upToDate = false; !upToDate;) {
          const read = await store.read("s5", from, bytesMax)
          got.push(...(parseJson(read.chunks) as unknown[]))
          from = read.next
          upToDate = read.upToDate
          offsets.push(read.start)
        }
        expect(got).toEqual(sent)
        expect(from).toBe((await store.stream("s5"))?.next)
        expect([...offsets, from]).toEqual([...offsets, from].toSorted())
        expect(new Set([...offsets, from]).size).toBe(offsets.length + 1)
      }
    })

    it("takes a part of a batch along: bytes of a stream of bytes, messages of a JSON stream", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("t", { contentType: TEXT }), write("t", "abcdef"), write("t", "ghi")] })
      await store.commit({
        ops: [fork("t4", "t", { offset: START, subOffset: 4 }), write("t4", "X"), write("t", "jkl")],
      })
      await store.commit({ ops: [fork("t2", "t4", { offset: START, subOffset: 2, data: Buffer.from("Y") })] })
      expect([await text(store, "t4"), await text(store, "t2")]).toEqual(["abcdX", "abY"])
      await refused(store.commit({ ops: [fork("t5", "t4", { offset: START, subOffset: 5 })] }), "BAD_OFFSET")
      await refused(store.commit({ ops: [fork("t1", "t", { subOffset: 1 })] }), "BAD_OFFSET")
      const batch = [{ a: [1, "},"] }, 'a "quoted" \\, one', [[2], {}], 3]
      await store.commit({ ops: [create("j"), append("j", 0), append("j", null, { data: frameJson(batch) })] })
      const { next: base } = await store.read("j", START, 1)
      for (let subOffset = 0; subOffset <= batch.length; subOffset += 1) {
        const path = `j${subOffset}`
        await store.commit({ ops: [fork(path, "j", { offset: base, subOffset }), append(path, "own")] })
        expect(await messages(store, path)).toEqual([0, ...batch.slice(0, subOffset), "own"])
      }
      const details = await refused(
        store.commit({ ops: [fork("x", "j", { offset: base, subOffset: 5 })] }),
        "BAD_OFFSET",
      )
      expect(details).toMatchObject({ field: "subOffset" })
    })

    it("is made once, and found there whatever its source does", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), append("a", [1]), create("other")] })
      const made = fork("b", "a", { offset: START, subOffset: 1 })
      await store.commit({ ops: [made] })
      await store.commit({ ops: [append("a", 2), { op: "deleteStream", path: "a" }] })
      expect((await store.commit({ ops: [made] })).streams["b"]?.created).toBe(false)
      expect((await store.commit({ ops: [fork("b", "a", { subOffset: 1 })] })).streams["b"]?.created).toBe(false)
      const differing = { source: "other", subOffset: 0, contentType: TEXT, ttlSeconds: 1, closed: true }
      for (const [field, value] of Object.entries(differing)) {
        const details = await refused(store.commit({ ops: [{ ...made, [field]: value }] }), "ALREADY_EXISTS")
        expect(details).toMatchObject({ path: "b", field })
      }
      await refused(store.commit({ ops: [create("b")] }), "ALREADY_EXISTS")
      await refused(store.commit({ ops: [fork("other", "a")] }), "ALREADY_EXISTS")
    })

    it("refuses what cannot be forked, and leaves no trace", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), append("a", 1)] })
      await refused(store.commit({ ops: [fork("b", "none")] }), "UNKNOWN_STREAM")
      await refused(store.commit({ ops: [fork("b", "a", { contentType: TEXT })] }), "CONTENT_TYPE_MISMATCH")
      for (const offset of ["0000000000000000_0000000000000009", "x"] as Offset[]) {
        await refused(store.commit({ ops: [fork("b", "a", { offset })] }), "BAD_OFFSET")
      }
      await refused(store.commit({ ops: [fork("b", "a"), append("none", 1)] }), "UNKNOWN_STREAM")
      expect(await store.stream("b")).toBeUndefined()
      await store.commit({ ops: [{ op: "deleteStream", path: "a" }] })
      expect(await store.stream("a")).toBeUndefined()
    })

    it("knows no producer and no sequence of its source", async () => {
      const store = await fixture.open()
      const producer = { id: "p", epoch: 3, seq: 0 }
      await store.commit({ ops: [create("a"), append("a", 1, { producer, streamSeq: "b" }), fork("f", "a")] })
      expect(await store.commit({ ops: [append("f", 2, { producer, streamSeq: "a" })] })).toMatchObject({
        applied: true,
      })
      expect(await messages(store, "f")).toEqual([1, 2])
    })

    it("is made in the commit that makes its source, part of a batch and all", async () => {
      const store = await fixture.open()
      const data = frameJson([1, 2, 3])
      await store.commit({
        ops: [create("a", { data }), fork("b", "a", { offset: START, subOffset: 2 }), fork("c", "b")],
      })
      expect(await messages(store, "c")).toEqual([1, 2])
    })

    it("has a bounded number of streams above it", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("s0"), append("s0", "root")] })
      const depths = Array.from({ length: 100 }, (_, n) => n + 1)
      await store.commit({ ops: depths.map((n) => fork(`s${n}`, `s${n - 1}`)) })
      expect(await messages(store, "s100")).toEqual(["root"])
      const details = await refused(store.commit({ ops: [fork("s101", "s100")] }), "BAD_REQUEST")
      expect(details).toMatchObject({ field: "source", depthMax: 100 })
      await store.commit({ ops: [fork("sibling", "s99")] })
    })
  })
}
