import { RouseError } from "@rouse/protocol"
import { HEAD_BYTES_MAX } from "./bounds.ts"
import { ChunkedBody } from "./chunked-body.ts"
import { parseHead, targetTooLong } from "./request-head.ts"
import type { RequestHead } from "./request-head.ts"

const LF = 0x0a
const CR = 0x0d
const EMPTY = new Uint8Array(0)

/** Bytes from `from` to before `to` as characters of the same codes. */
export type Latin1 = (bytes: Uint8Array, from: number, to: number) => string

/**
 * One request, fed bytes as they come.
 *
 *   head ──▶ body ──▶ ended          what was fed beyond the end is `rest`
 *
 * 1. However the bytes are cut into packets, what is read or refused is the same.
 * 2. After a refusal nothing more may be asked of it: where the next request begins is unknown.
 * 3. It holds what was fed and not yet read, and copies only what a packet cut in two.
 *
 * @see RFC 9112
 */
export class RequestParser {
  readonly #latin1: Latin1
  #bytes: Uint8Array = EMPTY
  /** The first byte that was not read. */
  #at = 0
  /** Where the line begins that is looked at, and how far it was looked at. */
  #line = 0
  #seen = 0
  #head: RequestHead | undefined
  #left = 0
  #chunks: ChunkedBody | undefined
  #ended = false

  constructor(latin1: Latin1) {
    this.#latin1 = latin1
  }

  /** Whether the request was read to its end. */
  get ended(): boolean {
    return this.#ended
  }

  /** Bytes that it holds. */
  get held(): number {
    return this.#bytes.length - this.#at
  }

  push(bytes: Uint8Array): void {
    if (this.held === 0) {
      this.#bytes = bytes
    } else {
      const joined = new Uint8Array(this.held + bytes.length)
      joined.set(this.#bytes.subarray(this.#at))
      joined.set(bytes, this.held)
      this.#bytes = joined
    }
    this.#line -= this.#at
    this.#seen -= this.#at
    this.#at = 0
  }

  /**
   * The head, once all of it is there.
   *
   * @throws {RouseError} `BAD_REQUEST`, `URI_TOO_LONG`, `HEADERS_TOO_LARGE`.
   */
  head(): RequestHead | undefined {
    if (this.#head !== undefined) return this.#head
    const end = this.#headEnd()
    if (end === undefined) return undefined
    const head = parseHead(this.#latin1(this.#bytes, this.#at, end - 2))
    this.#at = end
    if (head.framing === "chunked") this.#chunks = new ChunkedBody()
    else this.#left = head.framing
    this.#ended = head.framing === 0
    this.#head = head
    return head
  }

  /**
   * The next bytes of the body; undefined when none are there now, or ever: see `ended`.
   *
   * @throws {RouseError} `BAD_REQUEST`, `TOO_LARGE`, `HEADERS_TOO_LARGE`.
   */
  read(): Uint8Array | undefined {
    if (this.#head === undefined || this.#ended) return undefined
    if (this.#chunks !== undefined) return this.#readChunk(this.#chunks)
    const piece = this.#piece(this.#left)
    if (piece === undefined) return undefined
    this.#left -= piece.length
    this.#ended = this.#left === 0
    return piece
  }

  /** What was fed beyond the end of the request. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at)
  }

  #readChunk(chunks: ChunkedBody): Uint8Array | undefined {
    this.#at = chunks.skip(this.#bytes, this.#at)
    this.#ended = chunks.ended
    const piece = this.#piece(chunks.left)
    if (piece === undefined) return undefined
    chunks.taken(piece.length)
    // So that the end is seen with the last of the data, when it is there.
    this.#at = chunks.skip(this.#bytes, this.#at)
    this.#ended = chunks.ended
    return piece
  }

  #piece(most: number): Uint8Array | undefined {
    const count = Math.min(most, this.held)
    if (count === 0) return undefined
    const piece = this.#bytes.subarray(this.#at, this.#at + count)
    this.#at += count
    return piece
  }

  /** Behind the empty line that ends the head. One empty line before the request is passed over. */
  #headEnd(): number | undefined {
    const bytes = this.#bytes
    for (;;) {
      const at = bytes.indexOf(LF, this.#seen)
      if ((at < 0 ? bytes.length : at + 1) - this.#at > HEAD_BYTES_MAX) throw this.#tooLong()
      if (at < 0) {
        this.#seen = bytes.length
        return undefined
      }
      if (at === this.#line || bytes[at - 1] !== CR)
        throw new RouseError("BAD_REQUEST", "header: a line ends with LF alone")
      const isEmpty = at - this.#line === 1
      const isFirst = this.#line === this.#at
      this.#line = this.#seen = at + 1
      if (!isEmpty) continue
      if (!isFirst) return at + 1
      this.#at = at + 1
    }
  }

  #tooLong(): RouseError {
    return this.#line === this.#at
      ? targetTooLong()
      : new RouseError("HEADERS_TOO_LARGE", `header: all of it is longer than ${HEAD_BYTES_MAX} bytes`)
  }
}
