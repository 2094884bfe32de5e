interface Happening {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** Virtual time: what was said to happen happens in its order, and what is due at once in the order in which it was said. */
export class Timeline {
  nowMs = 0
  #order = 0
  readonly #heap: Happening[] = []

  after(delayMs: number, run: () => void): void {
    this.#push({ atMs: this.nowMs + delayMs, order: this.#order++, run })
  }

  /** Has everything happen that is due until then. */
  runUntil(endMs: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= endMs; next = this.#heap[0]) {
      this.#pop()
      this.nowMs = next.atMs
      next.run()
    }
    this.nowMs = endMs
  }

  #push(one: Happening): void {
    const heap = this.#heap
    let at = heap.push(one) - 1
    for (; at > 0; at = (at - 1) >> 1) {
      const parent = heap[(at - 1) >> 1] as Happening
      if (isBefore(parent, one)) break
      heap[at] = parent
    }
    heap[at] = one
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Happening
    if (heap.length === 0) return
    let at = 0
    for (let child = 1; child < heap.length; child = at * 2 + 1) {
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, heap[child] as Happening)) child += 1
      const least = heap[child] as Happening
      if (isBefore(last, least)) break
      heap[at] = least
      at = child
    }
    heap[at] = last
  }
}

function isBefore(one: Happening, other: Happening): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order)
}

/** Uniform in [0, 1), the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
