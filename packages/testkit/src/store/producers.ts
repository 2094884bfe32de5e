import { START } from "@rouse/protocol"
import { parseJson } from "@rouse/store"
import type { AppendOp, CommitResult, Store } from "@rouse/store"
import { describe, expect, it } from "vitest"
import { append, closeOnly, create, refused } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"

export function producerTests(fixture: Fixture): void {
  const send = (store: Store, epoch: number, seq: number, changes: Partial<AppendOp> = {}): Promise<CommitResult> =>
    store.commit({ ops: [append("a", `${epoch}.${seq}`, { producer: { id: "p", epoch, seq }, ...changes })] })
  const open = async (): Promise<Store> => {
    const store = await fixture.open()
    await store.commit({ ops: [create("a")] })
    return store
  }
  const sent = async (store: Store): Promise<unknown> => parseJson((await store.read("a", START, 1_000_000)).chunks)

  describe("producers (Durable Streams Protocol §5.2.1)", () => {
    it("applies each sequence once, and says the highest", async () => {
      const store = await open()
      await send(store, 0, 0)
      const second = await send(store, 0, 1)
      expect(second).toMatchObject({ applied: true, streams: { a: { producer: { epoch: 0, seq: 1 } } } })
      const again = await send(store, 0, 0)
      expect(again).toMatchObject({ applied: false, streams: { a: { producer: { epoch: 0, seq: 1 } } } })
      expect(again.streams["a"]?.next).toBe(second.streams["a"]?.next)
      expect(await sent(store)).toEqual(["0.0", "0.1"])
    })

    it("refuses gaps, stale epochs, and epochs that do not start at 0", async () => {
      const store = await open()
      expect(await refused(send(store, 0, 1), "SEQUENCE_GAP")).toEqual({ expected: 0, received: 1 })
      await send(store, 3, 0)
      expect(await refused(send(store, 3, 2), "SEQUENCE_GAP")).toEqual({ expected: 1, received: 2 })
      expect(await refused(send(store, 2, 0), "STALE_PRODUCER")).toEqual({ epoch: 3 })
      await refused(send(store, 4, 1), "BAD_REQUEST")
      await send(store, 4, 0)
      await refused(send(store, 3, 1), "STALE_PRODUCER")
      expect(await sent(store)).toEqual(["3.0", "4.0"])
    })

    it("knows producers and streams apart", async () => {
      const store = await open()
      await store.commit({ ops: [create("b")] })
      await send(store, 5, 0)
      await send(store, 0, 0, { producer: { id: "q", epoch: 0, seq: 0 } })
      await send(store, 0, 0, { path: "b" })
      expect(await sent(store)).toEqual(["5.0", "0.0"])
    })

    it("a repetition undoes the rest of its commit", async () => {
      const store = await open()
      await store.commit({ ops: [create("b")] })
      await send(store, 0, 0)
      const ops = [append("b", 1), append("a", 2, { producer: { id: "p", epoch: 0, seq: 0 } })]
      expect(await store.commit({ ops })).toMatchObject({ applied: false })
      expect((await store.read("b", START, 10)).chunks).toEqual([])
    })

    it("two batches of one producer in one commit follow each other", async () => {
      const store = await open()
      const batch = (seq: number): AppendOp => append("a", seq, { producer: { id: "p", epoch: 0, seq } })
      await store.commit({ ops: [batch(0), batch(1)] })
      await refused(store.commit({ ops: [batch(2), batch(4)] }), "SEQUENCE_GAP")
      expect(await sent(store)).toEqual([0, 1])
    })

    it("the append that closed a stream may be repeated, another may not", async () => {
      const store = await open()
      const producer = { id: "p", epoch: 0, seq: 1 }
      await send(store, 0, 0)
      const closing = await store.commit({ ops: [closeOnly("a", { producer })] })
      expect(closing.streams["a"]).toMatchObject({ closed: true, producer: { epoch: 0, seq: 1 } })
      expect(await store.commit({ ops: [closeOnly("a", { producer })] })).toMatchObject({
        applied: false,
        streams: { a: { closed: true, next: closing.streams["a"]?.next } },
      })
      await refused(send(store, 0, 2), "STREAM_CLOSED")
      await refused(
        store.commit({ ops: [closeOnly("a", { producer: { id: "q", epoch: 0, seq: 0 } })] }),
        "STREAM_CLOSED",
      )
    })

    it("forgets the producers of a deleted stream", async () => {
      const store = await open()
      await send(store, 7, 0)
      await store.commit({ ops: [{ op: "deleteStream", path: "a" }, create("a")] })
      expect(await send(store, 0, 0)).toMatchObject({ applied: true })
    })
  })
}
