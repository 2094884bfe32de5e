import picocolors from "picocolors"
import { describe, expect, test } from "vitest"
import { eventLine } from "../src/output/event-line.ts"
import { duration, relativeTime } from "../src/output/relative-time.ts"
import { table } from "../src/output/table.ts"
import { clip, columnsOf, printable } from "../src/output/text.ts"

const NOW_MS = Date.parse("2026-11-23T12:00:00Z")
const plain = picocolors.createColors(false)
const before = (ms: number): string => new Date(NOW_MS - ms).toISOString()

describe("relative time", () => {
  test.each([
    [0, "now"],
    [999, "now"],
    [1_000, "1s ago"],
    [61_000, "1m ago"],
    [3 * 3_600_000, "3h ago"],
    [49 * 3_600_000, "2d ago"],
    [400 * 86_400_000, "1y ago"],
    [-5_000, "in 5s"],
  ])("%d ms", (ms, text) => expect(relativeTime(before(ms), NOW_MS)).toBe(text))

  test("what is no time stays as it is", () => expect(relativeTime("soon", NOW_MS)).toBe("soon"))
  test("lengths", () => expect([850, 1_250, 184_000].map(duration)).toEqual(["850ms", "1.3s", "3m 4s"]))
})

describe("text", () => {
  test("no escape sequence of an agent reaches the terminal", () => {
    expect(printable("a\u001b[31mred\u001b]0;title\u0007\u001b[2J\rb\u009b1mc\n\td")).not.toMatch(/(?![\t\n])\p{Cc}/u)
    expect(printable("two\nlines\tand a tab")).toBe("two\nlines\tand a tab")
  })

  test("wide characters count twice and are not cut in half", () => {
    expect(columnsOf("日本")).toBe(4)
    expect(columnsOf("\u001b[31mred\u001b[39m")).toBe(3)
    expect(clip("日本語", 5)).toBe("日本…")
    expect(clip("a\n  b", 80)).toBe("a b")
  })
})

describe("table", () => {
  const columns = [
    { title: "NAME", cell: (row: Record<string, string>) => row["name"] ?? "" },
    { title: "EMPTY", cell: () => "" },
    { title: "NOTE", cell: (row: Record<string, string>) => row["note"] ?? "" },
  ]
  const rows = [
    { name: "a", note: "short" },
    { name: "longer", note: "a note that is much too long for it" },
  ]
  const paintTitle = (text: string): string => text

  test("aligns, leaves empty columns out, and cuts only the last to fit", () => {
    expect(table(rows, columns, { columnsMax: 24, paintTitle })).toBe(
      "NAME    NOTE\na       short\nlonger  a note that is …",
    )
  })

  test("cuts nothing where there is no terminal", () => {
    expect(table(rows, columns, { columnsMax: Number.POSITIVE_INFINITY, paintTitle })).toContain("much too long for it")
  })
})

describe("a line of the log", () => {
  test("says when, what and which", () => {
    const event = {
      type: "text",
      key: "r000001-s0001-p000",
      value: { text: "Hello\nthere" },
      headers: { operation: "insert" as const },
    }
    expect(eventLine(event, 100, plain)).toMatch(/^ {12} \+ text {6}r000001-s0001-p000 {2}Hello there$/)
  })

  test("a value that is no object is shown as it is", () => {
    const event = { type: "own", key: "k", headers: { operation: "delete" as const } }
    expect(eventLine(event, 100, plain).trim()).toBe("- own       k")
  })
})
