import type { Json, ObserveFilter, Offset } from "@rouse/protocol"
import { START } from "@rouse/protocol"
import { observed } from "@rouse/protocol/observe"
import { frameJson, parseJson } from "@rouse/store"
import type { ObservationInput, ObservationRecord, Op, Store } from "@rouse/store"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { append, create, NOW, put, refused, spawn } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"

const WATCHER = "/watcher/one"

function observe(path: string, changes: Partial<ObservationInput> = {}): Op {
  const rest = { filter: {}, debounceMs: 0, cursor: null, timeoutAtMs: null, config: "{}" }
  const record = { url: WATCHER, name: "one", path, ...rest, ...changes }
  return { op: "observation", change: { kind: "put", record, nowMs: NOW } }
}

function row(type: string, key: string, value: Json): Json {
  return { type, key, value, headers: { operation: "update" } }
}

async function only(store: Store): Promise<ObservationRecord> {
  const [one, ...others] = await store.observations(WATCHER)
  expect(others).toEqual([])
  if (one === undefined) throw new Error("there is no observation")
  return one
}

async function tail(store: Store, path: string): Promise<Offset> {
  const info = await store.stream(path)
  if (info === undefined) throw new Error(`there is no stream ${path}`)
  return info.next
}

export function observationTests(fixture: Fixture): void {
  describe("observations", () => {
    it("what is yet to be told is not taken away", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), append("a", 0), observe("a")] })
      const before = await tail(store, "a")
      await store.commit({ ops: [append("a", 1)] })
      const news = await tail(store, "a")
      await store.commit({ ops: [append("a", 2)] })
      expect((await store.trimmable("a", { nowMs: NOW }))?.to).toBe(before)
      await refused(store.commit({ ops: [{ op: "trimStream", path: "a", to: news }] }), "CONFLICT")
      await store.commit({ ops: [{ op: "trimStream", path: "a", to: before }] })
    })

    it("an append that is news makes one due in its own commit, once", async () => {
      const store = await fixture.open()
      const filter = { on: ["notes"], where: { size: { gt: 2 } } }
      await store.commit({ ops: [create("a"), append("a", 0), observe("a", { filter, debounceMs: 7 })] })
      expect(await store.nextObservationDueAtMs()).toBeUndefined()
      const told: number[] = []
      const unwatch = store.watchObservations((dueAtMs) => told.push(dueAtMs))
      const nothing = await store.commit({ ops: [append("a", row("notes", "k", { size: 2 }))] })
      expect(nothing.observationDueAtMs).toBeUndefined()
      const before = await tail(store, "a")
      const news = await store.commit({ ops: [append("a", row("notes", "k", { size: 3 }), { nowMs: NOW + 5 })] })
      expect(news.observationDueAtMs).toBe(NOW + 12)
      const more = await store.commit({ ops: [append("a", row("notes", "k", { size: 4 }), { nowMs: NOW + 9 })] })
      expect(more.observationDueAtMs).toBeUndefined()
      unwatch()
      expect(told).toEqual([NOW + 12])
      expect(await store.dueObservations(NOW + 11, 9)).toEqual([])
      const [due] = await store.dueObservations(NOW + 12, 9)
      // What is before the cursor is nothing that was asked for.
      expect(due).toMatchObject({ name: "one", pending: true, cursor: before, filter, dueAtMs: NOW + 12 })
      expect(await store.nextObservationDueAtMs()).toBe(NOW + 12)
    })

    it("a cursor moves with a put, and what follows it is news", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), observe("a"), append("a", 1)] })
      const middle = await tail(store, "a")
      await store.commit({ ops: [append("a", 2)] })
      await store.commit({ ops: [observe("a", { cursor: middle })] })
      expect(await only(store)).toMatchObject({ cursor: middle, pending: true, version: 2 })
      const end = await tail(store, "a")
      await store.commit({ ops: [observe("a", { cursor: end, timeoutAtMs: NOW + 50 })] })
      expect(await only(store)).toMatchObject({ cursor: end, pending: false, dueAtMs: NOW + 50 })
      await store.commit({ ops: [observe("a", { cursor: START })] })
      expect(await only(store)).toMatchObject({ cursor: START, pending: true })
      await refused(store.commit({ ops: [observe("a", { cursor: "nonsense" as Offset })] }), "BAD_OFFSET")
    })

    it("one that is put again keeps its place while something is pending, and begins anew for another stream", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), create("b"), append("b", 1), observe("a"), append("a", 1)] })
      const pending = await only(store)
      await store.commit({ ops: [observe("a", { filter: { on: ["other"] } })] })
      expect(await only(store)).toMatchObject({ pending: true, cursor: pending.cursor, serial: pending.serial })
      await store.commit({ ops: [observe("b")] })
      expect(await only(store)).toMatchObject({ path: "b", pending: false, cursor: await tail(store, "b") })
      await store.commit({ ops: [append("a", 2)] })
      expect(await store.nextObservationDueAtMs()).toBeUndefined()
    })

    it("one that is dropped and made again is another, and works at once", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a"), observe("a")] })
      const { serial, version } = await only(store)
      const guard = { kind: "observation", url: WATCHER, name: "one", serial, version } as const
      await store.commit({ ops: [{ op: "observation", change: { kind: "drop", url: WATCHER, name: "one" } }] })
      await store.commit({ ops: [append("a", 1)] })
      expect(await store.observations(WATCHER)).toEqual([])
      await store.commit({ ops: [observe("a")] })
      await refused(store.commit({ guards: [guard], ops: [append("a", 2)] }), "CONFLICT")
      const news = await store.commit({ ops: [append("a", 2)] })
      expect(news.observationDueAtMs).toBe(NOW)
    })

    it("a stream that is not there yet is observed from its beginning, and again when it was deleted", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [observe("a")] })
      await store.commit({ ops: [create("a", { data: frameJson([1]) })] })
      expect(await only(store)).toMatchObject({ cursor: START, pending: true })
      await store.commit({ ops: [{ op: "deleteStream", path: "a" }] })
      expect(await only(store)).toMatchObject({ cursor: START, pending: false, dueAtMs: null })
      await store.commit({ ops: [create("a"), append("a", 1)] })
      expect(await only(store)).toMatchObject({ cursor: START, pending: true })
    })

    it("a stream that expires is observed from its beginning when it is made again", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("a", { ttlSeconds: 1 }), append("a", 1), observe("a")] })
      fixture.now += 2_000
      await store.sweep(fixture.now)
      await store.commit({ ops: [create("a", { nowMs: fixture.now }), append("a", 1, { nowMs: fixture.now })] })
      expect(await only(store)).toMatchObject({ cursor: START, pending: true })
    })

    it("observations go with the entity that observes", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [...spawn(WATCHER), create("a"), observe("a")] })
      await store.commit({ ops: [{ op: "deleteEntity", url: WATCHER }] })
      await store.commit({ ops: [append("a", 1)] })
      expect(await store.nextObservationDueAtMs()).toBeUndefined()
      await store.commit({ ops: [observe("a"), append("a", 2)] })
      expect(await only(store)).toMatchObject({ pending: true })
    })

    it("the stream of a type's entities tells of them while anybody observes it", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("sets/t"), ...spawn("/t/a")] })
      expect(await tail(store, "sets/t")).toBe((await store.stream("sets/t"))?.next)
      const set = { type: "t", status: "running" } as const
      await store.commit({ ops: [observe("sets/t", { filter: { set } })] })
      const { cursor: from } = await only(store)
      const quiet = await store.commit({ ops: [put("/t/a", { dueAtMs: NOW }), ...spawn("/t/b")] })
      expect(quiet.observationDueAtMs).toBeUndefined()
      const joined = await store.commit({ ops: [put("/t/a", { status: "running" })] })
      expect(joined.observationDueAtMs).toBe(NOW)
      await store.commit({ ops: [{ op: "deleteEntity", url: "/t/a" }] })
      const { data } = await store.read("sets/t", from, 10_000)
      const told = parseJson([data]).flatMap((one) => observed({ set }, one) ?? [])
      expect(told.map(({ key, operation }) => [key, operation])).toEqual([
        ["/t/a", "join"],
        ["/t/a", "leave"],
      ])
    })

    it("what was not looked at in the commit counts as news: bytes that are no JSON, and what is large", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [create("b", { contentType: "text/plain" }), observe("b", { filter: { on: ["x"] } })] })
      await store.commit({ ops: [{ op: "append", path: "b", data: new Uint8Array([65]), nowMs: NOW }] })
      expect(await only(store)).toMatchObject({ pending: true })
      await store.commit({ ops: [create("c"), observe("c", { filter: { on: ["x"] } })] })
      await store.commit({ ops: [append("c", "y".repeat(300_000))] })
      expect(await only(store)).toMatchObject({ path: "c", pending: true })
    })

    it("property: whoever reads on from the cursor when one is due sees every change that matches, once and in order", async () => {
      const filters: ObserveFilter[] = [{}, { on: ["a"] }, { on: ["b:update"] }, { where: { n: { gt: 5 } } }]
      const step = fc.oneof(
        fc.record({ kind: fc.constant("append" as const), type: fc.constantFrom("a", "b"), n: fc.nat({ max: 9 }) }),
        fc.constant({ kind: "take" as const }),
      )
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...filters), fc.array(step, { maxLength: 24 }), async (filter, steps) => {
          const opened = await fixture.openOnce()
          const { store } = opened
          await store.commit({ ops: [create("s"), observe("s", { filter })] })
          const expected: Json[] = []
          const seen: Json[] = []
          const take = async (): Promise<void> => {
            const [due] = await store.dueObservations(NOW, 1)
            if (due === undefined) return
            const { data, next } = await store.read("s", due.cursor, 1_000_000)
            seen.push(...parseJson([data]).filter((one) => observed(filter, one) !== undefined))
            await store.commit({ ops: [observe("s", { filter, cursor: next })] })
          }
          for (const [n, one] of steps.entries()) {
            if (one.kind === "take") await take()
            else {
              const message = row(one.type, `k${n}`, { n: one.n })
              if (observed(filter, message) !== undefined) expected.push(message)
              await store.commit({ ops: [append("s", message)] })
            }
          }
          await take()
          expect(seen).toEqual(expected)
        }),
        { numRuns: 15 },
      )
    })
  })
}
