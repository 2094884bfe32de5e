import { emitKeypressEvents } from "node:readline"
import type { Key } from "../core/key.ts"
import type { TerminalInput, TerminalOutput } from "../io.ts"

const PASTE_ON = "\u001b[?2004h"
const PASTE_OFF = "\u001b[?2004l"
const PASTE_CHARACTERS_MAX = 200_000

interface Pressed {
  readonly name?: string
  readonly sequence?: string
  readonly ctrl?: boolean
  readonly meta?: boolean
}

/** Tells of each key, and of a paste as a whole. @returns What gives the keyboard back. */
export function listen(input: TerminalInput, output: TerminalOutput, tell: (key: Key) => void): () => void {
  let paste: string | undefined
  const pressed = (text: string | undefined, key: Pressed): void => {
    if (key.name === "paste-start") paste = ""
    else if (key.name === "paste-end") {
      const pasted = paste ?? ""
      paste = undefined
      tell({ name: "paste", text: pasted, ctrl: false, meta: false })
    } else if (paste !== undefined) {
      if (paste.length < PASTE_CHARACTERS_MAX) paste += key.name === "return" ? "\n" : (text ?? "")
    } else tell(keyOf(text, key))
  }
  emitKeypressEvents(input)
  input.on("keypress", pressed)
  input.setRawMode?.(true)
  input.resume()
  output.write(PASTE_ON)
  return () => {
    input.off("keypress", pressed)
    input.setRawMode?.(false)
    input.pause()
    output.write(PASTE_OFF)
  }
}

function keyOf(text: string | undefined, { name, ctrl = false, meta = false }: Pressed): Key {
  return { name: name ?? text ?? "", text: ctrl || meta ? "" : (text ?? ""), ctrl, meta }
}
