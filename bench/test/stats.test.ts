import fc from "fast-check"
import { expect, test } from "vitest"
import { latency, median, percentile, ratios, spread } from "../src/lib/stats.ts"

test("a percentile is the nearest rank", () => {
  const hundred = Array.from({ length: 100 }, (_, n) => n + 1)
  expect(percentile(hundred, 0.5)).toBe(50)
  expect(percentile(hundred, 0.99)).toBe(99)
  expect(percentile(hundred, 1)).toBe(100)
  expect(percentile(hundred, 0)).toBe(1)
  expect(percentile([7], 0.99)).toBe(7)
})

test("nothing has no percentile and no median", () => {
  expect(() => percentile([], 0.5)).toThrow("at least one")
  expect(() => median([])).toThrow("at least one")
})

test("the median does not depend on order, and an even number's is between the two in the middle", () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([10, 9])).toBe(9.5)
})

test("at most half of the values are on either side of the median", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 }), (values) => {
      const middle = median(values)
      const half = values.length / 2
      expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(half)
      expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(half)
    }),
  )
})

test("samples are ordered as numbers", () => {
  expect(latency(Float64Array.from([100, 9, 20]))).toEqual({ p50: 20, p99: 100, max: 100 })
})

test("a ratio is to the same round's base", () => {
  expect(ratios([10, 30, 50], [1, 2])).toEqual([10, 15])
  expect(spread(ratios([2, 6], [1, 2]))).toEqual({ median: 2.5, min: 2, max: 3, count: 2 })
})
