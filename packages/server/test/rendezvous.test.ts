import * as fc from "fast-check"
import { expect, test } from "vitest"
import { rankOf, type Sharer } from "../src/core/rendezvous.ts"

const sharers: fc.Arbitrary<readonly Sharer[]> = fc.uniqueArray(
  fc.record({ id: fc.uuid(), capacity: fc.integer({ min: 1, max: 100 }) }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 8 },
)

test("everybody has a place of their own, whoever asks and in whichever order they are known", () => {
  fc.assert(
    fc.property(fc.string(), sharers, (key, all) => {
      const ranks = all.map(({ id }) => rankOf(key, id, all))
      expect(ranks.toSorted((a, b) => a - b)).toEqual(all.map((_, at) => at))
      expect(all.map(({ id }) => rankOf(key, id, all.toReversed()))).toEqual(ranks)
    }),
  )
})

test("who goes moves nothing but its own part", () => {
  fc.assert(
    fc.property(fc.string(), sharers, (key, all) => {
      const [gone, ...rest] = all
      for (const { id } of rest) {
        if (gone && rankOf(key, gone.id, all) > 0) expect(rankOf(key, id, rest) === 0).toBe(rankOf(key, id, all) === 0)
      }
    }),
  )
})

test("parts are in proportion to what each can do", () => {
  const all = [
    { id: "a", capacity: 100 },
    { id: "b", capacity: 200 },
    { id: "c", capacity: 100 },
  ]
  const first = { a: 0, b: 0, c: 0 }
  for (let n = 0; n < 8_000; n += 1)
    for (const { id } of all) if (rankOf(`/chat/user-${n}`, id, all) === 0) first[id as "a"] += 1
  expect(Math.abs(first.a - 2_000)).toBeLessThan(200)
  expect(Math.abs(first.b - 4_000)).toBeLessThan(200)
})

test("who takes nothing more, or is not known, comes last", () => {
  const all = [
    { id: "a", capacity: 0 },
    { id: "b", capacity: 1 },
  ]
  for (let n = 0; n < 100; n += 1) {
    expect([rankOf(`k${n}`, "b", all), rankOf(`k${n}`, "a", all), rankOf(`k${n}`, "z", all)]).toEqual([0, 2, 2])
  }
})
