/**
 * Finds where values end in JSON text that is known to be valid, without parsing them: what is copied from message to snapshot keeps its
 * own spelling, and costs little more than looking for quotes.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const STRUCTURE = /["{}[\]]/g
const SCALAR_END = /[,}\]\s]/g
const NO_SPACE = /[^\s]/g

/** Where the value that begins at `at` ends. */
export function endOfValue(text: string, at: number): number {
  const first = text[at]
  if (first === '"') return endOfString(text, at)
  if (first === "{" || first === "[") return endOfNested(text, at)
  return find(SCALAR_END, text, at)
}

/** The first place from `at` on that is no white space; the text's end when there is none. */
export function skipSpace(text: string, at: number): number {
  return text.charCodeAt(at) > 0x20 ? at : find(NO_SPACE, text, at)
}

/** The members of the object that is `text`, each value in its own spelling. Of a repeated name the last one counts, as ever. */
export function membersOf(text: string): Map<string, string> | undefined {
  let at = skipSpace(text, 0)
  if (text[at] !== "{") return undefined
  const members = new Map<string, string>()
  for (at = skipSpace(text, at + 1); text[at] === '"';) {
    const nameEnd = endOfString(text, at)
    const name = JSON.parse(text.slice(at, nameEnd)) as string
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const end = endOfValue(text, start)
    members.set(name, text.slice(start, end))
    at = skipSpace(text, end)
    if (text[at] === ",") at = skipSpace(text, at + 1)
  }
  return members
}

function endOfString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1)
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end < 0 ? text.length : end + 1
}

function isEscaped(text: string, quote: number): boolean {
  let before = quote
  while (text.charCodeAt(before - 1) === BACKSLASH) before -= 1
  return (quote - before) % 2 === 1
}

function endOfNested(text: string, at: number): number {
  let depth = 0
  for (let next = at; next < text.length;) {
    const found = find(STRUCTURE, text, next)
    const code = text.charCodeAt(found)
    if (code === QUOTE) {
      next = endOfString(text, found)
      continue
    }
    depth += text[found] === "{" || text[found] === "[" ? 1 : -1
    next = found + 1
    if (depth === 0) return next
  }
  return text.length
}

function find(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex - 1 : text.length
}
