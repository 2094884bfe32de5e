import type { Feed, Pieces } from "../reply.ts"

/** Written at a time of a body that is there already. */
const WRITE_BYTES_MAX = 262_144

/** A body of known length, a piece at a time: the next one when the one before was taken. */
export class PiecesFeed implements Feed {
  readonly #pieces: Pieces
  readonly #onBroken: (error: unknown) => void
  /** What is on its way, in order. */
  readonly #sent: Uint8Array[] = []
  #isOver = false

  /** @param onBroken Told when the next piece cannot be made. The connection is to be cut: its client was promised more. */
  constructor(pieces: Pieces, onBroken: (error: unknown) => void) {
    this.#pieces = pieces
    this.#onBroken = onBroken
  }

  poll(): Uint8Array | null {
    if (this.#isOver) return null
    try {
      const piece = this.#pieces.take()
      if (piece === undefined) return null
      this.#sent.push(piece)
      return piece
    } catch (error) {
      this.#isOver = true
      this.#onBroken(error)
      return null
    }
  }

  readonly written = (error?: Error | null): void => {
    const piece = this.#sent.shift()
    if (!error && piece !== undefined) this.#pieces.done?.(piece)
  }

  cancel(): void {
    this.#isOver = true
  }
}

/** What is there already, in writes of bounded size. */
export function inWrites(parts: readonly Uint8Array[]): Pieces {
  const writes = writesOf(parts)
  return {
    byteLength: parts.reduce((sum, part) => sum + part.length, 0),
    take: () => writes.next().value,
  }
}

function* writesOf(parts: readonly Uint8Array[]): Generator<Uint8Array, undefined> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += WRITE_BYTES_MAX) yield part.subarray(at, at + WRITE_BYTES_MAX)
  }
}
