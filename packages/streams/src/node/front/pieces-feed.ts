import type { Feed } from "../../reply.ts"
import { WRITE_BYTES_MAX } from "./limits.ts"

/** A body that is there already, in writes of bounded size: the next one when the one before was taken. */
export class PiecesFeed implements Feed {
  readonly #pieces: readonly Uint8Array[]
  readonly #release: (() => void) | undefined
  #index = 0
  #at = 0
  #unwritten = 0

  /** @param release Called when all of it was handed to the system, and not when the reader went away before. */
  constructor(pieces: readonly Uint8Array[], release?: () => void) {
    this.#pieces = pieces
    this.#release = release
  }

  readonly written = (error?: Error | null): void => {
    if (error) return
    this.#unwritten -= 1
    if (this.#unwritten === 0 && this.#isTaken) this.#release?.()
  }

  get #isTaken(): boolean {
    return this.#index === this.#pieces.length
  }

  poll(): Uint8Array | null {
    const piece = this.#pieces[this.#index]
    if (piece === undefined) return null
    const bytes = piece.subarray(this.#at, this.#at + WRITE_BYTES_MAX)
    this.#unwritten += 1
    this.#at += bytes.length
    if (this.#at >= piece.length) {
      this.#index += 1
      this.#at = 0
    }
    return bytes
  }

  /** What is on its way still needs its bytes: they are left to the collector. */
  cancel(): void {
    if (this.#isTaken) return
    this.#index = this.#pieces.length
    this.#unwritten = Infinity
  }
}
