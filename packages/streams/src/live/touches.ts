import type { Store, StreamInfo } from "@rouse/store"
import type { Clock } from "../clock.ts"

/** A stream is touched at most this often within its time to live. */
const TOUCHES_PER_LIFE = 10
/** How many streams' last touches are remembered. */
const STREAMS_MAX = 10_000

/**
 * Tells the store that a stream with a time to live is being read, which begins its time anew.
 *
 * A thousand readers of one stream would each write at every batch, so only some reads are told: a stream may expire up to a tenth of its
 * time to live early. A store that cannot write still serves the read.
 *
 * @see Durable Streams Protocol §5.1
 */
export class Touches {
  readonly #store: Store
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #last = new Map<string, number>()

  constructor(store: Store, clock: Clock, onError: (error: unknown) => void) {
    this.#store = store
    this.#clock = clock
    this.#onError = onError
  }

  /** To be called after every read of data. Nothing happens for a stream without a time to live. Never rejects. */
  async read(info: StreamInfo): Promise<void> {
    if (info.ttlSeconds === undefined) return
    const nowMs = this.#clock.now()
    const last = this.#last.get(info.incarnation)
    if (last !== undefined && nowMs - last < (info.ttlSeconds * 1000) / TOUCHES_PER_LIFE) return
    this.#remember(info.incarnation, nowMs)
    try {
      await this.#store.commit({ ops: [{ op: "touchStream", path: info.path, nowMs }] })
    } catch (error) {
      this.#onError(error)
    }
  }

  #remember(incarnation: string, nowMs: number): void {
    this.#last.delete(incarnation)
    this.#last.set(incarnation, nowMs)
    const [oldest] = this.#last.keys()
    if (this.#last.size > STREAMS_MAX && oldest !== undefined) this.#last.delete(oldest)
  }
}
