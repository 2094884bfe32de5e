import { PassThrough } from "node:stream"
import picocolors from "picocolors"
import type { Io, TerminalInput, TerminalOutput } from "../src/io.ts"

const PIECES = new RegExp(String.raw`\x1b\[[?0-9;]*[A-Za-z]|[^]`, "gu")
const SEQUENCE = new RegExp(String.raw`^\x1b\[([?0-9;]*)([A-Za-z])$`, "u")

/** A terminal as far as the command uses one: it shows what a person would see. Anything else that is written is an error. */
export class Screen implements TerminalOutput {
  columns: number
  rows: number
  /** Lines, those that have scrolled away too. */
  readonly lines: string[] = [""]
  /** Everything that was written, as it was. */
  written = ""
  #row = 0
  #column = 0
  readonly #resized = new Set<() => void>()
  readonly #looking = new Set<() => void>()

  constructor(columns = 80, rows = 24) {
    this.columns = columns
    this.rows = rows
  }

  get text(): string {
    return this.lines.join("\n").trimEnd()
  }

  /** What is in sight. */
  get window(): string {
    return this.lines.slice(-this.rows).join("\n").trimEnd()
  }

  write(text: string): void {
    this.written += text
    for (const piece of text.match(PIECES) ?? []) this.#put(piece)
    for (const look of this.#looking) look()
  }

  resize(columns: number, rows: number): void {
    this.columns = columns
    this.rows = rows
    for (const listener of this.#resized) listener()
  }

  on(_: "resize", listener: () => void): void {
    this.#resized.add(listener)
  }

  off(_: "resize", listener: () => void): void {
    this.#resized.delete(listener)
  }

  get cursor(): readonly [row: number, column: number] {
    return [this.#row, this.#column]
  }

  /** Waits until what is on the screen matches. */
  until(pattern: RegExp): Promise<RegExpMatchArray> {
    return new Promise((settle, fail) => {
      const timer = setTimeout(() => {
        this.#looking.delete(look)
        fail(new Error(`the screen never showed ${String(pattern)}:\n${this.text}`))
      }, 20_000)
      const look = (): void => {
        const match = this.text.match(pattern)
        if (match === null) return
        clearTimeout(timer)
        this.#looking.delete(look)
        settle(match)
      }
      this.#looking.add(look)
      look()
    })
  }

  #put(piece: string): void {
    const [, count = "", command = ""] = SEQUENCE.exec(piece) ?? []
    const line = this.lines[this.#row] ?? ""
    if (piece === "\n") {
      this.#row += 1
      this.#column = 0
      while (this.lines.length <= this.#row) this.lines.push("")
    } else if (piece === "\r") this.#column = 0
    else if (command === "A") this.#row = Math.max(0, this.#row - Number(count || 1))
    else if (command === "C") this.#column += Number(count || 1)
    else if (command === "H") [this.#row, this.#column] = [Math.max(0, this.lines.length - this.rows), 0]
    else if (command === "J") {
      this.lines.length = this.#row + 1
      this.lines[this.#row] = line.slice(0, this.#column)
    } else if (command === "K") this.lines[this.#row] = line.slice(0, this.#column)
    else if (command === "m" || command === "h" || command === "l") return
    else if (piece.startsWith("\u001b") || /\p{Cc}/u.test(piece))
      throw new Error(`not for a terminal: ${JSON.stringify(piece)}`)
    else {
      this.lines[this.#row] = line.slice(0, this.#column).padEnd(this.#column) + piece + line.slice(this.#column + 1)
      this.#column += 1
    }
  }
}

/** A keyboard: what is written to it is typed. */
export class Keyboard extends PassThrough {
  raw = false

  setRawMode(raw: boolean): void {
    this.raw = raw
  }
}

export interface Sitting {
  readonly io: Io
  readonly screen: Screen
  readonly keyboard: Keyboard
  readonly stop: AbortController
  readonly err: () => string
}

/** A person at a terminal, as the command sees it. */
export function sitting(url: string, screen: Screen = new Screen()): Sitting {
  const keyboard = new Keyboard()
  const stop = new AbortController()
  let err = ""
  const io: Io = {
    env: { ROUSE_URL: url },
    cwd: "/",
    now: () => Date.now(),
    uuid: () => crypto.randomUUID(),
    random: () => Math.random(),
    out: (text) => screen.write(text),
    err: (text) => void (err += text),
    outIsTty: true,
    errIsTty: true,
    stdinIsTty: true,
    columns: () => screen.columns,
    color: picocolors.createColors(false),
    errColor: picocolors.createColors(false),
    stop: stop.signal,
    terminal: { input: keyboard as unknown as TerminalInput, output: screen },
    stdin: async () => "",
  }
  return { io, screen, keyboard, stop, err: () => err }
}
