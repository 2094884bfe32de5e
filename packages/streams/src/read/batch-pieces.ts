import type { ReadRest } from "@rouse/store"
import type { Pieces } from "../reply.ts"

const COMMA = 0x2c
const CLOSE = 0x5d
/** Less than this is cheaper to leave to the collector. */
const FREED_BYTES_MIN = 65_536

/**
 * The batches of a read as a body, each piece read from the store when it is taken. Of JSON batches, each message of which ends in a comma, it
 * makes an array: by a bracket before the first and one in place of the last comma, since the bytes are its own.
 */
export class BatchPieces implements Pieces {
  readonly byteLength: number
  readonly #rest: ReadRest
  readonly #json: boolean
  #first: Uint8Array | undefined
  #isOpen: boolean

  constructor(first: Uint8Array, rest: ReadRest, json: boolean) {
    this.byteLength = first.length + rest.bytes + (json ? 1 : 0)
    this.#rest = rest
    this.#json = json
    this.#first = first
    this.#isOpen = !json
  }

  take(): Uint8Array | undefined {
    if (!this.#isOpen) {
      this.#isOpen = true
      return Uint8Array.of(0x5b)
    }
    const piece = this.#first ?? this.#rest.next()
    this.#first = undefined
    if (this.#json && piece !== undefined && this.#rest.bytes === 0) close(piece)
    return piece
  }

  /** The collector would let tens of megabytes of them pile up first. */
  done({ buffer }: Uint8Array): void {
    if (buffer.byteLength >= FREED_BYTES_MIN && buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0)
  }
}

function close(last: Uint8Array): void {
  if (last.at(-1) !== COMMA) throw new Error("a JSON batch does not end in a comma")
  last[last.length - 1] = CLOSE
}
