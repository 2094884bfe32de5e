import { RouseError } from "@rouse/protocol"
import { TARGET_BYTES_MAX } from "./bounds.ts"
import { parseFields } from "./fields.ts"
import { framingOf } from "./framing.ts"
import type { Framing } from "./framing.ts"

/** A request without its body. */
export interface RequestHead {
  readonly method: string
  /** As it stands in the request line: a path with its query, an absolute URL, or `*`. */
  readonly target: string
  /** Of HTTP/1. */
  readonly minor: 0 | 1
  /** By names in lower case. */
  readonly fields: ReadonlyMap<string, string>
  readonly framing: Framing
  /** Whether the client will send another request on this connection. */
  readonly keepAlive: boolean
  /** Whether the client waits for `100 Continue` before its body. */
  readonly expectsContinue: boolean
}

const REQUEST_LINE = /^([\w!#$%&'*+\-.^`|~]{1,32}) ([!-"$-~]+) HTTP\/1\.([01])\r\n/
const TARGET = /^(?:\/|https?:\/\/[^/?@]+(?:[/?]|$)|\*$)/i
const HOST = /^[\w\-.~!$&'()*+,;=%:[\]]*$/

/**
 * Reads a request line and header fields.
 *
 * @param text All lines, each with its CRLF, without the empty one; in Latin-1.
 * @throws {RouseError} `BAD_REQUEST`, `URI_TOO_LONG`, `HEADERS_TOO_LARGE`.
 * @see RFC 9112 §3, §5, §9.3
 */
export function parseHead(text: string): RequestHead {
  const line = REQUEST_LINE.exec(text)
  if (line === null) throw new RouseError("BAD_REQUEST", "request line: it is not a method, a target and HTTP/1.1")
  const method = line[1] as string
  const target = line[2] as string
  if (target.length > TARGET_BYTES_MAX) throw targetTooLong()
  if (!TARGET.test(target) || (target === "*" && method !== "OPTIONS"))
    throw new RouseError("BAD_REQUEST", "request line: the target is neither a path nor a URL")
  const minor = line[3] === "1" ? 1 : 0
  const fields = parseFields(text, line[0].length)
  checkHost(fields.get("host"), minor)
  const framing = framingOf(fields, minor)
  const expectsContinue =
    minor === 1 && framing !== 0 && fields.has("expect") && fields.get("expect")?.toLowerCase() === "100-continue"
  return { method, target, minor, fields, framing, keepAlive: isKept(fields.get("connection"), minor), expectsContinue }
}

/** What a target longer than allowed is refused with. */
export function targetTooLong(): RouseError {
  return new RouseError("URI_TOO_LONG", `request line: the target is longer than ${TARGET_BYTES_MAX} bytes`)
}

/** A second one is joined to the first by a comma and a space, which no host has. */
function checkHost(host: string | undefined, minor: 0 | 1): void {
  if (host === undefined ? minor === 1 : !HOST.test(host))
    throw new RouseError("BAD_REQUEST", "Host: there must be one, and it must be a host", {
      details: { field: "Host" },
    })
}

function isKept(connection: string | undefined, minor: 0 | 1): boolean {
  if (connection === undefined) return minor === 1
  const options = connection.toLowerCase().split(",")
  if (options.some((option) => option.trim() === "close")) return false
  return minor === 1 || options.some((option) => option.trim() === "keep-alive")
}
