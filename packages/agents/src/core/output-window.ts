/** Output of a program, up to a bound: its beginning and its end, and how much between them was left out. */
export interface OutputWindow {
  readonly head: string
  readonly tail: string
  readonly chars: number
}

export const EMPTY_OUTPUT: OutputWindow = { head: "", tail: "", chars: 0 }

/** Adds text. Half of the bound is kept of the beginning, half of the end. */
export function addOutput(window: OutputWindow, text: string, charsMax: number): OutputWindow {
  const half = Math.floor(charsMax / 2)
  const room = half - window.head.length
  const head = room > 0 ? window.head + text.slice(0, room) : window.head
  const rest = room > 0 ? text.slice(room) : text
  return {
    head,
    tail: rest === "" ? window.tail : (window.tail + rest).slice(-half),
    chars: window.chars + text.length,
  }
}

export function outputText({ head, tail, chars }: OutputWindow): string {
  const lost = chars - head.length - tail.length
  return lost > 0 ? `${head}\n[${lost} characters left out]\n${tail}` : head + tail
}
