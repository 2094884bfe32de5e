import { START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import type { Op, Store } from "@rouse/store"
import { describe, expect, it } from "vitest"
import { append, create, fork, NOW, refused } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"
import { messages } from "./forks.ts"

const remove = (path: string): Op => ({ op: "deleteStream", path })

async function sweepAll(store: Store, nowMs: number): Promise<number[]> {
  const counts: number[] = []
  for (let count = 1; count > 0; counts.push(count)) count = await store.sweep(nowMs)
  return counts
}

/** How many rows are left to drop once a stream is deleted: what it kept. */
async function standing(store: Store, path: string): Promise<"alive" | "gone" | "absent"> {
  try {
    return (await store.stream(path)) === undefined ? "absent" : "alive"
  } catch {
    await refused(store.stream(path), "GONE")
    return "gone"
  }
}

export function forkEndTests(fixture: Fixture): void {
  describe("the end of a fork's source", () => {
    it("is put off until its last fork ends; until then it is gone for everybody else", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), append("a", 1), fork("b", "a"), fork("c", "a")] })
      const heard: boolean[] = []
      store.watchStream("a", ({ deleted }) => heard.push(deleted))
      await store.commit({ ops: [remove("a")] })
      expect(heard).toEqual([true])
      for (const work of [store.stream("a"), store.read("a", START, 10)]) await refused(work, "GONE")
      for (const op of [append("a", 2), remove("a")]) await refused(store.commit({ ops: [op] }), "GONE")
      await refused(store.commit({ ops: [create("a")] }), "ALREADY_EXISTS")
      await refused(store.commit({ ops: [fork("d", "a")] }), "FORK_SOURCE_GONE")
      await store.commit({ ops: [remove("b")] })
      await sweepAll(store, NOW)
      expect(await messages(store, "c")).toEqual([1])
      await store.commit({ ops: [remove("c")] })
      expect(await standing(store, "a")).toBe("absent")
      await store.commit({ ops: [create("a"), append("a", "new")] })
      await sweepAll(store, NOW)
      expect(await messages(store, "a")).toEqual(["new"])
    })

    it("goes up the whole line, and stops at what is alive", async () => {
      const store = await fixture.open()
      const names = ["s0", "s1", "s2", "s3"] as const
      await store.commit({ ops: [create("s0"), fork("s1", "s0"), fork("s2", "s1"), fork("s3", "s2")] })
      await store.commit({ ops: [append("s1", 1), remove("s1"), remove("s2")] })
      expect(await Promise.all(names.map((name) => standing(store, name)))).toEqual(["alive", "gone", "gone", "alive"])
      await store.commit({ ops: [remove("s3")] })
      expect(await Promise.all(names.map((name) => standing(store, name)))).toEqual([
        "alive",
        "absent",
        "absent",
        "absent",
      ])
      await store.commit({ ops: [remove("s0")] })
      expect(await standing(store, "s0")).toBe("absent")
    })

    it("drops what a line leaves behind in bounded batches", async () => {
      const store = await fixture.open()
      const many = (path: string) => Array.from({ length: 700 }, (_, n) => append(path, n))
      await store.commit({ ops: [create("a"), ...many("a"), fork("b", "a"), ...many("b"), remove("a")] })
      expect((await sweepAll(store, NOW)).reduce((sum, count) => sum + count)).toBe(0)
      await store.commit({ ops: [remove("b")] })
      const counts = await sweepAll(store, NOW)
      expect(counts.reduce((sum, count) => sum + count)).toBe(1_400)
      expect(counts.every((count) => count <= 500)).toBe(true)
    })

    it("by expiry is one too, and a fork's time is its own", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a", { ttlSeconds: 10 }), append("a", 1)] })
      await store.commit({ ops: [fork("same", "a", { nowMs: NOW + 5_000 }), fork("long", "a", { ttlSeconds: 100 })] })
      expect(await store.stream("same")).toMatchObject({ ttlSeconds: 10 })
      const at = fork("at", "a", { expiresAtMs: NOW + 60_000 })
      await store.commit({ ops: [at] })
      expect(await store.stream("at")).toMatchObject({ expiresAtMs: NOW + 60_000 })
      expect((await store.stream("at"))?.ttlSeconds).toBeUndefined()
      fixture.now = NOW + 10_000
      for (const swept of [false, true]) {
        if (swept) await sweepAll(store, fixture.now)
        expect(await standing(store, "a")).toBe("gone")
        expect(await standing(store, "same")).toBe("alive")
        await refused(store.commit({ ops: [create("a", { nowMs: fixture.now })] }), "ALREADY_EXISTS")
        await refused(store.commit({ ops: [fork("late", "a", { nowMs: fixture.now })] }), "FORK_SOURCE_GONE")
        expect(await messages(store, "long")).toEqual([1])
      }
      fixture.now = NOW + 100_000
      expect(await standing(store, "long")).toBe("absent")
      await sweepAll(store, fixture.now)
      expect(await standing(store, "a")).toBe("absent")
      await store.commit({ ops: [create("a", { nowMs: fixture.now })] })
      await refused(store.commit({ ops: [fork("at", "same", { nowMs: fixture.now })] }), "UNKNOWN_STREAM")
    })

    it("makes way where an expired fork was", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), append("a", 1), fork("b", "a", { ttlSeconds: 1 })] })
      const nowMs = NOW + 1_000
      fixture.now = nowMs
      await store.commit({ ops: [append("a", 2), fork("b", "a", { nowMs })] })
      expect(await messages(store, "b")).toEqual([1, 2])
      await store.commit({ ops: [remove("a"), remove("b")] })
      expect(await standing(store, "a")).toBe("absent")
    })

    it("says up to where forks still need its bytes", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), append("a", 1)] })
      const one = (await store.stream("a"))?.next as Offset
      await store.commit({ ops: [append("a", 2), append("a", 3)] })
      expect(await store.neededByForks("a")).toBeUndefined()
      await store.commit({ ops: [fork("b", "a", { offset: one }), fork("c", "b"), fork("d", "a", { offset: START })] })
      expect(await store.neededByForks("a")).toBe(one)
      expect(await store.neededByForks("none")).toBeUndefined()
      await store.commit({ ops: [remove("a"), remove("b")] })
      expect(await store.neededByForks("a")).toBe(one)
      await store.commit({ ops: [remove("c")] })
      expect((await store.neededByForks("a"))?.endsWith("_0000000000000000")).toBe(true)
    })

    it("keeps all of it over a close", async () => {
      const { store, reopen } = await fixture.openOnce()
      if (reopen === undefined) return
      const made = fork("b", "a", { offset: START, subOffset: 1 })
      await store.commit({ ops: [create("a"), append("a", 1), append("a", 2), made, append("b", 3), fork("c", "b")] })
      await store.commit({ ops: [remove("a"), remove("b")] })
      const again = await reopen()
      expect(await Promise.all(["a", "b", "c"].map((name) => standing(again, name)))).toEqual(["gone", "gone", "alive"])
      expect(await messages(again, "c")).toEqual([1, 3])
      await again.commit({ ops: [append("c", 4)] })
      expect(await messages(again, "c")).toEqual([1, 3, 4])
      await again.commit({ ops: [remove("c")] })
      expect(await Promise.all(["a", "b", "c"].map((name) => standing(again, name)))).toEqual([
        "absent",
        "absent",
        "absent",
      ])
    })
  })
}
