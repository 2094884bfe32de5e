import type { Timeline } from "./timeline.ts"

/** Of those that were served, before the line is cut. */
const SERVED_KEPT = 4_096

/** Something that so many can use at once, such as the cores of a machine: who comes when all are taken waits in line. */
export class Station {
  /** Of all its places, added up. */
  busyMs = 0
  #free: number
  readonly #timeline: Timeline
  readonly #places: number
  readonly #line: { readonly ms: number; readonly done: () => void }[] = []
  #head = 0
  /** Work beside: until when it takes a place that was free, and what came while there was none. */
  #besideUntilMs = 0
  #besideMs = 0

  constructor(timeline: Timeline, places: number) {
    this.#timeline = timeline
    this.#places = places
    this.#free = places
  }

  use(ms: number, done: () => void): void {
    if (this.#free === 0) this.#line.push({ ms, done })
    else this.#begin(ms, done)
  }

  /** Work that nobody waits for, but whoever comes while it is not done. */
  beside(ms: number): void {
    this.busyMs += ms
    if (this.#free === 0) this.#besideMs += ms
    else this.#besideUntilMs = Math.max(this.#besideUntilMs, this.#timeline.nowMs) + ms
  }

  /** The share of its places that was used. @param sinceMs What `busyMs` was at the beginning. */
  share(sinceMs: number, tookMs: number): number {
    return (this.busyMs - sinceMs) / (this.#places * tookMs)
  }

  #begin(ms: number, done: () => void): void {
    this.#free -= 1
    const besideMs = this.#besideMs + Math.max(0, this.#besideUntilMs - this.#timeline.nowMs)
    this.#besideMs = 0
    this.#besideUntilMs = 0
    this.#timeline.after(besideMs + ms, () => {
      this.busyMs += ms
      this.#free += 1
      const next = this.#line[this.#head]
      if (next !== undefined) {
        this.#head += 1
        this.#begin(next.ms, next.done)
      }
      if (this.#head > SERVED_KEPT) {
        this.#line.splice(0, this.#head)
        this.#head = 0
      }
      done()
    })
  }
}
