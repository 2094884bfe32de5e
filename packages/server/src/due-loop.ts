import type { Plane } from "./plane.ts"

/** The longest sleep: a due time written by another process is seen within it. */
const SLEEP_MS_MAX = 30_000
/** The pause after the store refused, so that a full disk is not asked without end. */
export const STORE_RETRY_MS = 1_000

/** What a loop looks for. */
export interface DueWork {
  /** What it is called where the log says that a look failed. */
  readonly name: string
  /** Looks once at what is due. Returns whether to look again at once. */
  look(plane: Plane): Promise<boolean>
  /** When to look again, milliseconds since the Unix epoch; undefined: nothing is known to fall due. */
  next(plane: Plane): Promise<number | undefined>
}

/**
 * Looks at what falls due. Holds one timer, whatever there is; all else is in the store.
 *
 * One round at a time; a poke during a round makes another follow it.
 */
export class DueLoop {
  readonly #plane: () => Plane
  readonly #work: DueWork
  #cancel: () => void = () => undefined
  #wakeAtMs = Number.POSITIVE_INFINITY
  #round: Promise<void> | undefined
  #again = false
  #open = true

  constructor(plane: () => Plane, work: DueWork) {
    this.#plane = plane
    this.#work = work
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** Something falls due at this time. */
  dueAt(ms: number): void {
    if (!this.#open || ms >= this.#wakeAtMs) return
    this.#cancel()
    this.#wakeAtMs = ms
    const delayMs = Math.min(Math.max(0, ms - this.#plane().clock()), SLEEP_MS_MAX)
    this.#cancel = this.#plane().defer(delayMs, () => {
      this.#wakeAtMs = Number.POSITIVE_INFINITY
      this.poke()
    })
  }

  /** Looks now. */
  poke(): void {
    if (!this.#open) return
    if (this.#round) this.#again = true
    else this.#round = this.#run()
  }

  /** Looks no more, and waits for the round under way. */
  async close(): Promise<void> {
    this.#open = false
    this.#cancel()
    await this.#round
  }

  async #run(): Promise<void> {
    const plane = this.#plane()
    // This look is for all that was said to fall due before it, and the clock may have jumped since the timer was set.
    this.#cancel()
    this.#wakeAtMs = Number.POSITIVE_INFINITY
    try {
      do {
        this.#again = false
        if (await this.#work.look(plane)) this.#again = true
      } while (this.#again && this.#open)
      this.dueAt((await this.#work.next(plane)) ?? plane.clock() + SLEEP_MS_MAX)
    } catch (error) {
      if (this.#open) plane.log.error(`looking for ${this.#work.name} failed`, { error: String(error) })
      this.dueAt(plane.clock() + STORE_RETRY_MS)
    } finally {
      this.#round = undefined
    }
    if (this.#again) this.poke()
  }
}
