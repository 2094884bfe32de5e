import type { EntityFilter, Store } from "@rouse/store"
import { describe, expect, it } from "vitest"
import { NOW, put, putRow, record, refused, spawn } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"

const URL = "/t/one"

async function pages(store: Store, filter: EntityFilter): Promise<string[][]> {
  const found: string[][] = []
  let after: string | undefined
  do {
    const page = await store.entities({ ...filter, ...(after === undefined ? {} : { after }) })
    found.push(page.entities.map(({ url }) => url))
    after = page.next
  } while (after !== undefined)
  return found
}

export function entityTests(fixture: Fixture): void {
  describe("records", () => {
    it("gives back what was put, with its version", async () => {
      const store = await fixture.open()
      const full = record(URL, {
        status: "queued",
        epoch: 9,
        parent: "/t/parent",
        createdAtMs: NOW - 5,
        activeAtMs: NOW + 7,
        dueAtMs: NOW + 8,
        tags: { team: "a", "x:y": "ü" },
        args: { deep: [{ a: null }, "é", 1.5] },
        control: { z: [] },
      })
      await store.commit({ ops: [{ op: "putEntity", record: full }] })
      expect(await store.entity(URL)).toEqual({ ...full, version: 1 })
      const next = record(URL, { status: "idle", epoch: 10, activeAtMs: NOW + 5_000, tags: { team: "b" } })
      await store.commit({ ops: [{ op: "putEntity", record: next }] })
      expect(await store.entity(URL)).toEqual({ ...next, version: 2 })
      expect(await store.entity("/t/none")).toBeUndefined()
    })

    it("takes values as they were when the commit was given", async () => {
      const store = await fixture.open()
      const value = { n: 1 }
      const committed = store.commit({ ops: [put(URL), putRow(URL, "c", "k", value)] })
      value.n = 2
      await committed
      expect((await store.row(URL, "c", "k"))?.value).toEqual({ n: 1 })
    })

    it("deletes a record with its rows, tags and timers, and begins anew", async () => {
      const store = await fixture.open()
      const timer = { id: "x", dueAtMs: 1, url: URL, payload: 1 }
      await store.commit({
        ops: [put(URL, { tags: { a: "1" } }), putRow(URL, "c", "k", 1), { op: "putTimer", timer }],
      })
      await store.commit({ ops: [{ op: "deleteEntity", url: URL }] })
      expect(await store.entity(URL)).toBeUndefined()
      expect(await store.dueTimers(NOW, 10)).toEqual([])
      expect((await store.entities({ tag: { name: "a" }, limit: 10 })).entities).toEqual([])
      await store.commit({ ops: [put(URL)] })
      expect((await store.entity(URL))?.version).toBe(1)
      expect(await store.rows(URL)).toEqual([])
      await store.commit({ ops: [{ op: "deleteEntity", url: "/t/none" }] })
    })
  })

  describe("lists", () => {
    it("finds addresses by the words in them, in any order, page by page", async () => {
      const store = await fixture.open()
      const urls = ["/t/order-1", "/t/Order-2", "/u/order_3", "/u/last"]
      await store.commit({ ops: urls.map((url, n) => put(url, { activeAtMs: NOW + n * 1_000 })) })
      expect(await pages(store, { words: ["order"], limit: 2 })).toEqual([["/u/order_3", "/t/Order-2"], ["/t/order-1"]])
      expect(await pages(store, { words: ["2", "/t/"], limit: 2 })).toEqual([["/t/Order-2"]])
      expect(await pages(store, { words: ["r_3"], limit: 2 })).toEqual([["/u/order_3"]])
      expect(await pages(store, { words: ["/"], type: "u", limit: 2 })).toEqual([["/u/last", "/u/order_3"]])
      for (const none of ["%", "!", "\\", "'", "none"])
        expect(await pages(store, { words: [none], limit: 2 })).toEqual([[]])
    })

    it("newest second of activity first, then by address; paged without gaps", async () => {
      const store = await fixture.open()
      const urls = Array.from({ length: 23 }, (_, n) => `/t/e${String(n).padStart(2, "0")}`)
      await store.commit({
        ops: urls.map((url, n) => put(url, { activeAtMs: NOW + Math.floor(n / 4) * 1_000 + (n % 4) })),
      })
      const expected = [5, 4, 3, 2, 1, 0].flatMap((second) => urls.slice(second * 4, second * 4 + 4))
      for (const limit of [1, 4, 5, 23, 100]) {
        const found = await pages(store, { limit })
        expect(found.flat()).toEqual(expected)
        expect(found).toHaveLength(Math.ceil(23 / limit))
      }
    })

    it("an entity that acts moves to the front", async () => {
      const store = await fixture.open()
      await store.commit({ ops: ["/t/a", "/t/b", "/t/c"].map((url) => put(url)) })
      await store.commit({ ops: [put("/t/b", { activeAtMs: NOW + 1_000 })] })
      expect((await pages(store, { limit: 10 })).flat()).toEqual(["/t/b", "/t/a", "/t/c"])
    })

    it("filters by type, status, tag and parent, alone and together", async () => {
      const store = await fixture.open()
      await store.commit({
        ops: [
          put("/a/1", { status: "running", tags: { x: "1" }, parent: "/a/p" }),
          put("/a/2", { tags: { x: "2", y: "1" }, parent: "/a/p" }),
          put("/ab/1", { status: "running", tags: { y: "1" } }),
          put("/b/1", { status: "stopped", parent: "/a/1" }),
        ],
      })
      const cases: [Omit<EntityFilter, "limit">, string[]][] = [
        [{ type: "a" }, ["/a/1", "/a/2"]],
        [{ type: "ab" }, ["/ab/1"]],
        [{ type: "none" }, []],
        [{ status: "running" }, ["/a/1", "/ab/1"]],
        [{ status: "idle" }, ["/a/2"]],
        [{ tag: { name: "x" } }, ["/a/1", "/a/2"]],
        [{ tag: { name: "x", value: "2" } }, ["/a/2"]],
        [{ tag: { name: "y", value: "1" } }, ["/a/2", "/ab/1"]],
        [{ tag: { name: "z" } }, []],
        [{ parent: "/a/p" }, ["/a/1", "/a/2"]],
        [{ parent: "/a/p", status: "running", type: "a", tag: { name: "x", value: "1" } }, ["/a/1"]],
      ]
      for (const [filter, expected] of cases) {
        expect((await pages(store, { ...filter, limit: 1 })).flat(), JSON.stringify(filter)).toEqual(expected)
      }
      await store.commit({ ops: [put("/a/1", { tags: { y: "1" } })] })
      expect((await pages(store, { tag: { name: "x" }, limit: 10 })).flat()).toEqual(["/a/2"])
      expect((await pages(store, { status: "running", limit: 10 })).flat()).toEqual(["/ab/1"])
      expect((await pages(store, { parent: "/a/p", limit: 10 })).flat()).toEqual(["/a/2"])
    })

    it("refuses a cursor that it did not make", async () => {
      const store = await fixture.open()
      for (const after of ["", "x", "!/a/1", "/a/1"]) {
        expect(await refused(store.entities({ after, limit: 1 }), "BAD_REQUEST")).toEqual({ field: "after" })
      }
    })
  })

  describe("rows", () => {
    it("are the latest of each key, by collection and key in byte order", async () => {
      const store = await fixture.open()
      const keys = ["b", "a", "Z", "ä", "a1", "\u{1f600}", "\uffee"]
      await store.commit({ ops: [...spawn(URL), ...keys.map((key) => putRow(URL, "two", key, key))] })
      await store.commit({ ops: [putRow(URL, "one", "k", 1), put("/t/other"), putRow("/t/other", "one", "k", 2)] })
      await store.commit({
        ops: [putRow(URL, "two", "a", { n: 2 }), { op: "deleteRow", url: URL, collection: "two", key: "b" }],
      })
      const rows = await store.rows(URL)
      expect(rows.map(({ collection, key }) => `${collection}/${key}`)).toEqual([
        "one/k",
        ...["Z", "a", "a1", "ä", "\uffee", "\u{1f600}"].map((key) => `two/${key}`),
      ])
      expect(await store.rows(URL, "one")).toEqual([{ collection: "one", key: "k", value: 1 }])
      expect(await store.row(URL, "two", "a")).toEqual({ collection: "two", key: "a", value: { n: 2 } })
      expect(await store.row(URL, "two", "b")).toBeUndefined()
      expect(await store.rowCounts(URL)).toEqual({ one: 1, two: 6 })
      expect(await store.rowCounts("/t/none")).toEqual({})
    })

    it("of messages and runs are in the order of their keys too, whatever they count to", async () => {
      const store = await fixture.open()
      const messages = ["m000000009", "m000000010", "m9", "m10", "note", "m1000000000"]
      const runs = ["r000009", "r999999", "r1000000", "r000010"]
      await store.commit({
        ops: [
          ...spawn(URL),
          ...messages.map((key) => putRow(URL, "message", key, key)),
          ...runs.flatMap((key) => [putRow(URL, "run", key, key), putRow(URL, "step", `${key}-s0001`, key)]),
          putRow(URL, "notes", "n", 1),
        ],
      })
      const expected = [
        ...messages.toSorted().map((key) => `message/${key}`),
        "notes/n",
        ...runs.toSorted().map((key) => `run/${key}`),
        ...runs.toSorted().map((key) => `step/${key}-s0001`),
      ]
      expect((await store.rows(URL)).map(({ collection, key }) => `${collection}/${key}`)).toEqual(expected)
      expect((await store.rows(URL, "run")).map(({ key }) => key)).toEqual(runs.toSorted())
      await store.commit({ ops: [{ op: "deleteRow", url: URL, collection: "message", key: "m10" }] })
      expect(await store.row(URL, "message", "m10")).toBeUndefined()
      expect(await store.row(URL, "message", "m9")).toEqual({ collection: "message", key: "m9", value: "m9" })
    })

    it("are of any length, and change it", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [spawn(URL), spawn("/t/other")].flat() })
      const lengths = [0, 880, 890, 898, 899, 900, 901, 1_000, 4_000, 8_200, 100_000, 3, 2_000, 2_001]
      for (const length of lengths) {
        const value = { text: "é".repeat(length) }
        await store.commit({
          ops: [putRow(URL, "c", "k", value), putRow(URL, "c", "l", length), putRow("/t/other", "c", "k", value)],
        })
        const expected = [
          { collection: "c", key: "k", value },
          { collection: "c", key: "l", value: length },
        ]
        expect(await store.rows(URL)).toEqual(expected)
        expect(await store.row(URL, "c", "k")).toEqual(expected[0])
        const live = await store.liveRows(URL, `entities${URL}`)
        expect(live?.rows.map(({ json }) => JSON.parse(json) as unknown)).toEqual([value, length])
      }
      await store.commit({ ops: [{ op: "deleteRow", url: URL, collection: "c", key: "k" }] })
      expect(await store.rows(URL)).toEqual([{ collection: "c", key: "l", value: 2_001 }])
      await store.commit({ ops: [putRow(URL, "c", "k", "back")] })
      expect(await store.row(URL, "c", "k")).toEqual({ collection: "c", key: "k", value: "back" })
    })

    it("go with their entity, however long", async () => {
      const store = await fixture.open()
      await store.commit({
        ops: [...spawn(URL), putRow(URL, "c", "long", "x".repeat(5_000)), putRow(URL, "c", "short", 1)],
      })
      await store.commit({ ops: [{ op: "deleteEntity", url: URL }] })
      expect(await store.rows(URL)).toEqual([])
      await store.commit({ ops: [put(URL), putRow(URL, "c", "short", 2)] })
      expect(await store.rows(URL)).toEqual([{ collection: "c", key: "short", value: 2 }])
    })

    it("may come before their record in a commit, and need one", async () => {
      const store = await fixture.open()
      await store.commit({ ops: [putRow(URL, "c", "k", 1), put(URL)] })
      expect(await store.rowCounts(URL)).toEqual({ c: 1 })
      expect(await refused(store.commit({ ops: [putRow("/t/none", "c", "k", 1)] }), "UNKNOWN_ENTITY")).toEqual({
        url: "/t/none",
      })
      await store.commit({ ops: [{ op: "deleteRow", url: "/t/none", collection: "c", key: "k" }] })
    })
  })
}
