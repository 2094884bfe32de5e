import type { EntityUrl } from "@rouse/protocol"
import type { Io } from "../io.ts"
import { clip, columnsOf } from "./text.ts"
import type { Piece } from "./transcript.ts"

const TEXT_COLUMNS_MIN = 30
const TEXT_COLUMNS_MAX = 100
const BAR = "  │ "
const VOICES: readonly ("cyan" | "magenta" | "yellow" | "green" | "blue")[] = [
  "cyan",
  "magenta",
  "yellow",
  "green",
  "blue",
]

/**
 * Prints what several agents do, each under its name in its colour.
 *
 * Owns: which colour each agent has, in the order of their appearance, and who spoke last.
 */
export class Chorus {
  readonly #io: Io
  readonly #voices = new Map<EntityUrl, (text: string) => string>()
  #last: EntityUrl | undefined

  constructor(io: Io) {
    this.#io = io
  }

  write(url: EntityUrl, pieces: readonly Piece[]): void {
    if (pieces.length === 0) return
    const voice = this.#voice(url)
    if (this.#last !== url) this.#io.out(`${this.#last === undefined ? "" : "\n"}${voice(this.#io.color.bold(url))}\n`)
    this.#last = url
    for (const piece of pieces)
      for (const line of this.#lines(piece)) this.#io.out(`${voice(BAR)}${this.#paint(piece, line)}\n`)
  }

  /** What is said in full, what is done in a line. */
  #lines({ kind, text }: Piece): readonly string[] {
    const columnsMax = Math.max(TEXT_COLUMNS_MIN, Math.min(TEXT_COLUMNS_MAX, this.#io.columns() - BAR.length))
    return kind === "text" || kind === "message" || kind === "error"
      ? wrap(text.trimEnd(), columnsMax)
      : [clip(text, columnsMax)]
  }

  #paint({ kind }: Piece, line: string): string {
    const { dim, red, yellow, bold } = this.#io.color
    switch (kind) {
      case "text":
        return line
      case "message":
        return bold(line)
      case "error":
        return red(line)
      case "warning":
        return yellow(line)
      case "reasoning":
      case "tool":
      case "note":
        return dim(line)
    }
  }

  #voice(url: EntityUrl): (text: string) => string {
    const known = this.#voices.get(url)
    if (known !== undefined) return known
    const voice = this.#io.color[VOICES[this.#voices.size % VOICES.length] ?? "cyan"]
    this.#voices.set(url, voice)
    return voice
  }
}

/** `text` in lines of at most `columnsMax`, broken between words where that can be done. */
export function wrap(text: string, columnsMax: number): readonly string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = []
    let line = ""
    for (const word of paragraph.split(" ")) {
      const longer = line === "" ? word : `${line} ${word}`
      if (line !== "" && columnsOf(longer) > columnsMax) {
        lines.push(line)
        line = word
      } else line = longer
    }
    return [...lines, line]
  })
}
