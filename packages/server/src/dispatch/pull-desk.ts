import type { ClaimsBody, WakeDelivery } from "@rouse/protocol"
import type { Defer } from "../plane.ts"

/** Workers that may wait for wakes here at once. */
const WAITERS_MAX = 10_000
/** How long a worker that asked for wakes counts as there. */
const SEEN_MS = 60_000
const SEEN_MAX = 10_000

/** Room with a worker for one wake, until it is given one or the room is given back. */
export interface Seat {
  give(delivery: WakeDelivery): boolean
  release(): void
}

/**
 * Workers that wait for wakes: each is a request that is held open.
 *
 * Invariants:
 * 1. A worker is given as many wakes as it has room for, at most, and only of the types and versions that it named.
 * 2. A request is answered when it has a wake and no seat of it is reserved, or when its time is over.
 */
export class PullDesk {
  readonly #waiters = new Set<Waiter>()
  readonly #seen = new Map<string, number>()
  readonly #clock: () => number
  readonly #defer: Defer
  readonly #onRoom: () => void

  /** @param onRoom Called when there is room that there was not. */
  constructor(clock: () => number, defer: Defer, onRoom: () => void) {
    this.#clock = clock
    this.#defer = defer
    this.#onRoom = onRoom
  }

  /** Whether another worker may wait. */
  get isFull(): boolean {
    return this.#waiters.size >= WAITERS_MAX
  }

  /** How many wakes of a version there is room for. */
  room(type: string, version: string | undefined): number {
    let room = 0
    for (const waiter of this.#waiters) if (waiter.serves(type, version)) room += waiter.free
    return room
  }

  reserve(type: string, version: string | undefined): Seat | undefined {
    for (const waiter of this.#waiters) {
      if (waiter.free <= 0 || !waiter.serves(type, version)) continue
      // Whoever was served goes behind the others.
      this.#waiters.delete(waiter)
      this.#waiters.add(waiter)
      return waiter.reserve()
    }
    return undefined
  }

  /** Whether a worker of a version asked for wakes of late. */
  isAttended(type: string, version: string | undefined): boolean {
    const at = this.#seen.get(keyOf(type, version))
    return (at !== undefined && at + SEEN_MS > this.#clock()) || this.room(type, version) > 0
  }

  /** Waits for wakes, up to `waitMs` or until `gone` aborts. */
  async wait(body: ClaimsBody, waitMs: number, gone: AbortSignal): Promise<readonly WakeDelivery[]> {
    for (const { name, version } of body.types) this.#note(keyOf(name, version))
    const waiter = new Waiter(body)
    this.#waiters.add(waiter)
    const cancel = this.#defer(waitMs, () => waiter.close())
    const onGone = (): void => waiter.abandon()
    if (gone.aborted) onGone()
    else gone.addEventListener("abort", onGone, { once: true })
    this.#onRoom()
    try {
      return await waiter.done
    } finally {
      cancel()
      gone.removeEventListener("abort", onGone)
      this.#waiters.delete(waiter)
    }
  }

  /** Answers all who wait with what they have. */
  close(): void {
    for (const waiter of this.#waiters) waiter.close()
  }

  #note(key: string): void {
    this.#seen.delete(key)
    this.#seen.set(key, this.#clock())
    const [oldest] = this.#seen.keys()
    if (this.#seen.size > SEEN_MAX && oldest !== undefined) this.#seen.delete(oldest)
  }
}

function keyOf(type: string, version: string | undefined): string {
  return version === undefined ? type : `${type}@${version}`
}

class Waiter {
  readonly done: Promise<readonly WakeDelivery[]>
  readonly #served: ReadonlySet<string>
  readonly #capacity: number
  readonly #given: WakeDelivery[] = []
  #reserved = 0
  #open = true
  #isGone = false
  #resolve: (given: readonly WakeDelivery[]) => void = () => undefined

  constructor({ types, capacity }: ClaimsBody) {
    this.#served = new Set(types.map(({ name, version }) => keyOf(name, version)))
    this.#capacity = capacity
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  get free(): number {
    return this.#open ? this.#capacity - this.#given.length - this.#reserved : 0
  }

  serves(type: string, version: string | undefined): boolean {
    return this.#served.has(keyOf(type, version))
  }

  reserve(): Seat {
    this.#reserved += 1
    let isOpen = true
    const end = (): void => {
      isOpen = false
      this.#reserved -= 1
      this.#settle()
    }
    return {
      give: (delivery) => {
        if (!isOpen) return false
        if (!this.#isGone) this.#given.push(delivery)
        end()
        return !this.#isGone
      },
      release: () => {
        if (isOpen) end()
      },
    }
  }

  close(): void {
    this.#open = false
    this.#settle()
  }

  /** Nobody is there to be answered. */
  abandon(): void {
    this.#isGone = true
    this.close()
  }

  #settle(): void {
    if (this.#reserved > 0 || (this.#open && this.#given.length === 0)) return
    this.#open = false
    this.#resolve(this.#given)
  }
}
