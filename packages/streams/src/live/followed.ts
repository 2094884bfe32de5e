import type { Store } from "@rouse/store"
import type { Tail } from "./tail.ts"

/**
 * A stream that readers follow: one subscription to the store for all of them.
 *
 * 1. It listens from before its first reader reads until its last reader ends.
 * 2. A deleted stream ends all its readers. One that follows a stream made anew at that path has another of these.
 */
export class Followed {
  readonly path: string
  readonly tails: Set<Tail> = new Set<Tail>()
  readonly #unwatch: () => void
  readonly #onEnd: (followed: Followed) => void
  #ended = false

  /** @param onEnd Nothing is to be added any more. */
  constructor(store: Store, path: string, onEnd: (followed: Followed) => void) {
    this.path = path
    this.#onEnd = onEnd
    this.#unwatch = store.watchStream(path, (event) => {
      if (event.deleted) this.#end()
      for (const tail of this.tails) {
        if (event.deleted) tail.end()
        else tail.announced(event)
      }
    })
  }

  remove(tail: Tail): void {
    this.tails.delete(tail)
    if (this.tails.size === 0) this.#end()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#unwatch()
    this.#onEnd(this)
  }
}
