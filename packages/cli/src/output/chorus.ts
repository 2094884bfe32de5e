import type { EntityUrl } from "@rouse/protocol"
import type { Colors, Io } from "../io.ts"
import { columnsOf } from "./text.ts"
import type { Piece } from "./transcript.ts"

const NAME_COLUMNS_MIN = 12
const TEXT_COLUMNS_MIN = 30
const TEXT_COLUMNS_MAX = 100
const VOICES: readonly (keyof Colors & ("cyan" | "magenta" | "yellow" | "green" | "blue"))[] = ["cyan", "magenta", "yellow", "green", "blue"]

/**
 * Prints what several agents do, each line under its agent's name in its colour.
 *
 * Owns: which colour each agent has, in the order of their appearance.
 */
export class Chorus {
  readonly #io: Io
  readonly #voices = new Map<EntityUrl, (text: string) => string>()
  #width = NAME_COLUMNS_MIN
  #last: EntityUrl | undefined

  constructor(io: Io) {
    this.#io = io
  }

  write(url: EntityUrl, pieces: readonly Piece[]): void {
    for (const piece of pieces) this.#piece(url, piece)
  }

  #piece(url: EntityUrl, { kind, text }: Piece): void {
    const { dim, red, yellow, bold } = this.#io.color
    const voice = this.#voice(url)
    const name = url.slice(1)
    this.#width = Math.max(this.#width, columnsOf(name))
    const paint = kind === "error" ? red : kind === "warning" ? yellow : kind === "message" ? bold : kind === "text" ? same : dim
    const columnsMax = Math.max(TEXT_COLUMNS_MIN, Math.min(TEXT_COLUMNS_MAX, this.#io.columns() - this.#width - 3))
    for (const line of wrap(text.trimEnd(), columnsMax)) {
      const label = this.#last === url ? "" : name
      this.#last = url
      this.#io.out(`${voice(label.padStart(this.#width))} ${voice("│")} ${paint(line)}\n`)
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

function same(text: string): string {
  return text
}
