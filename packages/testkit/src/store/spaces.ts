import { sharedStreamPath, START } from "@rouse/protocol"
import type { ChangeEvent, Json, SharedDefinition } from "@rouse/protocol"
import { parseJson, queueOf } from "@rouse/store"
import type { SpaceClaim, SpaceOp, SpaceResult, SpaceWrite, Store } from "@rouse/store"
import { describe, expect, it } from "vitest"
import { NOW, refused } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"

const PATH = sharedStreamPath("board")
const schema = { type: "object" }
const DEFINITION: SharedDefinition = {
  collections: { tasks: { schema, key: "id", indexes: [["kind"], ["kind", "size"]] }, notes: { schema, key: "id" } },
}

function define(version = 0, definition = DEFINITION, path = PATH): SpaceOp {
  return { op: "space", path, change: { kind: "define", definition, version }, nowMs: NOW }
}

function writing(writes: readonly SpaceWrite[], nowMs: number = NOW, path: string = PATH): SpaceOp {
  return { op: "space", path, change: { kind: "write", by: "/t/one", writes }, nowMs }
}

function insert(key: string, fields: object = {}, collection = "tasks"): SpaceWrite {
  return { kind: "insert", collection, key, value: JSON.stringify({ id: key, ...fields }), rowsMax: 1_000 }
}

function claiming(changes: Partial<SpaceClaim> = {}): SpaceClaim {
  const asked = { kind: "claim", collection: "tasks", queue: "", limit: 1, holder: "w", claim: "c1" } as const
  return { ...asked, expiresAtMs: NOW + 60_000, heldMax: 100, ...changes }
}

/** What a commit of one operation answered. */
async function write(store: Store, writes: readonly SpaceWrite[], nowMs?: number): Promise<readonly SpaceResult[]> {
  return (await store.commit({ ops: [writing(writes, nowMs)] })).spaces ?? []
}

async function claim(store: Store, changes: Partial<SpaceClaim> = {}, nowMs?: number): Promise<readonly string[]> {
  return claimedBy(await write(store, [claiming(changes)], nowMs))
}

function claimedBy(results: readonly SpaceResult[]): readonly string[] {
  return results.flatMap((result) => (result.kind === "claimed" ? result.rows.map(({ key }) => key) : []))
}

async function logOf(store: Store): Promise<readonly ChangeEvent[]> {
  const { chunks } = await store.read(PATH, START, 1_000_000)
  return parseJson(chunks) as unknown as ChangeEvent[]
}

export function spaceTests(fixture: Fixture): void {
  const open = async (...keys: readonly string[]): Promise<Store> => {
    const store = await fixture.open()
    await store.commit({ ops: [define(), writing(keys.map((key) => insert(key)))] })
    return store
  }
  const row = (store: Store, key = "a"): ReturnType<Store["spaceRow"]> => store.spaceRow(PATH, "tasks", key)
  const valueOf = async (store: Store, key = "a"): Promise<Json> =>
    JSON.parse((await row(store, key))?.value ?? "null") as Json

  describe("spaces", () => {
    it("is made with its log, once", async () => {
      const store = await open()
      expect(await store.space(PATH)).toMatchObject({ path: PATH, version: 1, rows: 0, definition: DEFINITION })
      expect(await logOf(store)).toMatchObject([{ type: "space", key: "board", value: { id: "board", ...DEFINITION } }])
      await refused(store.commit({ ops: [define()] }), "CONFLICT")
      await store.commit({
        ops: [define(1, { collections: { ...DEFINITION.collections, more: { schema, key: "id" } } })],
      })
      expect(await store.space(PATH)).toMatchObject({ version: 2 })
    })

    it("leaves no row without its collection, nor in another queue", async () => {
      const store = await open("a")
      const { tasks, notes } = DEFINITION.collections
      await refused(store.commit({ ops: [define(1, { collections: { notes: notes as never } })] }), "ALREADY_EXISTS")
      const reindexed = { collections: { tasks: { ...(tasks as NonNullable<typeof tasks>), indexes: [] } } }
      await refused(store.commit({ ops: [define(1, reindexed)] }), "ALREADY_EXISTS")
      await store.commit({ ops: [define(1, { collections: { tasks: tasks as never } })] })
    })

    it("takes the rows of an owner away, some at a time, and can then forget them", async () => {
      const store = await open("a")
      const owned = (owner: string, ...keys: readonly string[]): SpaceOp => {
        const writes = keys.map((key) => insert(key))
        return { op: "space", path: PATH, change: { kind: "write", by: "x", owner, writes }, nowMs: NOW }
      }
      await store.commit({ ops: [owned("/t/one", "b", "c", "d"), owned("/t/two", "e")] })
      await claim(store, { limit: 2 })
      await write(store, [{ kind: "update", collection: "tasks", key: "c", value: `{"id":"c","n":2}` }])
      const disown: SpaceOp = {
        op: "space",
        path: PATH,
        change: {
          kind: "disown",
          owner: "/t/one",
          rows: ["a", "b", "c", "e"].map((key) => ({ collection: "tasks", key })),
        },
        nowMs: NOW,
      }
      expect((await store.ownedRows("/t/one", 2))?.rows).toHaveLength(2)
      await store.commit({ ops: [disown] })
      const rows = [{ collection: "tasks", key: "d" }]
      expect(await store.ownedRows("/t/one", 9)).toEqual({ path: PATH, rows })
      await store.commit({
        ops: [{ op: "space", path: PATH, change: { kind: "disown", owner: "/t/one", rows }, nowMs: NOW }],
      })
      expect(await store.ownedRows("/t/one", 9)).toBeUndefined()
      const tail = (await store.stream(PATH))?.next
      await store.commit({ ops: [disown] })
      expect((await store.stream(PATH))?.next).toBe(tail)
      expect((await store.spaceRows(PATH, { collection: "tasks", limit: 9 })).rows.map(({ key }) => key)).toEqual([
        "a",
        "e",
      ])
      expect(await store.space(PATH)).toMatchObject({ rows: 2 })
      const [marked] = await store.forgetfulSpaces(9)
      expect(marked).toMatchObject({ path: PATH })
      const to = (await store.trimmable(PATH, { nowMs: NOW }))?.to ?? START
      expect(to).toBe(marked?.until)
      const forgotten = (until: typeof to): SpaceOp => {
        return { op: "space", path: PATH, change: { kind: "forgotten", until }, nowMs: NOW }
      }
      await store.commit({ ops: [forgotten(START)] })
      expect(await store.forgetfulSpaces(9)).toHaveLength(1)
      await store.commit({ ops: [{ op: "trimStream", path: PATH, to }, forgotten(to)] })
      expect(await store.forgetfulSpaces(9)).toEqual([])
    })

    it("is listed by path, and read by page and by property", async () => {
      const store = await open("a", "b", "c")
      await store.commit({ ops: [define(0, DEFINITION, "shared/zoo")] })
      expect((await store.spaces({ limit: 1 })).map(({ path }) => path)).toEqual([PATH])
      expect((await store.spaces({ after: PATH, limit: 9 })).map(({ path }) => path)).toEqual(["shared/zoo"])
      await write(store, [insert("d", { kind: "x", n: 1, ok: true }), insert("e", { kind: null, n: "1" })])
      const keys = async (query: object): Promise<readonly string[]> =>
        (await store.spaceRows(PATH, { collection: "tasks", limit: 2, ...query })).rows.map(({ key }) => key)
      expect(await keys({})).toEqual(["a", "b"])
      expect(await keys({ after: "b" })).toEqual(["c", "d"])
      expect(await keys({ where: { kind: "x", ok: true } })).toEqual(["d"])
      expect(await keys({ where: { n: "1" } })).toEqual(["e"])
      expect(await keys({ where: { n: 1 } })).toEqual(["d"])
      expect(await keys({ where: { kind: "y" } })).toEqual([])
    })

    it("finds rows by an index, done or not, and others in so many rows at a time", async () => {
      const store = await open()
      const keys = Array.from({ length: 6_000 }, (_, n) => `k${String(n).padStart(4, "0")}`)
      const kindOf = (n: number): string => (n % 2_000 === 1_999 ? "rare" : "common")
      const rows = keys.map((key, n) => {
        const value = JSON.stringify({ id: key, kind: kindOf(n), size: n % 2, text: kindOf(n) })
        return { kind: "insert", collection: "tasks", key, value, rowsMax: 10_000, done: n === 1_999 } as const
      })
      await write(store, rows)
      const find = async (query: object): Promise<readonly [readonly string[], string | undefined]> => {
        const page = await store.spaceRows(PATH, { collection: "tasks", limit: 10, ...query })
        // An engine may look at all of them at once.
        if (page.next !== "k4999") return [page.rows.map(({ key }) => key), page.next]
        const rest = await store.spaceRows(PATH, { collection: "tasks", limit: 10, ...query, after: page.next })
        return [[...page.rows, ...rest.rows].map(({ key }) => key), rest.next]
      }
      const rare = ["k1999", "k3999", "k5999"]
      expect(await find({ where: { kind: "rare" } })).toEqual([rare, undefined])
      expect(await find({ where: { kind: "rare" }, limit: 2 })).toEqual([rare.slice(0, 2), "k3999"])
      expect(await find({ where: { kind: "rare" }, after: "k3999" })).toEqual([rare.slice(2), undefined])
      expect(await find({ where: { size: 1, kind: "rare" } })).toEqual([rare, undefined])
      expect(await find({ where: { kind: "rare", text: "rare" } })).toEqual([rare, undefined])
      expect(await find({ where: { text: "rare" } })).toEqual([rare, undefined])
      expect(await find({ where: { text: "rare" }, after: "k4999" })).toEqual([rare.slice(2), undefined])
      expect(await find({ where: { text: "none" } })).toEqual([[], undefined])
      await write(store, [
        { kind: "update", collection: "tasks", key: "k1999", value: `{"id":"k1999","kind":"common"}` },
        { kind: "delete", collection: "tasks", key: "k3999" },
        { kind: "update", collection: "tasks", key: "k0000", value: `{"id":"k0000","kind":"rare"}` },
      ])
      expect(await find({ where: { kind: "rare" } })).toEqual([["k0000", "k5999"], undefined])
    })

    it("says on the log what each write did, and the live rows say the same", async () => {
      const store = await open("a")
      await write(store, [{ kind: "update", collection: "tasks", key: "a", value: `{"id":"a","n":2}` }])
      await write(store, [claiming()])
      const live = await store.liveSpace(PATH)
      expect(live?.rows).toMatchObject([{ key: "a", value: `{"id":"a","n":2}`, holder: "w" }])
      const [, inserted, updated, claimed] = await logOf(store)
      expect(inserted).toMatchObject({ type: "tasks", key: "a", headers: { operation: "insert", by: "/t/one" } })
      expect(updated).toMatchObject({
        value: { n: 2 },
        headers: { operation: "update", version: live?.rows[0]?.version },
      })
      const value = { collection: "tasks", key: "a", holder: "w", status: "held", token: live?.rows[0]?.token }
      expect(claimed).toMatchObject({ type: "claim", key: "tasks/a", value, headers: { operation: "insert" } })
      await write(store, [{ kind: "delete", collection: "tasks", key: "a", token: live?.rows[0]?.token ?? 0 }])
      expect((await logOf(store)).slice(4)).toMatchObject([
        { type: "claim", headers: { operation: "delete" } },
        { type: "tasks", key: "a", headers: { operation: "delete" } },
      ])
    })

    it("guards each row by its own version, in whatever order its writers come", async () => {
      const store = await open("a", "b")
      const { version } = (await row(store)) ?? { version: 0 }
      const update = (key: string, n: number): SpaceWrite => ({
        kind: "update",
        collection: "tasks",
        key,
        value: JSON.stringify({ id: key, n }),
        version,
      })
      const both = await Promise.allSettled([write(store, [update("a", 1)]), write(store, [update("a", 2)])])
      expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"])
      const details = await refused(write(store, [update("a", 3)]), "CONFLICT")
      expect(details).toMatchObject({
        guard: "row",
        key: "a",
        version: (await row(store))?.version,
        value: `{"id":"a","n":1}`,
      })
      await write(store, [{ kind: "update", collection: "tasks", key: "b", value: `{"id":"b"}` }])
    })

    it("does not take a row made anew for the one before", async () => {
      const store = await open("a")
      const before = await row(store)
      await write(store, [{ kind: "delete", collection: "tasks", key: "a" }, insert("a")])
      const stale = {
        kind: "update",
        collection: "tasks",
        key: "a",
        value: "{}",
        version: before?.version ?? 0,
      } as const
      await refused(write(store, [stale]), "CONFLICT")
      expect((await row(store))?.version).toBeGreaterThan(before?.version ?? 0)
    })

    it("refuses what is not there, and what is there already, and writes nothing of the rest", async () => {
      const store = await open("a")
      const before = await logOf(store)
      await refused(write(store, [insert("b"), insert("a")]), "ALREADY_EXISTS")
      await refused(write(store, [insert("b"), { kind: "delete", collection: "tasks", key: "z" }]), "NOT_FOUND")
      await refused(write(store, [insert("b"), insert("c", {}, "nothing")]), "NOT_FOUND")
      await refused(store.commit({ ops: [writing([insert("b")], NOW, "shared/none")] }), "NOT_FOUND")
      expect(await logOf(store)).toEqual(before)
      expect(await store.space(PATH)).toMatchObject({ rows: 1 })
    })

    it("holds no more rows than it may", async () => {
      const store = await open("a")
      await refused(write(store, [{ ...insert("b"), rowsMax: 1 } as SpaceWrite]), "TOO_LARGE")
      await write(store, [{ kind: "delete", collection: "tasks", key: "a" }])
      await write(store, [{ ...insert("b"), rowsMax: 1 } as SpaceWrite])
      expect(await store.space(PATH)).toMatchObject({ rows: 1 })
    })

    it("adds to numbers without a conflict, within their bounds, also of claimed rows", async () => {
      const store = await open("a")
      const add = (by: number): SpaceWrite => ({
        kind: "increment",
        collection: "tasks",
        key: "a",
        field: "n",
        by,
        max: 100,
      })
      await claim(store)
      await Promise.all(Array.from({ length: 50 }, () => write(store, [add(2)])))
      expect(await valueOf(store)).toEqual({ id: "a", n: 100 })
      await refused(write(store, [add(1)]), "INVALID_ARGS")
      await refused(write(store, [{ ...add(1), field: "id" } as SpaceWrite]), "INVALID_ARGS")
    })
  })

  describe("claims", () => {
    it("gives each row to one of many, in the order they were made", async () => {
      const keys = Array.from({ length: 60 }, (_, n) => `k${String(n).padStart(2, "0")}`)
      const store = await open(...keys)
      const taken = await Promise.all(keys.map((_, n) => claim(store, { holder: `w${n}` })))
      expect(taken.flat()).toEqual(keys)
      expect(await claim(store, { holder: "late" })).toEqual([])
    })

    it("answers the same claim with the rows it still holds", async () => {
      const store = await open("a", "b", "c")
      expect(await claim(store, { limit: 2 })).toEqual(["a", "b"])
      expect(await claim(store, { limit: 2 })).toEqual(["a", "b"])
      const token = (await row(store))?.token ?? 0
      await write(store, [{ kind: "complete", collection: "tasks", key: "a", token }])
      expect(await claim(store, { limit: 2 })).toEqual(["b"])
      expect(await claim(store, { limit: 2, claim: "c2" })).toEqual(["c"])
    })

    it("finds rows by the values of an index, also when they change", async () => {
      const store = await open()
      await write(store, [
        insert("a", { kind: "x", size: 1 }),
        insert("b", { kind: "y", size: 1 }),
        insert("c", { kind: "x" }),
      ])
      const queue = queueOf(["kind"], { kind: "x" })
      expect(await claim(store, { queue, limit: 9 })).toEqual(["a", "c"])
      const sized = queueOf(["size", "kind"], { kind: "y", size: 1 })
      expect(await claim(store, { queue: sized, holder: "v" })).toEqual(["b"])
      await write(store, [{ kind: "release", collection: "tasks", key: "b" }])
      await write(store, [{ kind: "update", collection: "tasks", key: "b", value: `{"id":"b","kind":"x"}` }])
      expect(await claim(store, { queue: sized, holder: "v" })).toEqual([])
      expect(await claim(store, { queue, holder: "v" })).toEqual(["b"])
    })

    it("lets nobody else write a claimed row, and its holder no longer than it is its", async () => {
      const store = await open("a")
      await claim(store, { expiresAtMs: NOW + 1_000 })
      const { token = 0 } = (await row(store)) ?? {}
      const update = { kind: "update", collection: "tasks", key: "a", value: `{"id":"a"}` } as const
      await refused(write(store, [update]), "ALREADY_CLAIMED")
      await refused(write(store, [{ kind: "delete", collection: "tasks", key: "a" }]), "ALREADY_CLAIMED")
      await write(store, [{ ...update, token }])
      expect(await claim(store, { holder: "v", claim: "d1" }, NOW + 999)).toEqual([])
      expect(await claim(store, { holder: "v", claim: "d1", expiresAtMs: NOW + 9_000 }, NOW + 1_000)).toEqual(["a"])
      for (const kind of ["update", "delete", "complete", "release"] as const) {
        await refused(write(store, [{ ...update, kind, token }]), "CLAIM_LOST")
      }
      await refused(
        write(store, [{ kind: "renew", collection: "tasks", key: "a", token, expiresAtMs: NOW }]),
        "CLAIM_LOST",
      )
    })

    it("lets a holder go on after its time as long as nobody else came", async () => {
      const store = await open("a")
      await claim(store, { expiresAtMs: NOW + 1_000 })
      const { token = 0 } = (await row(store)) ?? {}
      await write(store, [{ kind: "complete", collection: "tasks", key: "a", token }], NOW + 5_000)
      expect(await claim(store, { holder: "v" }, NOW + 9_000)).toEqual([])
      await refused(write(store, [{ kind: "complete", collection: "tasks", key: "a", token }]), "CLAIM_LOST")
    })

    it("keeps a renewed row from others, and gives a released one to the next", async () => {
      const store = await open("a", "b")
      await claim(store, { expiresAtMs: NOW + 1_000 })
      const { token = 0 } = (await row(store)) ?? {}
      await write(store, [{ kind: "renew", collection: "tasks", key: "a", token, expiresAtMs: NOW + 9_000 }])
      expect(await claim(store, { holder: "v" }, NOW + 5_000)).toEqual(["b"])
      await write(store, [{ kind: "release", collection: "tasks", key: "a", token }])
      expect(await claim(store, { holder: "u" }, NOW + 5_000)).toEqual(["a"])
      expect((await row(store))?.token).toBeGreaterThan(token)
    })

    it("finds expired claims first, and tells which they are", async () => {
      const store = await open("a", "b", "c")
      await claim(store, { limit: 2, expiresAtMs: NOW + 1_000 })
      const { token } = (await row(store)) ?? {}
      expect(await store.expiredClaims(NOW + 999, 9)).toEqual([])
      expect(await store.nextClaimExpiryAtMs()).toBe(NOW + 1_000)
      const expired = { path: PATH, collection: "tasks", key: "a", token, expiredAtMs: NOW + 1_000 }
      expect(await store.expiredClaims(NOW + 1_000, 1)).toEqual([expired])
      expect(await claim(store, { holder: "v", limit: 3 }, NOW + 1_000)).toEqual(["a", "b", "c"])
      expect(await store.expiredClaims(NOW + 2_000, 9)).toEqual([])
    })

    it("gives one holder no more than it may have", async () => {
      const store = await open("a", "b", "c")
      expect(await claim(store, { limit: 9, heldMax: 2 })).toEqual(["a", "b"])
      await refused(write(store, [claiming({ claim: "c2", heldMax: 2 })]), "RATE_LIMITED")
      expect(await claim(store, { claim: "c2", heldMax: 2 }, NOW + 99_000)).toEqual(["a"])
    })

    it("can be taken away, and a completed row opened again", async () => {
      const store = await open("a")
      await claim(store)
      await write(store, [{ kind: "release", collection: "tasks", key: "a" }])
      expect(await claim(store, { holder: "v" })).toEqual(["a"])
      const { token = 0 } = (await row(store)) ?? {}
      await write(store, [{ kind: "complete", collection: "tasks", key: "a", token, value: `{"id":"a","ok":1}` }])
      expect(await row(store)).toMatchObject({ done: true, holder: null, value: `{"id":"a","ok":1}` })
      await write(store, [{ kind: "release", collection: "tasks", key: "a" }])
      expect(await claim(store, { holder: "u" })).toEqual(["a"])
    })
  })

  describe("the end of a space", () => {
    it("takes its rows, its log and its claims, and leaves the path free", async () => {
      const store = await open("a")
      expect(await store.nextClaimExpiryAtMs()).toBeUndefined()
      await claim(store)
      await store.commit({ ops: [{ op: "space", path: PATH, change: { kind: "drop" }, nowMs: NOW }] })
      expect(await store.space(PATH)).toBeUndefined()
      expect(await store.stream(PATH)).toBeUndefined()
      expect(await store.expiredClaims(NOW + 99_000, 9)).toEqual([])
      expect(await store.nextClaimExpiryAtMs()).toBeUndefined()
      await store.commit({ ops: [define(), writing([insert("a")])] })
      while ((await store.sweep(NOW)) > 0);
      expect((await store.spaceRows(PATH, { collection: "tasks", limit: 9 })).rows.map(({ key }) => key)).toEqual(["a"])
      expect(await claim(store, { limit: 9 })).toEqual(["a"])
    })
  })
}
