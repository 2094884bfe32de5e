import type { Io } from "../io.ts"
import type { Piece } from "./transcript.ts"

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
const FRAME_MS = 80
const CLEAR_LINE = "\r\u001b[K"

/**
 * Writes pieces of a transcript to the terminal, and a spinner under them while nothing is written.
 *
 * Owns: whether the line is open, and by whom; the spinner's line, which is on standard error and only where that is a
 * terminal.
 * 1. Text goes to standard output when `split`; all else to standard error. Without `split` everything goes to standard
 *    output.
 * 2. The spinner is off the screen before anything else is written, and after `rest`.
 */
export class Screen {
  readonly #io: Io
  readonly #split: boolean
  #openKey: string | undefined
  #openOnOut = true
  #spinner: NodeJS.Timeout | undefined
  #label = ""
  #frame = 0

  constructor(io: Io, options: { readonly split: boolean }) {
    this.#io = io
    this.#split = options.split
  }

  write(pieces: readonly Piece[]): void {
    for (const piece of pieces) this.#piece(piece)
  }

  /** Shows what is going on, or nothing. */
  status(label: string | undefined): void {
    if (!this.#io.errIsTty) return
    if (label === undefined || this.#openKey !== undefined) return this.#hide()
    this.#label = label
    if (this.#spinner !== undefined) return
    this.#draw()
    this.#spinner = setInterval(() => this.#draw(), FRAME_MS)
  }

  /** Ends the open line and takes the spinner away. */
  rest(): void {
    this.#hide()
    this.#endLine()
  }

  #piece(piece: Piece): void {
    if (piece.text === "") return
    this.#hide()
    if (this.#openKey !== piece.key) this.#endLine()
    const toOut = !this.#split || piece.kind === "text"
    const text = this.#paint(piece, toOut)
    if (toOut) this.#io.out(text)
    else this.#io.err(text)
    this.#openKey = piece.text.endsWith("\n") ? undefined : piece.key
    this.#openOnOut = toOut
  }

  #endLine(): void {
    if (this.#openKey === undefined) return
    if (this.#openOnOut) this.#io.out("\n")
    else this.#io.err("\n")
    this.#openKey = undefined
  }

  #paint({ kind, text }: Piece, toOut: boolean): string {
    const color = toOut ? this.#io.color : this.#io.errColor
    const paint = PAINT[kind]
    return paint === undefined ? text : text.replace(/[^\n]+/g, (part) => paint(part, color))
  }

  #draw(): void {
    const frame = FRAMES[this.#frame++ % FRAMES.length] ?? ""
    this.#io.err(`${CLEAR_LINE}${this.#io.errColor.cyan(frame)} ${this.#io.errColor.dim(this.#label)}`)
  }

  #hide(): void {
    if (this.#spinner === undefined) return
    clearInterval(this.#spinner)
    this.#spinner = undefined
    this.#io.err(CLEAR_LINE)
  }
}

const PAINT: Readonly<Record<Piece["kind"], ((text: string, color: Io["color"]) => string) | undefined>> = {
  text: undefined,
  reasoning: (text, color) => color.dim(color.italic(text)),
  message: (text, color) => color.bold(text),
  tool: (text, color) => color.cyan(text),
  note: (text, color) => color.dim(text),
  warning: (text, color) => color.yellow(text),
  error: (text, color) => color.red(text),
}
