import type { TerminalOutput } from "../io.ts"
import { widthOf } from "../core/wrap.ts"

const COLUMNS_UNKNOWN = 80
const ROWS_UNKNOWN = 24
const ROWS_MIN = 4

/** Both: what is between them appears at once, where the terminal knows them. */
const BEGIN = "\u001b[?2026h"
const END = "\u001b[?2026l"
const HIDE_CURSOR = "\u001b[?25l"
const SHOW_CURSOR = "\u001b[?25h"
const ERASE_BELOW = "\u001b[J"

/** Where the cursor is to stand among the lines that are drawn. */
export interface Caret {
  readonly row: number
  readonly column: number
}

/**
 * The end of a terminal that scrolls: lines that stay, and below them lines that are drawn again.
 *
 * Owns: what is drawn now, and where the cursor stands in it.
 * 1. Nothing drawn is higher than the terminal: of more lines, the last are shown.
 * 2. What is written for good is written whole, above what is drawn.
 * 3. After `close` the cursor is visible, below all that was written.
 */
export class Region {
  readonly #output: TerminalOutput
  #drawn: readonly string[] = []
  #caret: Caret | undefined
  #isOpen = false

  constructor(output: TerminalOutput) {
    this.#output = output
  }

  /** The last column stays empty: a terminal may wrap what fills it. */
  get columns(): number {
    return (this.#output.columns || COLUMNS_UNKNOWN) - 1
  }

  get rows(): number {
    return Math.max(ROWS_MIN, this.#output.rows || ROWS_UNKNOWN)
  }

  /** Writes `out` for good and draws `live` below it, the cursor at `caret` or hidden. */
  draw(out: readonly string[], live: readonly string[], caret?: Caret): void {
    const cut = Math.max(0, live.length - (this.rows - 1))
    const shown = live.slice(cut)
    const at = caret && { row: caret.row - cut, column: caret.column }
    if (out.length === 0 && this.#isOpen && same(shown, this.#drawn) && sameCaret(at, this.#caret)) return
    const text = [...out.map((line) => `${line}\n`), shown.join("\n")].join("")
    this.#output.write(`${BEGIN}${HIDE_CURSOR}${this.#back()}${ERASE_BELOW}${text}${placed(at, shown)}${END}`)
    this.#drawn = shown
    this.#caret = at
    this.#isOpen = true
  }

  /** Takes away what is drawn, and leaves `lines` in its place. */
  close(lines: readonly string[] = []): void {
    if (!this.#isOpen && lines.length === 0) return
    const text = lines.map((line) => `${line}\n`).join("")
    this.#output.write(`${this.#back()}${ERASE_BELOW}${text}${SHOW_CURSOR}`)
    this.#drawn = []
    this.#caret = undefined
    this.#isOpen = false
  }

  /** To the beginning of what is drawn. A terminal that became narrower has wrapped it. */
  #back(): string {
    const columns = this.columns + 1
    const above = this.#caret === undefined ? this.#drawn.slice(0, -1) : this.#drawn.slice(0, this.#caret.row)
    const inLine = this.#caret === undefined ? widthOf(this.#drawn.at(-1) ?? "") : this.#caret.column
    const rows = above.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0)
    const up = rows + Math.max(0, Math.ceil(inLine / columns) - 1)
    return up === 0 ? "\r" : `\r\u001b[${up}A`
  }
}

function placed(caret: Caret | undefined, lines: readonly string[]): string {
  if (caret === undefined) return ""
  const up = lines.length - 1 - caret.row
  const right = caret.column === 0 ? "" : `\u001b[${caret.column}C`
  return `${up > 0 ? `\u001b[${up}A` : ""}\r${right}${SHOW_CURSOR}`
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, at) => line === b[at])
}

function sameCaret(a: Caret | undefined, b: Caret | undefined): boolean {
  return a?.row === b?.row && a?.column === b?.column
}
