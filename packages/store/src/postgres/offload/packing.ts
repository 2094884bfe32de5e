import { createHash } from "node:crypto"
import { promisify } from "node:util"
import { zstdCompress, zstdDecompress } from "node:zlib"
import { decodeBlock, encodeBlock } from "../../core/block.ts"
import { concatBytes } from "../../core/bytes.ts"
import { blocksOf } from "../../core/offload.ts"
import type { Batch } from "../../core/offload.ts"

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
/** What a block has beside its batches: a number for each, of at most eight bytes. */
const HEAD_BYTES = 8

/** A block as the store knows it: where it begins in the log, how long it is in the object, and what it amounts to. */
export interface BlockPlace {
  readonly start: number
  readonly end: number
  /** Bytes of the object. */
  readonly from: number
  readonly to: number
  readonly digest: string
}

/** An object to be put. */
export interface Packed {
  readonly data: Uint8Array
  /** For the row that will refer to it. */
  readonly blocks: string
}

type BlockRow = readonly [start: number, bytes: number, digest: string]

/** Batches as an object: block after block, each compressed by itself, so that a reader fetches what it needs. */
export async function pack(batches: readonly Batch[], blockBytes: number): Promise<Packed> {
  const parts: Uint8Array[] = []
  const rows: BlockRow[] = []
  for (const block of blocksOf(batches, blockBytes)) {
    const part = await compress(encodeBlock(block.map(({ data }) => data)))
    const [first] = block
    rows.push([(first?.tail ?? 0) - (first?.data.length ?? 0), part.length, digestOf(part)])
    parts.push(part)
  }
  return { data: concatBytes(parts), blocks: JSON.stringify(rows) }
}

/** The blocks of an object that ends at a position of the log. */
export function placesOf(blocks: string, tail: number): readonly BlockPlace[] {
  const rows = JSON.parse(blocks) as readonly BlockRow[]
  let from = 0
  return rows.map(([start, bytes, digest], index) => ({
    start,
    end: rows[index + 1]?.[0] ?? tail,
    from,
    to: (from += bytes),
    digest,
  }))
}

/** The batches of a block; undefined when it is not what was put. */
export async function unpack(place: BlockPlace, part: Uint8Array): Promise<readonly Uint8Array[] | undefined> {
  if (part.length !== place.to - place.from || digestOf(part) !== place.digest) return undefined
  const bytes = place.end - place.start
  const plain = await decompress(part, { maxOutputLength: bytes + HEAD_BYTES * (bytes + 1) })
  const batches = decodeBlock(new Uint8Array(plain.buffer, plain.byteOffset, plain.length))
  return batches?.reduce((sum, batch) => sum + batch.length, 0) === bytes ? batches : undefined
}

export function digestOf(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("base64url")
}
