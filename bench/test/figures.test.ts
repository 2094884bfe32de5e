import { expect, test } from "vitest"
import { Figures } from "../src/lib/figures.ts"
import { figureTable, number, table } from "../src/lib/table.ts"

const LATENCY = { name: "turn, p50", unit: "ms", most: 3, of: "ours" }
const RATE = { name: "turns", unit: "turns/s", least: 100 }

test("figures are compared round by round with the base, and judged for whom the target is", () => {
  const figures = new Figures("base")
  for (const [base, ours] of [
    [1, 4],
    [2, 4],
    [1, 2],
  ] as const) {
    figures.add(LATENCY, "base", base)
    figures.add(LATENCY, "ours", ours)
  }
  const [base, ours] = figures.list()
  expect(base).toEqual({
    system: "base",
    metric: "turn, p50",
    unit: "ms",
    median: 1,
    min: 1,
    max: 2,
    count: 3,
    values: [1, 2, 1],
  })
  expect(ours).toMatchObject({
    median: 4,
    ratio: { median: 2, min: 2, max: 4, count: 3 },
    target: "≤ 3",
    met: false,
    values: [4, 4, 2],
  })
})

test("a least is met from that value on", () => {
  const met = (value: number): boolean | undefined => {
    const figures = new Figures()
    figures.add(RATE, "ours", value)
    return figures.list()[0]?.met
  }
  expect([met(99), met(100), met(101)]).toEqual([false, true, true])
})

test("a table shows a metric's name once, and says what was missed", () => {
  const figures = new Figures("base")
  figures.add(LATENCY, "base", 1)
  figures.add(LATENCY, "ours", 4)
  expect(figureTable(figures.list())).toBe(
    [
      "figure     system  median   min … max    ratio (min … max)    target",
      "turn, p50  base    1.00 ms  1.00 … 1.00",
      "           ours    4.00 ms  4.00 … 4.00  4.00× (4.00 … 4.00)  ≤ 3     MISSED",
    ].join("\n"),
  )
})

test("numbers have the digits that matter", () => {
  expect([0, 0.0123, 0.5, 12.34, 123.4, 45_678, Number.POSITIVE_INFINITY].map(number)).toEqual([
    "0.00",
    "0.0123",
    "0.50",
    "12.3",
    "123",
    "45,678",
    "Infinity",
  ])
  expect(number(-12.34)).toBe("-12.3")
})

test("columns are as wide as their widest cell", () => {
  expect(
    table([
      ["a", "bbb", "c"],
      ["aaaa", "b", ""],
    ]),
  ).toBe("a     bbb  c\naaaa  b")
})
