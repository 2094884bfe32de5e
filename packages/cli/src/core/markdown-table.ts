import type { Tokens } from "marked"
import { inline } from "./markdown-inline.ts"
import type { Page } from "./markdown.ts"
import { padded, widthOf, wrapped } from "./wrap.ts"

/** A column is never narrower: below that, rows are written as a list of names and values. */
const COLUMN_MIN = 8

/** A table in a box, its cells wrapped to fit; in a terminal too narrow for it, row by row. */
export function tableLines(table: Tokens.Table, page: Page): readonly string[] {
  const head = table.header.map((cell) => page.color.bold(inline(cell.tokens, page)))
  const rows = table.rows.map((row) => row.map((cell) => inline(cell.tokens, page)))
  const wanted = head.map((title, at) => Math.max(widthOf(title), ...rows.map((row) => widthOf(row[at] ?? "")), 1))
  const widths = fitted(wanted, page.columns - 3 * wanted.length - 1)
  if (widths === undefined) return listed(head, rows, page)
  const { color, glyphs } = page
  const bar = color.dim(glyphs.bar)
  const rowLines = (cells: readonly string[]): readonly string[] => {
    const parts = widths.map((width, at) => wrapped(cells[at] ?? "", width))
    return Array.from({ length: Math.max(...parts.map((part) => part.length)) }, (_, line) => {
      const texts = parts.map((part, at) =>
        padded(part[line] ?? "", widths[at] ?? 0, table.align[at] === "right" ? "right" : "left"),
      )
      return `${bar} ${texts.join(` ${bar} `)} ${bar}`
    })
  }
  const border = (corners: string): string => {
    const [left, middle, right] = corners
    return color.dim(`${left}${widths.map((width) => glyphs.rule.repeat(width + 2)).join(middle)}${right}`)
  }
  const [top, between, bottom] = glyphs.table
  return [border(top), ...rowLines(head), border(between), ...rows.flatMap(rowLines), border(bottom)]
}

/** Widths that add up to at most `room`: the widest give way first. Undefined when there is no room for what is least. */
function fitted(wanted: readonly number[], room: number): readonly number[] | undefined {
  const least = wanted.map((width) => Math.min(width, COLUMN_MIN))
  if (sum(least) > room) return undefined
  let level = Math.max(...wanted)
  while (sum(atMost(wanted, level)) > room && level > COLUMN_MIN) level -= 1
  return atMost(wanted, level)
}

function atMost(widths: readonly number[], level: number): readonly number[] {
  return widths.map((width) => Math.min(width, level))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function listed(head: readonly string[], rows: readonly (readonly string[])[], page: Page): readonly string[] {
  return rows.flatMap((row, index) => [
    ...(index === 0 ? [] : [page.color.dim(page.glyphs.rule.repeat(Math.min(COLUMN_MIN, page.columns)))]),
    ...row.flatMap((cell, at) => wrapped(`${head[at] ?? ""}: ${cell}`, page.columns)),
  ])
}
