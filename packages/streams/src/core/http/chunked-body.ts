import { RouseError } from "@rouse/protocol"
import { CHUNK_DIGITS_MAX, EXTENSION_BYTES_MAX, TRAILER_BYTES_MAX } from "./bounds.ts"
import { parseFields } from "./fields.ts"

const LF = 0x0a
const CR = 0x0d
const SEMICOLON = 0x3b
/** Extensions of one chunk, from their first semicolon. */
const EXTENSIONS = /^(?:;[\w!#$%&'*+\-.^`|~]+(?:=(?:[\w!#$%&'*+\-.^`|~]+|"[\t !#-[\]-~]*"))?)+$/

type Place = "size" | "extension" | "size-end" | "data" | "data-end" | "data-lf" | "trailer"

/**
 * The framing of a body in chunks, byte by byte; the data between is only counted.
 *
 *   size ──▶ [extension] ──▶ size-end ──▶ data ──▶ data-end ──▶ data-lf ──▶ size …
 *                               └─ size 0 ──▶ trailer ──▶ ended
 *
 * 1. However the bytes are cut into packets, what is read is the same.
 * 2. Lines end with CR LF and nothing else. Extensions and trailers are checked, bounded and dropped.
 *
 * @see RFC 9112 §7.1
 */
export class ChunkedBody {
  #place: Place = "size"
  #size = 0
  #digits = 0
  #extension = ""
  #extensionBytes = 0
  #trailer = ""
  #left = 0
  #ended = false

  get ended(): boolean {
    return this.#ended
  }

  /** Bytes of data that come next. */
  get left(): number {
    return this.#left
  }

  /** Takes note that so much of the data was taken. */
  taken(count: number): void {
    this.#left -= count
    if (this.#left === 0) this.#place = "data-end"
  }

  /**
   * Passes over framing. Returns where it stopped: at data, at the body's end, or at the end of the bytes.
   *
   * @throws {RouseError} `BAD_REQUEST`, `TOO_LARGE`, `HEADERS_TOO_LARGE`.
   */
  skip(bytes: Uint8Array, from: number): number {
    let at = from
    while (at < bytes.length && !this.#ended && this.#place !== "data") this.#step(bytes[at++] as number)
    return at
  }

  #step(byte: number): void {
    switch (this.#place) {
      case "size":
        return this.#inSize(byte)
      case "extension":
        return this.#inExtension(byte)
      case "size-end":
        return this.#afterSize(byte)
      case "data-end":
        this.#place = this.#expect(byte, CR, "data-lf")
        return
      case "data-lf":
        this.#place = this.#expect(byte, LF, "size")
        return
      case "trailer":
        return this.#inTrailer(byte)
      case "data":
        return
    }
  }

  #inSize(byte: number): void {
    const digit = hexDigit(byte)
    if (digit !== undefined) {
      if (++this.#digits > CHUNK_DIGITS_MAX) throw bad("a chunk's size has too many digits")
      this.#size = this.#size * 16 + digit
      return
    }
    if (this.#digits === 0) throw bad("a chunk has no size")
    if (byte === CR) this.#place = "size-end"
    else if (byte === SEMICOLON) this.#inExtension(byte)
    else throw bad("a chunk's size is not a hexadecimal number")
  }

  #inExtension(byte: number): void {
    this.#place = byte === CR ? "size-end" : "extension"
    if (byte !== CR) {
      this.#extension += String.fromCharCode(byte)
      if (++this.#extensionBytes <= EXTENSION_BYTES_MAX) return
      throw new RouseError("TOO_LARGE", `body: chunk extensions are longer than ${EXTENSION_BYTES_MAX} bytes`)
    }
    if (!EXTENSIONS.test(this.#extension)) throw bad("a chunk's extension is not a name and a value")
    this.#extension = ""
  }

  #afterSize(byte: number): void {
    this.#left = this.#size
    this.#place = this.#expect(byte, LF, this.#size === 0 ? "trailer" : "data")
    this.#size = 0
    this.#digits = 0
  }

  #inTrailer(byte: number): void {
    this.#trailer += String.fromCharCode(byte)
    const { length } = this.#trailer
    if (length > TRAILER_BYTES_MAX)
      throw new RouseError("HEADERS_TOO_LARGE", `trailers: they are longer than ${TRAILER_BYTES_MAX} bytes`)
    if (byte !== LF) return
    if (this.#trailer.charCodeAt(length - 2) !== CR) throw bad("a line ends with LF alone")
    if (length > 2 && !this.#trailer.endsWith("\r\n\r\n")) return
    parseFields(this.#trailer.slice(0, -2), 0)
    this.#trailer = ""
    this.#ended = true
  }

  #expect(byte: number, wanted: number, next: Place): Place {
    if (byte !== wanted) throw bad("a chunk does not end where its size says")
    return next
  }
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined
}

function bad(rule: string): RouseError {
  return new RouseError("BAD_REQUEST", `body: ${rule}`)
}
