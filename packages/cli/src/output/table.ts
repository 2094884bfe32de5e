import { clip, columnsOf } from "./text.ts"

export interface Column<T> {
  readonly title: string
  readonly cell: (row: T) => string
  /** Colours a cell after it was laid out. */
  readonly paint?: (text: string, row: T) => string
}

export interface TableOptions {
  /** Columns of the terminal. The last column is cut to fit; Infinity cuts nothing. */
  readonly columnsMax: number
  readonly paintTitle: (text: string) => string
}

const GAP = "  "
const LAST_MIN = 12

/** Rows under titles, aligned, columns that are empty in every row left out. Ends without a line break. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], options: TableOptions): string {
  const all = rows.map((row) => columns.map((column) => clip(column.cell(row), Number.POSITIVE_INFINITY)))
  const shown = columns.flatMap((column, index) =>
    all.some((cells) => cells[index] !== "") ? [{ column, index }] : [],
  )
  const widths = shown.map(({ column, index }) =>
    Math.max(columnsOf(column.title), ...all.map((cells) => columnsOf(cells[index] ?? ""))),
  )
  const lastMax = roomForLast(widths, options.columnsMax)
  const layOut = (texts: readonly string[], paint: (text: string, at: number) => string): string =>
    texts
      .map((text, at) => {
        const isLast = at === texts.length - 1
        const fitted = isLast ? clip(text, lastMax) : text
        return paint(fitted, at) + (isLast ? "" : " ".repeat((widths[at] ?? 0) - columnsOf(fitted)))
      })
      .join(GAP)
      .trimEnd()
  const titles = layOut(
    shown.map(({ column }) => column.title),
    (text) => options.paintTitle(text),
  )
  const lines = rows.map((row, at) =>
    layOut(
      shown.map(({ index }) => all[at]?.[index] ?? ""),
      (text, place) => shown[place]?.column.paint?.(text, row) ?? text,
    ),
  )
  return [titles, ...lines].join("\n")
}

function roomForLast(widths: readonly number[], columnsMax: number): number {
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0)
  return Math.max(LAST_MIN, columnsMax - before)
}
