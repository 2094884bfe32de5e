import { STATUS_CODES } from "node:http"
import type { Reply } from "../../reply.ts"

/** What no header field may hold: it could end the field, or begin another. */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/

/** What a reply says about its body: so many bytes, chunks, the end of the connection, or nothing because it has none. */
export type BodyLength = number | "chunked" | "until the end" | "none"

/** A status line and header fields, in Latin-1. Throws on a value that is none. */
export function replyHead({ status, headers }: Reply, length: BodyLength, date: string, persistence: string): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`
  for (const name in headers) {
    const value = headers[name] as string
    if (FORBIDDEN.test(value)) throw new Error(`${name}: not a header's value`)
    head += `${name}: ${value}\r\n`
  }
  if (typeof length === "number") head += `content-length: ${length}\r\n`
  else if (length === "chunked") head += "transfer-encoding: chunked\r\n"
  return `${head}date: ${date}\r\n${persistence}\r\n`
}
