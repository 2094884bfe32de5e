import { orAborted } from "./abort.ts"
import type { Session } from "./session.ts"

/**
 * Watches the wake's deadline at step boundaries (DESIGN §4.2, slices). A step is begun when one as long as the longest so far would end in
 * time; the first of an attempt in any case, so that every attempt brings the run forward.
 */
export class Slices {
  readonly #session: Session
  #stepAtMs: number | undefined
  #longestMs = 0

  constructor(session: Session) {
    this.#session = session
  }

  /** Asked before each step: whether it must be left to the next attempt. */
  isOver(): boolean {
    const { deadlineAtMs } = this.#session.wake
    if (deadlineAtMs === null) return false
    const now = this.#session.host.clock()
    const last = this.#stepAtMs
    this.#stepAtMs = now
    if (last === undefined) return false
    this.#longestMs = Math.max(this.#longestMs, now - last)
    return now + this.#longestMs >= deadlineAtMs
  }

  /** Ends the attempt here. The handler does not go on: the promise rejects when the wake is taken away, and never resolves. */
  end(): Promise<never> {
    this.#session.slice()
    return orAborted(new Promise<never>(() => undefined), this.#session.signal)
  }
}
