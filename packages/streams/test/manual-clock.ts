import type { Clock } from "@rouse/streams"

/** A clock that moves when told. */
export class ManualClock implements Clock {
  #nowMs = Date.UTC(2026, 0, 1)
  readonly #timers = new Map<object, { atMs: number; run: () => void }>()

  now(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): () => void {
    const key = {}
    this.#timers.set(key, { atMs: this.#nowMs + delayMs, run })
    return () => void this.#timers.delete(key)
  }

  get armed(): number {
    return this.#timers.size
  }

  /** Sets the time as an administrator does: what waits goes on waiting as long as it was told to. */
  set(nowMs: number): void {
    const byMs = nowMs - this.#nowMs
    this.#nowMs = nowMs
    for (const timer of this.#timers.values()) timer.atMs += byMs
  }

  /** Runs what is due, in order, also what is armed on the way. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs
    for (;;) {
      const [next] = [...this.#timers]
        .filter(([, timer]) => timer.atMs <= endMs)
        .toSorted((a, b) => a[1].atMs - b[1].atMs)
      if (next === undefined) break
      this.#timers.delete(next[0])
      this.#nowMs = next[1].atMs
      next[1].run()
    }
    this.#nowMs = endMs
  }
}
