/** Old batches in a bucket. Only an engine that several processes share has it. */

/** A bucket, as the store uses it. `Bucket` of `@rouse/store/bucket` is one. */
export interface OffloadBucket {
  put(key: string, data: Uint8Array): Promise<void>
  /** All of an object, or from `start` on up to and without `end`. @throws {RouseError} with `details.status` 404 when there is none. */
  bytes(key: string, start?: number, end?: number): Promise<Uint8Array>
  /** One that is not there is no error. */
  delete(key: string): Promise<void>
}

/** Moves what is old to a bucket, a little at a time, and deletes there what nothing refers to any more. */
export interface Offload {
  /**
   * Does a bounded piece of the work.
   *
   * @returns Whether there may be more to do at once.
   * @throws {RouseError} `OVERLOADED`, `STORE_UNAVAILABLE`: the bucket or the database cannot be used now. Nothing is lost or half done.
   */
  step(nowMs: number): Promise<boolean>
}

/** The pause between two pieces, and when there is nothing to do or the bucket cannot be used. */
const MORE_MS = 250
const EVERY_MS = 60_000

export interface Offloading {
  readonly offload: Offload
  readonly clock: () => number
  readonly defer: (ms: number, run: () => void) => () => void
  readonly onError: (error: unknown) => void
}

/** Goes on for as long as it is not ended. Apart from all else that is done in the background: a bucket may be slow. @returns What ends it. */
export function keepOffloading({ offload, clock, defer, onError }: Offloading): () => void {
  let open = true
  let cancel = defer(EVERY_MS, () => void round())
  const round = async (): Promise<void> => {
    let more = false
    try {
      more = await offload.step(clock())
    } catch (error) {
      if (open) onError(error)
    }
    if (open) cancel = defer(more ? MORE_MS : EVERY_MS, () => void round())
  }
  return () => {
    open = false
    cancel()
  }
}
