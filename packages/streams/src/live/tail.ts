import type { Offset } from "@rouse/protocol"
import type { Store } from "@rouse/store"

interface Position {
  readonly next: Offset
  readonly closed: boolean
}

/** What is told of the time as long as its tail is open: see `Readers`. */
export interface Ticking {
  tick(nowTick: number): void
}

/**
 * One live reader's knowledge of a stream's end.
 *
 * Owns one subscription to the store. Holds no data: only the newest tail that it heard of.
 *
 * 1. It listens from before the reader's first read, so no append falls between a read and a wait.
 * 2. What it knows only moves forward, in whatever order reads and announcements arrive.
 * 3. `wait` returns at once while there is anything beyond the reader's offset; `onWake` does not look. One wait at a time.
 * 4. A deleted stream ends it. After `end` nothing waits, and the store no longer calls.
 */
export class Tail {
  #latest: Position | undefined
  #ended = false
  #wake: (() => void) | undefined
  readonly #unwatch: () => void
  readonly #onEnd: (tail: Tail) => void
  readonly ticking: Ticking | undefined

  /** @param onEnd One function for all tails of a process, which may be many. */
  constructor(store: Store, path: string, onEnd: (tail: Tail) => void, ticking: Ticking | undefined) {
    this.#onEnd = onEnd
    this.ticking = ticking
    this.#unwatch = store.watchStream(path, (event) => {
      if (event.deleted) return this.end()
      this.seen(event)
      this.nudge()
    })
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Takes note of a tail that a read saw. */
  seen(position: Position): void {
    if (this.#latest !== undefined && position.next < this.#latest.next) return
    const closed = position.closed || (this.#latest?.closed ?? false)
    this.#latest = { next: position.next, closed }
  }

  /** Whether a reader at `at` has all that is known of. */
  isAtEnd(at: Offset): boolean {
    return this.#latest !== undefined && at >= this.#latest.next
  }

  /** Whether a reader at `at` has all that there will ever be. */
  isFinished(at: Offset): boolean {
    return this.#latest?.closed === true && this.isAtEnd(at)
  }

  /** Waits until there may be something beyond `at`, or someone nudges or ends it. */
  async wait(at: Offset): Promise<void> {
    if (this.#ended || this.#latest?.closed === true || !this.isAtEnd(at)) return
    await new Promise<void>((resolve) => this.onWake(resolve))
  }

  /** Has `run` called once: when there may be more, or when someone nudges or ends it. Whoever waited before no longer does. */
  onWake(run: (() => void) | undefined): void {
    this.#wake = run
  }

  /** Ends the wait under way, if any. */
  nudge(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#unwatch()
    this.#onEnd(this)
    this.nudge()
  }

  [Symbol.dispose](): void {
    this.end()
  }
}
