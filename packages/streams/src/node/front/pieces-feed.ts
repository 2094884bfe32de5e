import type { Feed } from "../../reply.ts"
import { WRITE_BYTES_MAX } from "./limits.ts"

/** A body that is there already, in writes of bounded size: the next one when the one before was taken. */
export class PiecesFeed implements Feed {
  readonly #pieces: readonly Uint8Array[]
  #index = 0
  #at = 0

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces
  }

  poll(): Uint8Array | null {
    const piece = this.#pieces[this.#index]
    if (piece === undefined) return null
    const bytes = piece.subarray(this.#at, this.#at + WRITE_BYTES_MAX)
    this.#at += bytes.length
    if (this.#at >= piece.length) {
      this.#index += 1
      this.#at = 0
    }
    return bytes
  }

  cancel(): void {
    this.#index = this.#pieces.length
  }
}
