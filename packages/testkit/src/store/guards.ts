import { START } from "@rouse/protocol"
import type { Guard, Store } from "@rouse/store"
import { describe, expect, it } from "vitest"
import { append, create, NOW, put, putRow, refused, spawn } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"

const URL = "/t/one"
const LOG = "entities/t/one"

export function guardTests(fixture: Fixture): void {
  const open = async (): Promise<Store> => {
    const store = await fixture.open()
    await store.commit({ ops: spawn(URL, { epoch: 3 }) })
    return store
  }
  const lease = (seq?: number, epoch = 3): Guard => ({
    kind: "lease",
    url: URL,
    epoch,
    ...(seq === undefined ? {} : { seq }),
  })

  describe("atomicity", () => {
    it("a refused commit leaves no trace of its other operations", async () => {
      const store = await open()
      const before = await store.entity(URL)
      const ops = [
        append(LOG, 1),
        create("other"),
        put(URL, { status: "running" }),
        put("/t/two"),
        putRow(URL, "notes", "a", 1),
        { op: "putTimer", timer: { id: "x", dueAtMs: 1, url: URL, payload: null } },
        { op: "putReceipt", receipt: { key: "k", fingerprint: "f", response: null, expiresAtMs: NOW } },
        append("nowhere", 1),
      ] as const
      await refused(store.commit({ ops }), "UNKNOWN_STREAM")
      expect(await store.entity(URL)).toEqual(before)
      expect(await store.entity("/t/two")).toBeUndefined()
      expect(await store.stream("other")).toBeUndefined()
      expect(await store.rows(URL)).toEqual([])
      expect(await store.dueTimers(NOW, 10)).toEqual([])
      expect(await store.receipt("k")).toBeUndefined()
      expect((await store.read(LOG, START, 10)).chunks).toEqual([])
    })

    it("refusals among commits given together hurt nobody else", async () => {
      const store = await open()
      const results = await Promise.allSettled(
        Array.from({ length: 30 }, (_, n) => store.commit({ ops: [append(n % 3 === 0 ? "nowhere" : LOG, n)] })),
      )
      expect(results.map(({ status }) => status === "rejected")).toEqual(results.map((_, n) => n % 3 === 0))
      expect((await store.read(LOG, START, 10_000)).chunks).toHaveLength(20)
    })

    it("a commit that breaks midway is undone, and those given with it are not", async () => {
      const store = await open()
      const broken = { ops: [append(LOG, "broken"), put(URL), create("broken", { nowMs: Number.NaN })] }
      const given = [{ ops: [append(LOG, 1)] }, broken, { ops: [append(LOG, 2), put(URL, { epoch: 3 })] }]
      const results = await Promise.allSettled(given.map((commit) => store.commit(commit)))
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"])
      expect(results[1]).toMatchObject({ reason: { code: "INTERNAL" } })
      expect((await store.read(LOG, START, 100)).chunks).toHaveLength(2)
      expect((await store.entity(URL))?.version).toBe(2)
      expect((await store.commit({ ops: [append(LOG, 3)] })).streams[LOG]?.next).toBe((await store.stream(LOG))?.next)
    })

    it("a commit of nothing is one", async () => {
      const store = await open()
      expect(await store.commit({ ops: [] })).toEqual({ applied: true, streams: {} })
    })
  })

  describe("version guard", () => {
    it("holds for the record's version, 0 where there is none", async () => {
      const store = await open()
      const at = (url: string, version: number): Guard => ({ kind: "version", url, version })
      await store.commit({ guards: [at("/t/new", 0)], ops: [put("/t/new")] })
      await store.commit({ guards: [at("/t/new", 1), at(URL, 1)], ops: [put("/t/new")] })
      expect((await store.entity("/t/new"))?.version).toBe(2)
      for (const guard of [at("/t/new", 0), at("/t/new", 1), at("/t/new", 3), at("/t/none", 1)]) {
        await refused(store.commit({ guards: [guard], ops: [append(LOG, 1)] }), "CONFLICT")
      }
      const details = await refused(store.commit({ guards: [at(URL, 9)], ops: [] }), "CONFLICT")
      expect(details).toMatchObject({ guard: "version", version: 1 })
      expect((await store.read(LOG, START, 10)).chunks).toEqual([])
    })

    it("sees the commits before it in the same moment", async () => {
      const store = await open()
      const attempt = (): Promise<unknown> =>
        store.commit({ guards: [{ kind: "version", url: URL, version: 1 }], ops: [put(URL)] })
      const results = await Promise.allSettled([attempt(), attempt(), attempt()])
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"])
    })

    it("loses no update of many that compete", async () => {
      const store = await open()
      const increment = async (): Promise<void> => {
        for (;;) {
          const entity = await store.entity(URL)
          const count = Number(entity?.control["count"] ?? 0) + 1
          const guards: Guard[] = [{ kind: "version", url: URL, version: entity?.version ?? 0 }]
          const tried = await store
            .commit({ guards, ops: [put(URL, { control: { count } }), append(LOG, count)] })
            .then(
              () => true,
              () => false,
            )
          if (tried) return
        }
      }
      await Promise.all(Array.from({ length: 40 }, increment))
      expect((await store.entity(URL))?.control).toEqual({ count: 40 })
      expect((await store.read(LOG, START, 100_000)).chunks).toHaveLength(40)
    })
  })

  describe("lease guard", () => {
    it("holds for the newest epoch alone", async () => {
      const store = await open()
      await store.commit({ guards: [lease()], ops: [append(LOG, 1)] })
      expect(await refused(store.commit({ guards: [lease(undefined, 2)], ops: [] }), "FENCED")).toMatchObject({
        epoch: 3,
      })
      await refused(store.commit({ guards: [lease(1, 4)], ops: [] }), "FENCED")
      await store.commit({ ops: [{ op: "deleteEntity", url: URL }] })
      expect(await refused(store.commit({ guards: [lease()], ops: [] }), "FENCED")).toMatchObject({ epoch: null })
    })

    it("acknowledges a repeated seq and applies it once, whatever else it demands", async () => {
      const store = await open()
      const commit = {
        guards: [{ kind: "version", url: URL, version: 1 }, lease(1)] as const,
        ops: [append(LOG, 1), put(URL, { epoch: 3 })],
      }
      const first = await store.commit(commit)
      const again = await store.commit(commit)
      expect(first.applied).toBe(true)
      expect(again).toEqual({ applied: false, streams: first.streams })
      expect((await store.entity(URL))?.version).toBe(2)
      expect((await store.read(LOG, START, 100)).chunks).toHaveLength(1)
    })

    it("remembers a seq without a put of the record, and changes no version by it", async () => {
      const store = await open()
      await store.commit({ guards: [lease(1)], ops: [append(LOG, 1)] })
      await store.commit({ guards: [lease(2)], ops: [append(LOG, 2)] })
      expect(await store.commit({ guards: [lease(2)], ops: [append(LOG, 2)] })).toMatchObject({ applied: false })
      expect(await store.commit({ guards: [lease(1)], ops: [append(LOG, 1)] })).toMatchObject({ applied: false })
      expect((await store.entity(URL))?.version).toBe(1)
      expect((await store.read(LOG, START, 100)).chunks).toHaveLength(2)
    })

    it("a refused commit's seq may be tried again", async () => {
      const store = await open()
      await refused(store.commit({ guards: [lease(1)], ops: [append("nowhere", 1)] }), "UNKNOWN_STREAM")
      expect(await store.commit({ guards: [lease(1)], ops: [append(LOG, 1)] })).toMatchObject({ applied: true })
    })

    it("a put with the same epoch keeps the seq, with another forgets it", async () => {
      const store = await open()
      await store.commit({ guards: [lease(5)], ops: [put(URL, { epoch: 3 })] })
      expect(await store.commit({ guards: [lease(5)], ops: [] })).toMatchObject({ applied: false })
      await store.commit({ ops: [put(URL, { epoch: 4 })] })
      expect(await store.commit({ guards: [lease(1, 4)], ops: [] })).toMatchObject({ applied: true })
      await refused(store.commit({ guards: [lease(6)], ops: [] }), "FENCED")
    })
  })

  describe("timer and receipt guards", () => {
    it("a timer fires once", async () => {
      const store = await open()
      await store.commit({ ops: [{ op: "putTimer", timer: { id: "x", dueAtMs: 1, url: URL, payload: null } }] })
      const fire = (): Promise<unknown> =>
        store.commit({ guards: [{ kind: "timer", id: "x" }], ops: [{ op: "deleteTimer", id: "x" }, append(LOG, 1)] })
      const results = await Promise.allSettled([fire(), fire()])
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"])
      expect(await refused(fire(), "CONFLICT")).toMatchObject({ guard: "timer", id: "x" })
    })

    it("a key is answered once", async () => {
      const store = await open()
      const receipt = { key: "k", fingerprint: "f", response: { a: [1] }, expiresAtMs: NOW + 1 }
      const answer = (): Promise<unknown> =>
        store.commit({
          guards: [{ kind: "noReceipt", key: "k" }],
          ops: [{ op: "putReceipt", receipt }, append(LOG, 1)],
        })
      const results = await Promise.allSettled([answer(), answer()])
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"])
      expect(await refused(answer(), "CONFLICT")).toMatchObject({ guard: "noReceipt", key: "k" })
      expect(await store.receipt("k")).toEqual(receipt)
      expect(await store.receipt("other")).toBeUndefined()
    })
  })
}
