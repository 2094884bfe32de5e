import { RouseError } from "@rouse/protocol"
import { FIELDS_MAX } from "./bounds.ts"

/** One field line. The value is greedy and trimmed afterwards: a lazy one would take quadratic time over a run of spaces. */
const FIELD = /([\w!#$%&'*+\-.^`|~]+):([\t\x20-\x7e\x80-\xff]*)\r\n/y

/**
 * Header or trailer fields by their names in lower case. One that came more than once is joined by commas.
 *
 * Folded lines, space before the colon, empty names and control characters are refused.
 *
 * @param text Whole lines, each with its CRLF, in Latin-1.
 * @throws {RouseError} `BAD_REQUEST`; `HEADERS_TOO_LARGE` when they are too many.
 * @see RFC 9112 §5
 */
export function parseFields(text: string, from: number): Map<string, string> {
  const fields = new Map<string, string>()
  let count = 0
  FIELD.lastIndex = from
  for (let at = from; at < text.length; at = FIELD.lastIndex) {
    const found = FIELD.exec(text)
    if (found === null) throw new RouseError("BAD_REQUEST", "header: a line is not a name, a colon and a value")
    if (++count > FIELDS_MAX) throw new RouseError("HEADERS_TOO_LARGE", `header: there are more than ${FIELDS_MAX}`)
    const name = (found[1] as string).toLowerCase()
    const value = trimmed(found[2] as string)
    const before = fields.get(name)
    fields.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return fields
}

/** Mostly there is one space before the value and none behind. */
function trimmed(value: string): string {
  const plain = value.charCodeAt(0) === 0x20 ? value.slice(1) : value
  const first = plain.charCodeAt(0)
  const last = plain.charCodeAt(plain.length - 1)
  const isSpaced = first === 0x20 || first === 0x09 || last === 0x20 || last === 0x09
  return isSpaced ? trimmedSlowly(plain) : plain
}

function trimmedSlowly(value: string): string {
  let from = 0
  let to = value.length
  while (from < to && isSpace(value.charCodeAt(from))) from++
  while (to > from && isSpace(value.charCodeAt(to - 1))) to--
  return value.slice(from, to)
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09
}
