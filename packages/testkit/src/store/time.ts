import { START } from "@rouse/protocol"
import { describe, expect, it } from "vitest"
import { append, create, NOW, put, refused } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"

export function timeTests(fixture: Fixture): void {
  describe("due times", () => {
    it("entities and timers are due earliest first, up to the limit", async () => {
      const store = await fixture.open()
      expect(await store.nextDueAtMs()).toBeUndefined()
      const due = [30, 10, 20, 40]
      await store.commit({ ops: [...due.map((at) => put(`/t/e${at}`, { dueAtMs: NOW + at })), put("/t/never")] })
      const timer = (id: string, at: number) => ({ id, dueAtMs: NOW + at, url: "/t/e10", payload: { id } })
      await store.commit({ ops: due.map((at) => ({ op: "putTimer", timer: timer(`x${at}`, at + 1) }) as const) })
      expect((await store.dueEntities(NOW + 30, 10)).map(({ url }) => url)).toEqual(["/t/e10", "/t/e20", "/t/e30"])
      expect((await store.dueEntities(NOW + 30, 2)).map(({ url }) => url)).toEqual(["/t/e10", "/t/e20"])
      expect(await store.dueEntities(NOW + 9, 10)).toEqual([])
      expect((await store.dueEntities(NOW + 30, 2, { type: "t" })).map(({ url }) => url)).toEqual(["/t/e10", "/t/e20"])
      expect(await store.dueEntities(NOW + 30, 2, { type: "other" })).toEqual([])
      expect(await store.dueEntities(NOW + 30, 2, { status: "stopped" })).toEqual([])
      expect(await store.dueTimers(NOW + 21, 10)).toEqual([timer("x10", 11), timer("x20", 21)])
      expect(await store.dueTimers(NOW + 100, 1)).toEqual([timer("x10", 11)])
      await store.commit({ ops: [{ op: "putTimer", timer: timer("y10", 11) }] })
      const first = { dueAtMs: NOW + 11, id: "x10" }
      expect(await store.dueTimers(NOW + 21, 2, first)).toEqual([timer("y10", 11), timer("x20", 21)])
      expect(await store.dueTimers(NOW + 21, 2, { dueAtMs: NOW + 21, id: "x20" })).toEqual([])
      expect(await store.nextDueAtMs()).toBe(NOW + 10)
    })

    it("follow what is put and deleted", async () => {
      const store = await fixture.open()
      const timer = { id: "x", dueAtMs: NOW + 3, url: "/t/a", payload: null }
      await store.commit({ ops: [put("/t/a", { dueAtMs: NOW + 1 }), { op: "putTimer", timer }] })
      await store.commit({ ops: [put("/t/a", { dueAtMs: NOW + 5 })] })
      expect(await store.nextDueAtMs()).toBe(NOW + 3)
      await store.commit({ ops: [{ op: "putTimer", timer: { ...timer, dueAtMs: NOW + 9 } }] })
      expect(await store.nextDueAtMs()).toBe(NOW + 5)
      await store.commit({ ops: [put("/t/a")] })
      expect(await store.nextDueAtMs()).toBe(NOW + 9)
      await store.commit({
        ops: [
          { op: "deleteTimer", id: "x" },
          { op: "deleteTimer", id: "none" },
        ],
      })
      expect(await store.nextDueAtMs()).toBeUndefined()
    })
  })

  describe("sweep", () => {
    it("drops expired receipts and streams, and nothing else", async () => {
      const store = await fixture.open()
      const receipt = (key: string, expiresAtMs: number) =>
        ({ op: "putReceipt", receipt: { key, fingerprint: "f", response: null, expiresAtMs } }) as const
      await store.commit({ ops: [receipt("old", NOW + 1), receipt("new", NOW + 2)] })
      await store.commit({ ops: [create("old", { expiresAtMs: NOW + 1 }), create("new", { expiresAtMs: NOW + 2 })] })
      await store.commit({ ops: [append("old", 1), append("new", 1), create("kept"), append("kept", 1)] })
      fixture.now = NOW + 1
      let dropped = 0
      for (let count = 1; count > 0; dropped += count) count = await store.sweep(fixture.now)
      expect(dropped).toBeGreaterThanOrEqual(2)
      expect(await store.receipt("old")).toBeUndefined()
      expect(await store.receipt("new")).toBeDefined()
      expect(await store.stream("old")).toBeUndefined()
      expect((await store.read("new", START, 10)).chunks).toHaveLength(1)
      expect((await store.read("kept", START, 10)).chunks).toHaveLength(1)
      await store.commit({ ops: [create("old", { nowMs: fixture.now }), append("old", 2, { nowMs: fixture.now })] })
      expect((await store.read("old", START, 10)).chunks).toHaveLength(1)
    })

    it("works in bounded batches, and ends", async () => {
      const store = await fixture.open()
      const many = Array.from({ length: 1_200 }, (_, n) => n)
      await store.commit({
        ops: many.map((n) => ({
          op: "putReceipt",
          receipt: { key: `k${n}`, fingerprint: "f", response: null, expiresAtMs: NOW },
        })),
      })
      await store.commit({ ops: [create("long"), ...many.map((n) => append("long", n))] })
      await store.commit({ ops: [{ op: "deleteStream", path: "long" }] })
      const counts: number[] = []
      for (let count = 1; count > 0; counts.push(count)) count = await store.sweep(NOW)
      expect(counts.length).toBeGreaterThan(2)
      expect(counts.reduce((sum, count) => sum + count)).toBe(2_400)
      await refused(store.read("long", START, 10), "UNKNOWN_STREAM")
    })
  })
}
