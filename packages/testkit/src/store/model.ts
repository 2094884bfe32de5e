import { RouseError, START } from "@rouse/protocol"
import type { Commit, Guard, Op, Store } from "@rouse/store"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { append, closeOnly, create, fork, NOW, put, putRow, refused } from "./fixture.ts"
import type { Fixture } from "./fixture.ts"
import { applyToModel, emptyModel } from "./model-state.ts"
import type { ModelResult, ModelState } from "./model-state.ts"

/** A small world, so that random commits meet. */
const PATHS = ["a", "b", "c"]
const URLS = ["/t/a", "/t/b"]
const small = fc.integer({ min: 0, max: 3 })
const path = fc.constantFrom(...PATHS)
const url = fc.constantFrom(...URLS)
const producer = fc.option(
  fc.record({ id: fc.constantFrom("p", "q"), epoch: fc.integer({ max: 2, min: 0 }), seq: small }),
  {
    nil: undefined,
    freq: 2,
  },
)

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: path.map((name) => create(name)) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(path, fc.string({ maxLength: 20 }), producer, fc.boolean(), fc.boolean())
      .map(([name, text, by, close, empty]) => {
        const made = close && empty ? closeOnly(name) : append(name, text, close && text.length > 17 ? { close } : {})
        return by === undefined ? made : { ...made, producer: by }
      }),
  },
  { weight: 2, arbitrary: path.map((name): Op => ({ op: "deleteStream", path: name })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(path, path, fc.boolean(), fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined, freq: 1 }))
      .map(([name, source, fromStart, subOffset]) =>
        fork(name, source, {
          ...(fromStart ? { offset: START } : {}),
          ...(subOffset === undefined ? {} : { subOffset }),
        }),
      ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(url, small, small, small).map(([name, epoch, second, tag]) =>
      put(name, {
        epoch,
        activeAtMs: NOW + second * 500,
        dueAtMs: second === 0 ? null : NOW + second,
        tags: { [`t${tag}`]: String(second) },
      }),
    ),
  },
  { weight: 1, arbitrary: url.map((name): Op => ({ op: "deleteEntity", url: name })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(url, small, fc.jsonValue({ maxDepth: 2 }))
      .map(([name, key, value]) => putRow(name, `c${key % 2}`, `k${key}`, JSON.parse(JSON.stringify(value)))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(url, small)
      .map(([name, key]): Op => ({ op: "deleteRow", url: name, collection: `c${key % 2}`, key: `k${key}` })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(url, small).map(([name, n]): Op => ({
      op: "putTimer",
      timer: { id: `${name} ${n}`, url: name, dueAtMs: NOW + n, payload: n },
    })),
  },
  { weight: 1, arbitrary: fc.tuple(url, small).map(([name, n]): Op => ({ op: "deleteTimer", id: `${name} ${n}` })) },
  {
    weight: 2,
    arbitrary: small.map((n): Op => ({
      op: "putReceipt",
      receipt: { key: `k${n}`, fingerprint: "", response: n, expiresAtMs: NOW },
    })),
  },
)

const guard: fc.Arbitrary<Guard> = fc.oneof(
  fc.record({ kind: fc.constant("version" as const), url, version: small }),
  fc.record({ kind: fc.constant("lease" as const), url, epoch: small, seq: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant("lease" as const), url, epoch: small }),
  fc.tuple(url, small).map(([name, n]): Guard => ({ kind: "timer", id: `${name} ${n}` })),
  small.map((n): Guard => ({ kind: "noReceipt", key: `k${n}` })),
)

const commit: fc.Arbitrary<Commit> = fc.record({
  guards: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(guard, { maxLength: 2 }) },
  ),
  ops: fc.array(op, { maxLength: 5 }),
})

export function modelTests(fixture: Fixture): void {
  describe("model", () => {
    it(
      "answers any commits, alone or many at once, as the model does, and then reads the same",
      { timeout: 120_000 },
      async () => {
        const bursts = fc.array(fc.array(commit, { minLength: 1, maxLength: 8 }), { maxLength: 6 })
        const property = fc.asyncProperty(bursts, async (given) => {
          const { store, close } = await fixture.openOnce()
          let model = emptyModel()
          for (const burst of given) {
            const expected: ModelResult[] = []
            for (const each of burst) {
              const [next, result] = applyToModel(model, each)
              model = next
              expected.push(result)
            }
            expect(await Promise.all(burst.map((each) => resultOf(store, each)))).toEqual(expected)
            await expectSame(store, model)
          }
          await close()
        })
        await fc.assert(property, { numRuns: 40 })
      },
    )
  })
}

async function resultOf(store: Store, given: Commit): Promise<ModelResult> {
  try {
    return (await store.commit(given)).applied ? "applied" : "repeated"
  } catch (error) {
    if (RouseError.is(error)) return error.code
    throw error
  }
}

async function expectSame(store: Store, model: ModelState): Promise<void> {
  for (const name of PATHS) {
    const stream = model.streams[name]
    if (stream?.deleted === true) {
      await refused(store.stream(name), "GONE")
      continue
    }
    expect((await store.stream(name))?.closed).toBe(stream?.closed)
    if (stream === undefined) continue
    const { chunks } = await store.read(name, START, 1_000_000)
    expect(chunks.map((chunk) => Buffer.from(chunk).toString())).toEqual(stream.messages)
  }
  for (const name of URLS) await expectSameEntity(store, model, name)
  const timers = (await store.dueTimers(NOW + 100, 100)).map(({ id, dueAtMs }) => [id, dueAtMs])
  expect(Object.fromEntries(timers)).toEqual(model.timers)
  for (const [key, response] of Object.entries(model.receipts))
    expect((await store.receipt(key))?.response).toEqual(response)
  await expectSameLists(store, model)
}

async function expectSameEntity(store: Store, model: ModelState, name: string): Promise<void> {
  const entity = model.entities[name]
  expect(await store.entity(name)).toEqual(entity?.record)
  const rows = (await store.rows(name)).map(({ collection, key, value }) => [`${collection}/${key}`, value])
  expect(Object.fromEntries(rows)).toEqual(entity?.rows ?? {})
}

async function expectSameLists(store: Store, model: ModelState): Promise<void> {
  const records = Object.values(model.entities).map(({ record }) => record)
  const second = (atMs: number): number => Math.floor(atMs / 1_000)
  const newest = records.toSorted((a, b) => second(b.activeAtMs) - second(a.activeAtMs) || (a.url < b.url ? -1 : 1))
  expect((await store.entities({ limit: 10 })).entities).toEqual(newest)
  const tagged = newest.filter(({ tags }) => tags["t1"] === "1")
  expect((await store.entities({ tag: { name: "t1", value: "1" }, limit: 10 })).entities).toEqual(tagged)
  const due = [...records.map(({ dueAtMs }) => dueAtMs), ...Object.values(model.timers)].filter((at) => at !== null)
  expect(await store.nextDueAtMs()).toBe(due.length === 0 ? undefined : Math.min(...due))
}
