import type { WorkItem } from "@rouse/store"
import { describe, expect, it } from "vitest"
import { put, refused, spawn } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"

const item = (id: string, changes: Partial<WorkItem> = {}): WorkItem => ({
  id,
  queue: "builds",
  name: "build",
  url: "/t/a",
  open: true,
  position: 1,
  payload: { id },
  ...changes,
})
const putWork = (id: string, changes: Partial<WorkItem> = {}) => ({ op: "putWork", item: item(id, changes) }) as const
const ids = (items: readonly { readonly id: string }[]): string[] => items.map(({ id }) => id)

export function workTests(fixture: Fixture): void {
  describe("work", () => {
    it("is found by queue and name, in the order of positions, while it is open", async () => {
      const store = await fixture.open()
      await store.commit({
        ops: [
          putWork("late", { position: 30 }),
          putWork("b", { position: 10 }),
          putWork("a", { position: 10 }),
          putWork("held", { position: 0, open: false }),
          putWork("other-name", { name: "test" }),
          putWork("other-queue", { queue: "gpu" }),
        ],
      })
      expect(ids(await store.openWork("builds", "build", 10))).toEqual(["a", "b", "late"])
      expect(ids(await store.openWork("builds", "build", 1))).toEqual(["a"])
      expect(await store.openWork("builds", "none", 10)).toEqual([])
      expect(await store.closedWork("builds", "build")).toBe(1)
      expect(await store.closedWork("gpu", "build")).toBe(0)
      expect(await store.work("held")).toEqual({ ...item("held", { position: 0, open: false }), version: 1 })
      expect(await store.work("none")).toBeUndefined()
    })

    it("a put raises the version, and a guard on it holds once", async () => {
      const store = await fixture.open()
      const take = (version: number) =>
        store.commit({ guards: [{ kind: "work", id: "w", version }], ops: [putWork("w", { open: version < 1 })] })
      await take(0)
      expect(await refused(take(0), "CONFLICT")).toMatchObject({ guard: "work", version: 1 })
      await take(1)
      expect(await store.work("w")).toMatchObject({ version: 2, open: false })
      await refused(take(1), "CONFLICT")
      await store.commit({ guards: [{ kind: "work", id: "w", version: 2 }], ops: [{ op: "dropWork", id: "w" }] })
      await refused(take(2), "CONFLICT")
      expect(await store.work("w")).toBeUndefined()
      await store.commit({ ops: [{ op: "dropWork", id: "w" }] })
    })

    it("only one of those who race for it gets it", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [putWork("w")] })
      const takers = Array.from({ length: 8 }, (_, n) =>
        store.commit({
          guards: [{ kind: "work", id: "w", version: 1 }],
          ops: [putWork("w", { open: false, payload: n })],
        }),
      )
      const outcomes = await Promise.allSettled(takers)
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1)
      const winner = outcomes.findIndex(({ status }) => status === "fulfilled")
      expect(await store.work("w")).toMatchObject({ version: 2, payload: winner })
    })

    it("sees what the commit itself put before", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [putWork("w"), putWork("w", { position: 7 })] })
      expect(await store.work("w")).toMatchObject({ version: 2, position: 7 })
      await store.commit({ ops: [{ op: "dropWork", id: "w" }, putWork("w")] })
      expect(await store.work("w")).toMatchObject({ version: 1 })
    })

    it("a refused commit leaves no work, and an entity takes its own with it", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [...spawn("/t/a"), ...spawn("/t/b"), putWork("a"), putWork("b", { url: "/t/b" })] })
      const stale = { kind: "version", url: "/t/a", version: 9 } as const
      await refused(store.commit({ guards: [stale], ops: [putWork("c"), put("/t/a")] }), "CONFLICT")
      expect(await store.work("c")).toBeUndefined()
      await store.commit({ ops: [{ op: "deleteEntity", url: "/t/a" }] })
      expect(ids(await store.openWork("builds", "build", 10))).toEqual(["b"])
    })

    it("a queue is listed page by page, whole, with what is held", async () => {
      const store = await fixture.open()
      const many = Array.from({ length: 25 }, (_, n) => n)
      await store.commit({
        ops: many.map((n) =>
          putWork(`w~${n}`, { position: n % 5, open: n % 2 === 0, url: n < 20 ? "/t/a" : "/u/b", name: `n${n % 2}` }),
        ),
      })
      const seen: string[] = []
      let after: string | undefined
      do {
        const page = await store.workPage({ queue: "builds", limit: 10, ...(after === undefined ? {} : { after }) })
        expect(page.items.length).toBeLessThanOrEqual(10)
        seen.push(...ids(page.items))
        after = page.next
      } while (after !== undefined)
      expect(new Set(seen).size).toBe(25)
      expect(seen).toHaveLength(25)
      expect((await store.workPage({ queue: "builds", urlPrefix: "/u/", limit: 50 })).items).toHaveLength(5)
      expect((await store.workPage({ queue: "builds", name: "n1", limit: 50 })).items).toHaveLength(12)
      expect(await store.workPage({ queue: "none", limit: 5 })).toEqual({ items: [] })
      await refused(store.workPage({ queue: "builds", after: "nonsense", limit: 5 }), "BAD_REQUEST")
    })

    it("is there after a restart", async () => {
      const opened = await fixture.openOnce()
      await opened.store.commit({ ops: [putWork("w", { payload: { deep: [1, "ä"] } })] })
      const store = opened.reopen ? await opened.reopen() : opened.store
      expect(await store.work("w")).toEqual({ ...item("w", { payload: { deep: [1, "ä"] } }), version: 1 })
    })
  })
}
