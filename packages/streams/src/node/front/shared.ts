import type { Clock } from "../../clock.ts"
import type { Reply } from "../../reply.ts"
import type { StreamRequest, Target } from "../../request.ts"
import type { Connection } from "./connection.ts"
import { SWEEP_MS } from "./limits.ts"
import type { FrontLimits } from "./limits.ts"

/** What answers requests: streams, or what decides which go there. To reject is a fault, answered by its problem document. */
export interface Answering {
  answer(request: StreamRequest, target: Target): Promise<Reply>
}

/**
 * What the connections of a front have in common: the handler, the limits, and the one timer by which they end.
 *
 * The timer is armed while there are connections. Time is counted in its ticks, so that a clock that is set ends nobody.
 */
export class Shared {
  readonly answering: Answering
  readonly limits: FrontLimits
  readonly onError: (error: unknown) => void
  readonly keepAlive: string
  readonly #clock: Clock
  readonly #connections = new Set<Connection>()
  #nowTick = 1
  #disarm: (() => void) | undefined
  #second = 0
  #date = ""

  constructor(answering: Answering, clock: Clock, limits: FrontLimits, onError: (error: unknown) => void) {
    this.answering = answering
    this.onError = onError
    this.#clock = clock
    this.limits = limits
    this.keepAlive = `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(limits.keepAliveMs / 1_000)}\r\n`
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections
  }

  add(connection: Connection): void {
    this.#connections.add(connection)
    if (this.#disarm === undefined) this.#arm()
  }

  remove(connection: Connection): void {
    this.#connections.delete(connection)
    if (this.#connections.size > 0) return
    this.#disarm?.()
    this.#disarm = undefined
  }

  /** Not before so much time is over; at most one sweep later. */
  tickAfter(ms: number): number {
    return this.#nowTick + Math.ceil(ms / SWEEP_MS) + 1
  }

  /** The time in the form of a `Date` header. */
  date(): string {
    const second = Math.floor(this.#clock.now() / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#date = new Date(second * 1_000).toUTCString()
    }
    return this.#date
  }

  #arm(): void {
    this.#disarm = this.#clock.after(SWEEP_MS, () => {
      this.#nowTick += 1
      this.#arm()
      for (const connection of this.#connections) connection.sweep(this.#nowTick)
    })
  }
}
