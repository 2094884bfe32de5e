/** Batches of the log that are kept here, in bytes. */
const CACHE_BYTES_MAX = 32 * 1024 * 1024

/** The blocks that were read of late. The bytes of an object never change, so what is here is never old. */
export class BlockCache {
  readonly #blocks = new Map<string, readonly Uint8Array[]>()
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax: number = CACHE_BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  get(name: string): readonly Uint8Array[] | undefined {
    const block = this.#blocks.get(name)
    if (block === undefined) return undefined
    this.#blocks.delete(name)
    this.#blocks.set(name, block)
    return block
  }

  put(name: string, block: readonly Uint8Array[]): void {
    if (this.#blocks.has(name)) return
    this.#blocks.set(name, block)
    this.#bytes += sizeOf(block)
    for (const [oldest, dropped] of this.#blocks) {
      if (this.#bytes <= this.#bytesMax) return
      this.#blocks.delete(oldest)
      this.#bytes -= sizeOf(dropped)
    }
  }
}

/** Views of one piece: it is kept whole. */
function sizeOf(block: readonly Uint8Array[]): number {
  return block[0]?.buffer.byteLength ?? 0
}
