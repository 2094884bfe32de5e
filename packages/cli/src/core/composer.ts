import { editorLines } from "./editor.ts"
import { plainLine } from "./plain.ts"
import { askedOf } from "./talk.ts"
import type { Meanwhile, Talk } from "./talk.ts"
import type { View } from "./view.ts"
import { cut } from "./wrap.ts"

export interface Composed {
  readonly lines: readonly string[]
  readonly row: number
  readonly column: number
}

/** What is typed, under a prompt that says what Enter does, and what the keys do. */
export function composer(talk: Talk, { busy, approvals }: Meanwhile, said: string | undefined, view: View): Composed {
  const { color, columns, glyphs } = view
  const asked = askedOf(talk, approvals)
  const word = promptWord(talk, asked?.kind, busy)
  const prompt = word === "" ? glyphs.person : `${word} ${glyphs.person}`
  const { lines, ...caret } = editorLines(talk.editor, columns, `${prompt} `)
  const painted = lines.map((line, at) => (at === 0 ? color.cyan(prompt) + line.slice(prompt.length) : line))
  const text = said === undefined ? hint(talk, asked !== undefined, busy) : plainLine(said)
  const below = cut(text, columns, glyphs.more)
  return { lines: [...painted, said === undefined ? color.dim(below) : color.yellow(below)], ...caret }
}

function promptWord({ editing, mode }: Talk, asked: string | undefined, busy: boolean): string {
  if (editing !== undefined) return "edit"
  if (asked === "question") return "answer"
  return busy ? mode : ""
}

function hint({ editing, editor }: Talk, isAsked: boolean, busy: boolean): string {
  if (editing !== undefined) return "Enter allows it with this input, Escape leaves it as it was"
  if (isAsked && editor.text === "") return "y, n or e above, or Escape and write something else"
  if (busy) return "Enter sends, Tab steer/queue/interrupt, Ctrl-C interrupts the run"
  return "Enter sends, Alt-Enter or \\ a new line, Ctrl-D leaves"
}
