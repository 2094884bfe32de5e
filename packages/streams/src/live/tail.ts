import type { Offset } from "@rouse/protocol"
import type { Waiter } from "../reply.ts"
import type { Followed } from "./followed.ts"

interface Position {
  readonly next: Offset
  readonly closed: boolean
}

/** What is told of the time as long as its tail is open: see `Readers`. */
export interface Ticking {
  tick(nowTick: number): void
}

/**
 * One live reader's knowledge of a stream's end. Holds no data: only the newest tail that it heard of.
 *
 * 1. It hears of every append from before the reader's first read, so none falls between a read and a wait.
 * 2. What it knows only moves forward, in whatever order reads and announcements arrive.
 * 3. `wait` returns at once while there is anything beyond the reader's offset; `onWake` does not look. One wait at a time.
 * 4. A deleted stream ends it. After `end` nothing waits, and it hears of nothing.
 */
export class Tail {
  readonly ticking: Ticking | undefined
  readonly #followed: Followed
  readonly #onEnd: (tail: Tail) => void
  #latest: Position | undefined
  #ended = false
  #waiter: Waiter | undefined

  /** @param onEnd One function for all tails of a process, which may be many. */
  constructor(followed: Followed, onEnd: (tail: Tail) => void, ticking: Ticking | undefined) {
    this.ticking = ticking
    this.#followed = followed
    this.#onEnd = onEnd
    followed.tails.add(this)
  }

  get ended(): boolean {
    return this.#ended
  }

  get path(): string {
    return this.#followed.path
  }

  /** There is more. What announces it is one object for all that hear of it. */
  announced(position: Position): void {
    const isNews = this.#latest === undefined || (position.next >= this.#latest.next && !this.#latest.closed)
    if (isNews) this.#latest = position
    else this.seen(position)
    this.nudge()
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
    await new Promise<void>((resolve) => this.onWake({ ready: resolve }))
  }

  /** Tells `waiter` once: when there may be more, or when someone nudges or ends it. Whoever waited before no longer does. */
  onWake(waiter: Waiter | undefined): void {
    this.#waiter = waiter
  }

  /** Ends the wait under way, if any. */
  nudge(): void {
    const waiter = this.#waiter
    this.#waiter = undefined
    waiter?.ready()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#followed.remove(this)
    this.#onEnd(this)
    this.nudge()
  }

  [Symbol.dispose](): void {
    this.end()
  }
}
