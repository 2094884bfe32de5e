import { START } from "@rouse/protocol"
import type { EntityRecord, StreamListener } from "@rouse/store"
import { describe, expect, it } from "vitest"
import { append, closeOnly, create, NOW, put, putRow, record, refused, spawn } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"

type StreamEvent = Parameters<StreamListener>[0]

export function lifeTests(fixture: Fixture): void {
  describe("listeners", () => {
    it("hear of a stream's appends, close and delete, in order, when they can be read", async () => {
      const store = await fixture.open()
      const heard: StreamEvent[] = []
      const readable: Promise<boolean>[] = []
      const stop = store.watchStream("a", (event) => {
        heard.push(event)
        if (!event.deleted) readable.push(store.read("a", event.next, 10).then(({ start }) => start === event.next))
      })
      const other = store.watchStream("b", () => expect.unreachable())
      const made = await store.commit({ ops: [create("a")] })
      const appended = await Promise.all([1, 2, 3].map((n) => store.commit({ ops: [append("a", n)] })))
      const closed = await store.commit({ ops: [closeOnly("a")] })
      expect(await Promise.all(readable)).toEqual([true, true, true, true, true])
      await store.commit({ ops: [{ op: "deleteStream", path: "a" }] })
      stop()
      other()
      await store.commit({ ops: [create("a"), create("b")] })
      expect(heard.slice(0, -1)).toEqual(
        [made, ...appended, closed].map(({ streams }, n) => ({
          next: streams["a"]?.next,
          closed: n === 4,
          deleted: false,
        })),
      )
      expect(heard.at(-1)).toMatchObject({ deleted: true })
      expect(heard).toHaveLength(6)
    })

    it("hear nothing of what was refused or repeated", async () => {
      const store = await fixture.open()
      const made = await store.commit({
        ops: [create("a"), append("a", 1, { producer: { id: "p", epoch: 0, seq: 0 } }), put("/t/a")],
      })
      const [events, puts]: [StreamEvent[], EntityRecord[]] = [[], []]
      store.watchStream("a", (event) => events.push(event))
      store.watchEntities((put) => puts.push(put))
      await refused(store.commit({ ops: [append("a", 1), put("/t/a"), append("none", 1)] }), "UNKNOWN_STREAM")
      const producer = { id: "p", epoch: 0, seq: 0 }
      await store.commit({ ops: [put("/t/a"), append("a", 1, { producer })] })
      // What was there before it watched, a store of several replicas may tell.
      const before = { next: made.streams["a"]?.next, closed: false, deleted: false }
      expect([[], [before]]).toContainEqual(events)
      expect([[], [{ ...record("/t/a"), version: 1 }]]).toContainEqual(puts)
    })

    it("hear of expired streams when they are swept", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a", { expiresAtMs: NOW })] })
      const heard: boolean[] = []
      store.watchStream("a", ({ deleted }) => heard.push(deleted))
      await store.sweep(NOW)
      expect(heard.at(-1)).toBe(true)
    })

    it("hear of each put of an entity, with its record, until they stop", async () => {
      const store = await fixture.open()
      const heard: EntityRecord[] = []
      const stop = store.watchEntities((put) => heard.push(put))
      await store.commit({ ops: [put("/t/a"), put("/t/b"), put("/t/a", { status: "running" })] })
      stop()
      stop()
      await store.commit({ ops: [put("/t/a")] })
      expect(heard).toEqual([
        { ...record("/t/a"), version: 1 },
        { ...record("/t/b"), version: 1 },
        { ...record("/t/a", { status: "running" }), version: 2 },
      ])
    })

    it("the same function may listen twice", async () => {
      const store = await fixture.open()
      let heard = 0
      const listener = (): void => {
        heard += 1
      }
      const [stop] = [store.watchStream("a", listener), store.watchStream("a", listener)]
      await store.commit({ ops: [create("a")] })
      stop()
      await store.commit({ ops: [append("a", 1)] })
      expect(heard).toBe(3)
    })
  })

  describe("life", () => {
    it("is writable when it says so", async () => {
      const store = await fixture.open()
      await store.check()
    })

    it("close waits for what is under way, and refuses what comes after", async () => {
      const { store } = await fixture.openOnce()
      const underWay = Array.from({ length: 50 }, (_, n) => store.commit({ ops: [create(`s${n}`)] }))
      const closing = store.close()
      expect((await Promise.all(underWay)).every(({ applied }) => applied)).toBe(true)
      await closing
      await store.close()
      for (const late of [
        store.commit({ ops: [] }),
        store.stream("s1"),
        store.entities({ limit: 1 }),
        store.check(),
        store.sweep(0),
      ]) {
        await refused(late, "SHUTTING_DOWN")
      }
    })

    it("keeps everything over a close", async () => {
      const { store, reopen } = await fixture.openOnce()
      if (reopen === undefined) return
      const producer = { id: "p", epoch: 2, seq: 0 }
      await store.commit({ ops: [...spawn("/t/a", { epoch: 4, tags: { x: "1" } }), putRow("/t/a", "c", "k", [1])] })
      await store.commit({
        guards: [{ kind: "lease", url: "/t/a", epoch: 4, seq: 3 }],
        ops: [append("entities/t/a", 1, { producer })],
      })
      const before = await snapshot(store)
      const again = await reopen()
      expect(await snapshot(again)).toEqual(before)
      const repeated = { guards: [{ kind: "lease", url: "/t/a", epoch: 4, seq: 3 }], ops: [] } as const
      expect(await again.commit(repeated)).toMatchObject({ applied: false })
      expect(await again.commit({ ops: [append("entities/t/a", 1, { producer })] })).toMatchObject({ applied: false })
      await again.commit({ ops: [...spawn("/t/b"), putRow("/t/b", "c", "k", 2)] })
      expect(await again.rows("/t/a")).toEqual(before.rows)
      expect((await again.stream("entities/t/b"))?.incarnation).not.toBe(before.stream?.incarnation)
    })
  })

  async function snapshot(store: Awaited<ReturnType<Fixture["open"]>>) {
    return {
      entity: await store.entity("/t/a"),
      rows: await store.rows("/t/a"),
      stream: await store.stream("entities/t/a"),
      read: (await store.read("entities/t/a", START, 100)).chunks,
      list: await store.entities({ tag: { name: "x" }, limit: 5 }),
    }
  }
}
