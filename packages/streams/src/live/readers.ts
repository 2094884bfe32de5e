import { RouseError } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import type { Clock } from "../clock.ts"
import type { Limits } from "../options.ts"
import { Followed } from "./followed.ts"
import { Tail } from "./tail.ts"
import type { Ticking } from "./tail.ts"

/** The time between two ticks: short enough for the life of an event stream, and that those who end at one are not many. */
const TICK_MS_MAX = 250
const TICK_MS_MIN = 5
const TICKS_PER_LIFE = 20

/**
 * The live readers of this process: bounded in number, ended together.
 *
 * One timer serves them all: it is armed while there is a reader that wants to know of the time, and tells each. A reader counts in ticks.
 */
export class Readers {
  readonly tickMs: number
  readonly #store: Store
  readonly #clock: Clock
  readonly #max: number
  readonly #streams = new Map<string, Followed>()
  #count = 0
  #nowTick = 0
  #ticking = 0
  #disarm: (() => void) | undefined
  #closed = false

  constructor(store: Store, clock: Clock, limits: Limits) {
    this.#store = store
    this.#clock = clock
    this.#max = limits.readersMax
    this.tickMs = Math.min(TICK_MS_MAX, Math.max(TICK_MS_MIN, limits.sseMs / TICKS_PER_LIFE))
  }

  get count(): number {
    return this.#count
  }

  get nowTick(): number {
    return this.#nowTick
  }

  /**
   * Begins to follow a stream. The caller ends the tail.
   *
   * @throws {RouseError} `SHUTTING_DOWN`; `OVERLOADED` when as many as allowed are open.
   */
  open(path: string, ticking?: Ticking): Tail {
    if (this.#closed) throw new RouseError("SHUTTING_DOWN", "the server takes no new live reads")
    if (this.#count >= this.#max) throw new RouseError("OVERLOADED", `${this.#max} live reads are open, which is all`)
    const tail = new Tail(this.#follow(path), this.#forget, ticking)
    this.#count += 1
    if (ticking !== undefined && ++this.#ticking === 1) this.#arm()
    return tail
  }

  close(): void {
    this.#closed = true
    for (const { tails } of this.#streams.values()) for (const tail of tails) tail.end()
  }

  #follow(path: string): Followed {
    const known = this.#streams.get(path)
    if (known !== undefined) return known
    const followed = new Followed(this.#store, path, this.#leave)
    this.#streams.set(path, followed)
    return followed
  }

  readonly #leave = (followed: Followed): void => {
    if (this.#streams.get(followed.path) === followed) this.#streams.delete(followed.path)
  }

  readonly #forget = (tail: Tail): void => {
    this.#count -= 1
    if (tail.ticking === undefined || --this.#ticking > 0) return
    this.#disarm?.()
    this.#disarm = undefined
  }

  #arm(): void {
    this.#disarm = this.#clock.after(this.tickMs, () => {
      this.#nowTick += 1
      this.#arm()
      for (const { tails } of this.#streams.values()) for (const tail of tails) tail.ticking?.tick(this.#nowTick)
    })
  }
}
