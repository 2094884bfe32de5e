import { RouseError } from "@rouse/protocol"
import { LENGTH_DIGITS_MAX } from "./bounds.ts"

/** How long a body is: so many bytes, or until its last chunk. */
export type Framing = number | "chunked"

const DIGITS = /^\d+$/

/**
 * Where a request's body ends. There is one reading of it or none: whatever another reader on the way may have read otherwise is refused.
 *
 * @throws {RouseError} `BAD_REQUEST`.
 * @see RFC 9112 §6.1 to §6.3
 */
export function framingOf(fields: ReadonlyMap<string, string>, minor: 0 | 1): Framing {
  const encoding = fields.get("transfer-encoding")
  const length = fields.get("content-length")
  if (encoding === undefined) return length === undefined ? 0 : lengthOf(length)
  if (length !== undefined) throw bad("Content-Length", "contradicts Transfer-Encoding")
  if (minor === 0) throw bad("Transfer-Encoding", "is unknown to HTTP/1.0")
  if (encoding.toLowerCase() !== "chunked") throw bad("Transfer-Encoding", "may only be chunked, once")
  return "chunked"
}

/** A repeated length, even the same, is joined by a comma, which is no digit. */
function lengthOf(text: string): number {
  if (!DIGITS.test(text)) throw bad("Content-Length", "must be one number in decimal digits")
  if (text.length > LENGTH_DIGITS_MAX) throw bad("Content-Length", "has too many digits")
  return Number(text)
}

function bad(field: string, rule: string): RouseError {
  return new RouseError("BAD_REQUEST", `${field}: ${rule}`, { details: { field } })
}
