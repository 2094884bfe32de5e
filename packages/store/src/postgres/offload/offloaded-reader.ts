import { RouseError } from "@rouse/protocol"
import type { Connection } from "../connection.ts"
import { ObjectMissing } from "./object-reader.ts"
import type { ObjectReader } from "./object-reader.ts"
import { placesOf } from "./packing.ts"
import type { BlockPlace } from "./packing.ts"

/** The object that has the batch behind a position, and the one that has the batch before it. */
const BEHIND = `SELECT start, tail, key, blocks FROM ~offloaded WHERE tree = $1 AND stream = $2 AND tail > $3 ORDER BY tail LIMIT 1`
const BEFORE = `SELECT start, tail, key, blocks FROM ~offloaded WHERE tree = $1 AND stream = $2 AND tail >= $3 ORDER BY tail LIMIT 1`

interface StoredObject {
  readonly key: string
  readonly tail: number
  readonly places: readonly BlockPlace[]
}

/** A batch with the position after it. */
export interface FoundBatch {
  readonly tail: number
  readonly data: Uint8Array
}

/** Finds batches of streams in the bucket. Undefined and empty answers mean: not there. Errors as `ObjectReader`. */
export class OffloadedReader {
  readonly #connection: Connection
  readonly #objects: ObjectReader

  constructor(connection: Connection, objects: ObjectReader) {
    this.#connection = connection
    this.#objects = objects
  }

  /** Batches from a position on, of one object: those of the blocks that begin before `limit`, and at least one. */
  async after(tree: number, stream: number, from: number, limit: number): Promise<readonly FoundBatch[]> {
    const batches = await this.#batches(BEHIND, tree, stream, from, (places) =>
      places.filter(({ start, end }) => end > from && (start <= from || start < limit)),
    )
    return batches.filter(({ tail }) => tail > from)
  }

  /** Batches up to the one that ends at or behind a position, of one block: the last comes first. */
  async before(tree: number, stream: number, before: number): Promise<readonly FoundBatch[]> {
    const batches = await this.#batches(BEFORE, tree, stream, before, (places) =>
      places.filter(({ start, end }) => start < before && end >= before),
    )
    return batches.filter(({ tail, data }) => tail - data.length < before).toReversed()
  }

  async endsAt(tree: number, stream: number, position: number): Promise<boolean> {
    const [last] = await this.before(tree, stream, position)
    return last?.tail === position
  }

  async #batches(
    sql: string,
    tree: number,
    stream: number,
    position: number,
    choose: (places: readonly BlockPlace[]) => readonly BlockPlace[],
  ): Promise<readonly FoundBatch[]> {
    const found = await this.#find(sql, tree, stream, position)
    const places = found === undefined ? [] : choose(found.places)
    if (found === undefined || places.length === 0) return []
    try {
      const blocks = await this.#objects.read(found.key, places)
      return blocks.flatMap((block, index) => tailsOf(block, places[index]?.start ?? 0))
    } catch (error) {
      if (!(error instanceof ObjectMissing)) throw error
      // Deleted, with its stream or below its horizon, since it was looked up.
      if ((await this.#find(sql, tree, stream, position))?.key !== found.key) return []
      throw new RouseError("BUCKET_DAMAGED", `${found.key} is not in the bucket`, { details: { key: found.key } })
    }
  }

  async #find(sql: string, tree: number, stream: number, position: number): Promise<StoredObject | undefined> {
    const [row] = await this.#connection.read(sql, [tree, stream, position])
    if (row === undefined) return undefined
    const tail = Number(row["tail"])
    return { key: row["key"] as string, tail, places: placesOf(row["blocks"] as string, tail) }
  }
}

function tailsOf(block: readonly Uint8Array[], start: number): readonly FoundBatch[] {
  let tail = start
  return block.map((data) => ({ tail: (tail += data.length), data }))
}
