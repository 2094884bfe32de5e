import { SeededRandom } from "../crash/core/random.ts"
import type { Weather } from "./core/plan.ts"

const START_MS = Date.UTC(2026, 0, 1)
/** The runtime's own, kept before the simulation puts its own in place. */
const realImmediate = setImmediate

interface Happening {
  readonly dueMs: number
  readonly order: number
  readonly run: () => void
}

/**
 * The virtual time, and all that will happen: one list by due time, worked off one by one. After each happening everything that it set
 * off runs to its next wait, so that the order of the list is the order of the world.
 *
 * Invariants:
 * 1. Time only grows, and passes only here.
 * 2. The same seed and the same calls give the same order.
 */
export class World {
  readonly random: SeededRandom
  readonly weather: Weather
  #nowMs = START_MS
  #order = 0
  #steps = 0
  /** A binary heap: the earliest is first. */
  readonly #heap: Happening[] = []

  constructor(seed: number, weather: Weather) {
    this.random = new SeededRandom(seed)
    this.weather = weather
  }

  get nowMs(): number {
    return Math.floor(this.#nowMs)
  }

  get steps(): number {
    return this.#steps
  }

  after(ms: number, run: () => void): void {
    this.#push({ dueMs: this.#nowMs + Math.max(0, ms), order: (this.#order += 1), run })
  }

  /** Resolves after `ms`. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  /** How long something takes that nobody asked to take long. */
  delay(): number {
    const { delayMsMax, slow, slowMsMax } = this.weather
    return this.random.next() * (this.random.chance(slow) ? slowMsMax : delayMsMax)
  }

  /** The clock is put forward: what would have happened meanwhile is late. */
  jump(ms: number): void {
    this.#nowMs += ms
  }

  /** Lets the next thing happen. False when there is none. */
  async step(): Promise<boolean> {
    const next = this.#pop()
    if (next === undefined) return false
    this.#nowMs = Math.max(this.#nowMs, next.dueMs)
    this.#steps += 1
    next.run()
    await new Promise<void>((resolve) => realImmediate(resolve))
    return true
  }

  #push(happening: Happening): void {
    const heap = this.#heap
    let at = heap.push(happening) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(happening, heap[above])) break
      heap[at] = heap[above] as Happening
      at = above
    }
    heap[at] = happening
  }

  #pop(): Happening | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Happening, heap[below])) below += 1
      if (!isBefore(heap[below] as Happening, last)) break
      heap[at] = heap[below] as Happening
      at = below
    }
    heap[at] = last
    return first
  }
}

function isBefore(a: Happening, b: Happening | undefined): boolean {
  return b === undefined || a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
}
