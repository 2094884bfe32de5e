/**
 * What of a stream goes to a bucket, and in which pieces.
 *
 *     0 ──────── offloaded ─────────────── sealed ────── tail
 *       in objects          goes next        stays
 *
 * 1. Objects lie end to end from the horizon on, or from where a fork leaves its source. None is ever changed.
 * 2. The end of a stream stays, and with it its last batch, by which its tail is known: what wakes and live readers read is in the database.
 */
export interface OffloadSizes {
  /** About the bytes of the log in an object. One batch may be longer. */
  readonly objectBytes: number
  /** Less is not worth a request: it stays in the database. */
  readonly objectBytesMin: number
  /** About the bytes of the log that a reader of a little fetches. */
  readonly blockBytes: number
  /** What stays at the end of every stream. */
  readonly tailBytes: number
}

export const OFFLOAD_SIZES: OffloadSizes = {
  objectBytes: 4 * 1024 * 1024,
  objectBytesMin: 64 * 1024,
  blockBytes: 256 * 1024,
  tailBytes: 64 * 1024,
}

/** A stream that has something to offload. */
export interface SealedPart {
  readonly from: number
  /** Batches that end beyond it stay. */
  readonly to: number
  /** Whether nothing new has come for as long as batches stay: what there is will not become a whole object. */
  readonly quiet: boolean
}

/** The least that is taken from a stream now: a stream that grows waits for a whole object. */
export function leastOf(part: Pick<SealedPart, "quiet">, sizes: OffloadSizes): number {
  return part.quiet ? sizes.objectBytesMin : sizes.objectBytes
}

export interface Batch {
  /** The position after it. */
  readonly tail: number
  readonly era: number
  readonly data: Uint8Array
}

/** The first batches that follow one another from a position on: what was found may have a gap where others took something away. */
export function unbroken(batches: readonly Batch[], from: number): readonly Batch[] {
  let at = from
  const gap = batches.findIndex(({ tail, data }) => {
    const fits = tail - data.length === at
    at = tail
    return !fits
  })
  return gap < 0 ? batches : batches.slice(0, gap)
}

/** Batches as blocks of about so many bytes: each has at least one. */
export function blocksOf(batches: readonly Batch[], blockBytes: number): readonly (readonly Batch[])[] {
  const blocks: Batch[][] = []
  let bytes = blockBytes
  for (const batch of batches) {
    if (bytes + batch.data.length > blockBytes) {
      blocks.push([])
      bytes = 0
    }
    blocks.at(-1)?.push(batch)
    bytes += batch.data.length
  }
  return blocks
}
