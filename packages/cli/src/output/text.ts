import { stripVTControlCharacters } from "node:util"
import { plain as printable } from "../core/plain.ts"

/** What an agent or a person wrote, safe to print: no escape sequence of theirs reaches the terminal. Line breaks stay. */
export { plain as printable } from "../core/plain.ts"

/** Columns that `text` takes: colours take none, wide characters two. */
export function columnsOf(text: string): number {
  let columns = 0
  for (const character of stripVTControlCharacters(text)) columns += isWide(character.codePointAt(0) ?? 0) ? 2 : 1
  return columns
}

/** `text` on one line of at most `columnsMax`, with `…` where it was cut. */
export function clip(text: string, columnsMax: number): string {
  const line = printable(text).replace(/\s+/g, " ").trim()
  if (columnsOf(line) <= columnsMax) return line
  let kept = ""
  let columns = 0
  for (const character of line) {
    columns += columnsOf(character)
    if (columns > columnsMax - 1) break
    kept += character
  }
  return `${kept}…`
}

/** Any JSON value as a person reads it: text as it is, the rest as JSON. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value
  return value === undefined ? "" : JSON.stringify(value)
}

/** East Asian wide and fullwidth blocks, and emoji. */
function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  )
}
