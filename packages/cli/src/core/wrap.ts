import stringWidth from "string-width"
import wrapAnsi from "wrap-ansi"

const COLUMNS_MIN = 8

/** Columns that a text takes: colours take none, wide characters two. */
export function widthOf(text: string): number {
  return stringWidth(text)
}

/** Lines of at most `columns`, broken between words where that can be done. Colours go on from line to line. */
export function wrapped(text: string, columns: number): readonly string[] {
  return wrapAnsi(text, Math.max(columns, COLUMNS_MIN), { hard: true, trim: false })
    .split("\n")
    .map((line) => line.replace(/ +$/, ""))
}

/** The same for text whose spaces count: code, JSON. It is broken where a line is full. */
export function folded(text: string, columns: number): readonly string[] {
  return wrapAnsi(text, Math.max(columns, COLUMNS_MIN), { hard: true, trim: false, wordWrap: false }).split("\n")
}

/** Lines that wrap to what is left beside a prefix: `first` on the first of them, `rest` on the others. */
export function hung(text: string, columns: number, first: string, rest: string = first): readonly string[] {
  const room = columns - Math.max(widthOf(first), widthOf(rest))
  return wrapped(text, room).map((line, at) => (at === 0 ? first : rest) + line)
}

/** One line of text without colours, at most `columns` wide, with `more` where it was cut. */
export function cut(text: string, columns: number, more: string): string {
  if (widthOf(text) <= columns) return text
  let kept = ""
  let width = 0
  for (const { segment } of GRAPHEMES.segment(text)) {
    width += widthOf(segment)
    if (width > columns - 1) break
    kept += segment
  }
  return columns < 1 ? "" : `${kept}${more}`
}

const GRAPHEMES = new Intl.Segmenter()

/** The text and spaces up to `columns`. */
export function padded(text: string, columns: number, side: "left" | "right" = "left"): string {
  const gap = " ".repeat(Math.max(0, columns - widthOf(text)))
  return side === "left" ? text + gap : gap + text
}
