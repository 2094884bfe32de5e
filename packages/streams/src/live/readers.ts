import { RouseError } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import { Tail } from "./tail.ts"

/** The live readers of this process: bounded in number, ended together. */
export class Readers {
  readonly #store: Store
  readonly #max: number
  readonly #open = new Set<Tail>()
  #closed = false

  constructor(store: Store, max: number) {
    this.#store = store
    this.#max = max
  }

  get count(): number {
    return this.#open.size
  }

  /**
   * Begins to follow a stream. The caller ends the tail.
   *
   * @throws {RouseError} `SHUTTING_DOWN`; `OVERLOADED` when as many as allowed are open.
   */
  open(path: string, onEnd?: () => void): Tail {
    if (this.#closed) throw new RouseError("SHUTTING_DOWN", "the server takes no new live reads")
    if (this.#open.size >= this.#max)
      throw new RouseError("OVERLOADED", `${this.#max} live reads are open, which is all`)
    const tail = new Tail(this.#store, path, () => {
      this.#open.delete(tail)
      onEnd?.()
    })
    this.#open.add(tail)
    return tail
  }

  close(): void {
    this.#closed = true
    for (const tail of this.#open) tail.end()
  }
}
