import type { ReadRest } from "../stream.ts"
import { joinRuns } from "./chunk-run.ts"
import type { ChunkRun } from "./chunk-run.ts"

/** What follows the first piece of a read, read when it is asked for. Bytes at a position never change, so it needs no snapshot that lasts. */
export class RunsRest implements ReadRest {
  readonly #end: number
  readonly #readOn: (at: number) => { readonly runs: readonly ChunkRun[]; readonly end: number }
  #at: number

  /** @param readOn Reads whole batches from a position on, none that ends beyond `end`. Throws when they are no longer there. */
  constructor(
    at: number,
    end: number,
    readOn: (at: number) => { readonly runs: readonly ChunkRun[]; readonly end: number },
  ) {
    this.#at = at
    this.#end = end
    this.#readOn = readOn
  }

  get bytes(): number {
    return this.#end - this.#at
  }

  next(): Uint8Array | undefined {
    if (this.#at === this.#end) return undefined
    const { runs, end } = this.#readOn(this.#at)
    this.#at = end
    return joinRuns(runs)
  }
}
