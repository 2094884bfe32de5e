import type { Key } from "./key.ts"
import { laid } from "./plain.ts"
import { widthOf } from "./wrap.ts"

/** A text that is typed, and where in it: `cursor` counts UTF-16 code units and stands between characters. */
export interface Editor {
  readonly text: string
  readonly cursor: number
}

export const EMPTY_EDITOR: Editor = { text: "", cursor: 0 }

const TEXT_CHARACTERS_MAX = 200_000
const GRAPHEMES = new Intl.Segmenter()

/** The editor with `text`, the cursor at its end. */
export function editorOf(text: string): Editor {
  return { text, cursor: text.length }
}

/** What a key does to a text. The same editor when it does nothing. */
export function edit(editor: Editor, key: Key): Editor {
  const { text, cursor } = editor
  if (key.ctrl) return control(editor, key.name)
  switch (key.name) {
    case "left":
      return { text, cursor: key.meta ? wordLeft(editor) : left(editor) }
    case "right":
      return { text, cursor: key.meta ? wordRight(editor) : right(editor) }
    case "home":
      return { text, cursor: lineStart(editor) }
    case "end":
      return { text, cursor: lineEnd(editor) }
    case "up":
    case "down":
      return { text, cursor: vertical(editor, key.name) }
    case "backspace":
      return cutOut(editor, key.meta ? wordLeft(editor) : left(editor), cursor)
    case "delete":
      return cutOut(editor, cursor, right(editor))
    default:
      return key.meta ? editor : insert(editor, key.text)
  }
}

/** With `text` where the cursor stands. Control characters are left out. */
export function insert(editor: Editor, text: string): Editor {
  const more = laid(text)
  if (more === "" || editor.text.length + more.length > TEXT_CHARACTERS_MAX) return editor
  const { text: before, cursor } = editor
  return { text: before.slice(0, cursor) + more + before.slice(cursor), cursor: cursor + more.length }
}

/** Whether the cursor is in the first line, or in the last. */
export function isAtEdge({ text, cursor }: Editor, edge: "first" | "last"): boolean {
  return !(edge === "first" ? text.slice(0, cursor) : text.slice(cursor)).includes("\n")
}

function control(editor: Editor, name: string): Editor {
  const { text, cursor } = editor
  switch (name) {
    case "a":
      return { text, cursor: lineStart(editor) }
    case "e":
      return { text, cursor: lineEnd(editor) }
    case "b":
      return { text, cursor: left(editor) }
    case "f":
      return { text, cursor: right(editor) }
    case "left":
      return { text, cursor: wordLeft(editor) }
    case "right":
      return { text, cursor: wordRight(editor) }
    case "u":
      return cutOut(editor, lineStart(editor), cursor)
    case "k":
      return cutOut(editor, cursor, lineEnd(editor))
    case "w":
      return cutOut(editor, wordLeft(editor), cursor)
    case "d":
      return cutOut(editor, cursor, right(editor))
    case "h":
      return cutOut(editor, left(editor), cursor)
    default:
      return editor
  }
}

function cutOut(editor: Editor, from: number, to: number): Editor {
  return from === to ? editor : { text: editor.text.slice(0, from) + editor.text.slice(to), cursor: from }
}

function left({ text, cursor }: Editor): number {
  const last = [...GRAPHEMES.segment(text.slice(0, cursor))].at(-1)
  return last === undefined ? 0 : last.index
}

function right({ text, cursor }: Editor): number {
  const [first] = GRAPHEMES.segment(text.slice(cursor))
  return cursor + (first?.segment.length ?? 0)
}

function wordLeft({ text, cursor }: Editor): number {
  return text.slice(0, cursor).search(/\S+\s*$/) >= 0 ? text.slice(0, cursor).search(/\S+\s*$/) : 0
}

function wordRight({ text, cursor }: Editor): number {
  return cursor + (/^\s*\S*/.exec(text.slice(cursor))?.[0].length ?? 0)
}

function lineStart({ text, cursor }: Editor): number {
  return text.lastIndexOf("\n", cursor - 1) + 1
}

function lineEnd({ text, cursor }: Editor): number {
  const end = text.indexOf("\n", cursor)
  return end < 0 ? text.length : end
}

/** The same column in the line above or below, as far as that goes. */
function vertical(editor: Editor, way: "up" | "down"): number {
  const start = lineStart(editor)
  const column = editor.cursor - start
  if (way === "up") {
    if (start === 0) return 0
    const above = lineStart({ ...editor, cursor: start - 1 })
    return Math.min(above + column, start - 1)
  }
  const end = lineEnd(editor)
  if (end === editor.text.length) return end
  return Math.min(end + 1 + column, lineEnd({ ...editor, cursor: end + 1 }))
}

/** The text in lines beside a prompt, and where the cursor stands in them. */
export function editorLines(
  { text, cursor }: Editor,
  columns: number,
  prompt: string,
): { readonly lines: readonly string[]; readonly row: number; readonly column: number } {
  const indent = widthOf(prompt)
  const lines: string[] = [""]
  let width = 0
  let caret = { row: 0, column: 0 }
  for (const { segment, index } of GRAPHEMES.segment(`${text} `)) {
    const wide = widthOf(segment)
    if (segment !== "\n" && width + wide > columns - indent) {
      lines.push("")
      width = 0
    }
    if (index === cursor) caret = { row: lines.length - 1, column: width }
    if (segment === "\n") {
      lines.push("")
      width = 0
    } else {
      lines[lines.length - 1] += segment
      width += wide
    }
  }
  const shown = lines.map((line, at) => (at === 0 ? prompt : " ".repeat(indent)) + line.trimEnd())
  return { lines: shown, row: caret.row, column: indent + caret.column }
}
