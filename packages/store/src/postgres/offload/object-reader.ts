import { RouseError } from "@rouse/protocol"
import type { OffloadBucket } from "../../offload.ts"
import { BlockCache } from "./block-cache.ts"
import { unpack } from "./packing.ts"
import type { BlockPlace } from "./packing.ts"

/** Requests to the bucket that are under way for readers. Beyond it they are told to come back. */
const FETCHES_MAX = 64
/** What was damaged on its way is fetched once more. */
const TRIES = 2

/** Thrown where the bucket has no such object. */
export class ObjectMissing extends Error {}

type Block = readonly Uint8Array[]

/**
 * Reads blocks of objects, each once however many ask for it, and checks each against what it was when it was put.
 *
 * 1. Nothing is handed out whose digest is not the one that the database has.
 * 2. What is held is bounded: the cache by its bytes, and what is being fetched by the number of requests.
 */
export class ObjectReader {
  readonly #bucket: OffloadBucket | undefined
  readonly #cache = new BlockCache()
  readonly #fetching = new Map<string, Promise<readonly Block[]>>()

  constructor(bucket: OffloadBucket | undefined) {
    this.#bucket = bucket
  }

  /**
   * Blocks that follow one another.
   *
   * @throws {RouseError} `BUCKET_UNAVAILABLE`, `BUCKET_DAMAGED`; {ObjectMissing}.
   */
  async read(key: string, places: readonly BlockPlace[]): Promise<readonly Block[]> {
    const cached = places.map((place) => this.#cache.get(nameOf(key, place)))
    const first = cached.indexOf(undefined)
    if (first < 0) return cached as Block[]
    const missing = places.slice(first, cached.lastIndexOf(undefined) + 1)
    const fetched = await this.#once(key, missing)
    return cached.map((block, index) => block ?? (fetched[index - first] as Block))
  }

  #once(key: string, places: readonly BlockPlace[]): Promise<readonly Block[]> {
    const name = `${nameOf(key, places[0])} ${places.at(-1)?.to}`
    const known = this.#fetching.get(name)
    if (known !== undefined) return known
    if (this.#fetching.size >= FETCHES_MAX) {
      throw new RouseError("OVERLOADED", `${FETCHES_MAX} reads of the bucket are under way`)
    }
    const work = this.#fetch(key, places).finally(() => this.#fetching.delete(name))
    this.#fetching.set(name, work)
    return work
  }

  async #fetch(key: string, places: readonly BlockPlace[]): Promise<readonly Block[]> {
    for (let tries = 1; ; tries += 1) {
      const from = places[0]?.from ?? 0
      const data = await this.#bytes(key, from, places.at(-1)?.to ?? from)
      const blocks = await Promise.all(
        places.map((place) => unpack(place, data.subarray(place.from - from, place.to - from))),
      )
      if (blocks.every((block) => block !== undefined)) {
        blocks.forEach((block, index) => this.#cache.put(nameOf(key, places[index]), block))
        return blocks
      }
      if (tries < TRIES) continue
      throw new RouseError("BUCKET_DAMAGED", `${key} in the bucket is not what was put there`, { details: { key } })
    }
  }

  async #bytes(key: string, from: number, to: number): Promise<Uint8Array> {
    if (this.#bucket === undefined) {
      throw new RouseError(
        "BUCKET_UNAVAILABLE",
        "this part of the log is in a bucket, and this server was given none",
        {
          details: { key },
        },
      )
    }
    try {
      return await this.#bucket.bytes(key, from, to)
    } catch (error) {
      if (RouseError.is(error) && error.details["status"] === 404) throw new ObjectMissing(key, { cause: error })
      throw bucketUnavailable(error)
    }
  }
}

/** What a reader is told. Why, is said by the bucket itself, without credentials. */
function bucketUnavailable(error: unknown): RouseError {
  const why = RouseError.is(error) ? error.message : "it did not answer"
  return new RouseError("BUCKET_UNAVAILABLE", `this part of the log is in a bucket that cannot be read now: ${why}`, {
    cause: error,
  })
}

function nameOf(key: string, place: BlockPlace | undefined): string {
  return `${key} ${place?.from}`
}
