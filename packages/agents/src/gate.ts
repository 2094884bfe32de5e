import { reasonOf } from "./abort.ts"

/**
 * Room for so many at once; who finds none waits, first come first served. Who waits is a tool call of a wake under way, so their number is
 * bounded by the wakes of the process.
 */
export class Gate {
  #room: number
  readonly #waiting: (() => void)[] = []

  /** @param max At least 1. */
  constructor(max: number) {
    this.#room = max
  }

  /**
   * Waits for room. Returns what gives it back; calling it again changes nothing.
   *
   * @throws The signal's reason, when it aborts first.
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw reasonOf(signal)
    if (this.#room > 0) this.#room -= 1
    else await this.#turn(signal)
    let inside = true
    return () => {
      if (inside) this.#leave()
      inside = false
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener("abort", stop)
        resolve()
      }
      const stop = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1)
        reject(reasonOf(signal))
      }
      signal.addEventListener("abort", stop, { once: true })
      this.#waiting.push(go)
    })
  }

  /** The room goes to who has waited longest. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#room += 1
  }
}
