/** How often a replica that listens says so, milliseconds. */
const GREET_MS = 60_000
/** For how long another is believed to listen after it was last heard, milliseconds. */
const BELIEVED_MS = 5 * GREET_MS
/** For how long after this replica began to listen nothing is concluded from silence, milliseconds. */
const SETTLING_MS = 5_000

export interface AudienceParts {
  readonly clock: () => number
  /** Tells the others that this replica listens, and asks them to say the same when it `asks`. */
  readonly greet: (asks: boolean) => void
  /** Another was heard that was not known: it may have missed something, and so may this replica. */
  readonly onNewcomer: () => void
}

/**
 * Whether anybody else listens. A replica that is alone need not tell what it does, and telling costs as much as a small commit.
 *
 * 1. Whoever begins to listen asks, and those who listen answer: so both know.
 * 2. Whoever cannot listen itself does not know, and believes that it is heard.
 */
export class Audience {
  readonly #parts: AudienceParts
  #listeningAtMs: number | undefined
  #heardAtMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(parts: AudienceParts) {
    this.#parts = parts
  }

  get mayHear(): boolean {
    const nowMs = this.#parts.clock()
    if (this.#listeningAtMs === undefined || nowMs - this.#listeningAtMs <= SETTLING_MS) return true
    return nowMs - this.#heardAtMs <= BELIEVED_MS
  }

  /** This replica listens, and did not before. */
  listening(): void {
    this.#listeningAtMs = this.#parts.clock()
    this.#parts.greet(true)
    clearInterval(this.#timer)
    this.#timer = setInterval(() => this.#parts.greet(false), GREET_MS)
    this.#timer.unref()
  }

  /** This replica does not listen any more. */
  deaf(): void {
    this.#listeningAtMs = undefined
    clearInterval(this.#timer)
  }

  /** Another told something. @param asks Whether it wants to know who listens. */
  heard(asks: boolean): void {
    const isNew = this.#parts.clock() - this.#heardAtMs > BELIEVED_MS
    this.#heardAtMs = this.#parts.clock()
    if (asks) this.#parts.greet(false)
    if (isNew) this.#parts.onNewcomer()
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
