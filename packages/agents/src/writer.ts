import { RouseError } from "@rouse/protocol"
import type {
  ChangeEvent,
  CommitReply,
  HandlerCommit,
  ObserveRequest,
  OutgoingMessage,
  SharedWrite,
  SpawnRequest,
  WakeBackend,
  WakeOutcome,
} from "@rouse/protocol"
import { isInterrupted, reasonOf } from "./abort.ts"
import { append, emptyBatch, isEmpty, toCommit } from "./batch.ts"
import type { Batch } from "./batch.ts"
import type { Sleep } from "./host.ts"
import { isRowConflict } from "./row-conflict.ts"

/** Tries of one commit when the store cannot take it for the moment. */
const COMMIT_TRIES_MAX = 5
const COMMIT_DELAY_MS = 50

const PASSING = ["STORE_UNAVAILABLE", "OVERLOADED", "RATE_LIMITED", "CONFLICT", "TIMED_OUT"] as const
const REFUSALS = [
  "INVALID_ARGS",
  "UNKNOWN_TYPE",
  "NOT_FOUND",
  "UNKNOWN_ENTITY",
  "STOPPED",
  "ALREADY_EXISTS",
  "BUDGET_EXHAUSTED",
  "BAD_REQUEST",
  "BAD_OFFSET",
  "NOT_FOUND",
  "ALREADY_CLAIMED",
  "CLAIM_LOST",
  "TOO_LARGE",
] as const

/**
 * A send, a spawn, an observation or a change of a shared space that the server may refuse without harm to the rest: whoever asked for it is told. Its result is written with it, so
 * that neither is ever without the other.
 */
export interface Delivery {
  readonly result: ChangeEvent
  readonly send?: OutgoingMessage
  readonly spawn?: SpawnRequest
  readonly observe?: ObserveRequest
  readonly shared?: SharedWrite
}

interface Pending {
  readonly delivery: Delivery
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Owns the order of a wake's commits: `add` ──▶ batch ──flush──▶ one commit at a time ──▶ backend.
 *
 * Invariants:
 * 1. One commit is under way at most, and `seq` counts those that were written, from 1, without a gap.
 * 2. A flush resolves when everything added before it is durable. Flushes that wait share their commits.
 * 3. After a commit failed for good, nothing more is written and every flush rejects with the same error.
 * 4. A commit has at most one delivery. A refused delivery is left out, and its promise alone rejects.
 */
export class Writer {
  readonly #backend: WakeBackend
  readonly #sleep: Sleep
  readonly #complete: (batch: Batch, finish: WakeOutcome | undefined) => Partial<HandlerCommit>
  readonly #clean: <T>(commit: T) => T
  readonly #onReply: (reply: CommitReply) => void
  readonly #onBroken: (error: unknown) => void
  #batch: Batch = emptyBatch()
  #deliveries: Pending[] = []
  #seq = 0
  #draining: Promise<void> | undefined
  #over = false
  #broken: { readonly error: unknown } | undefined

  /** @param complete Adds to a commit what is known only when it is written. */
  constructor(options: {
    readonly backend: WakeBackend
    readonly sleep: Sleep
    readonly complete: (batch: Batch, finish: WakeOutcome | undefined) => Partial<HandlerCommit>
    /** Takes out of a commit what must never be written. */
    readonly clean: <T>(commit: T) => T
    readonly onReply: (reply: CommitReply) => void
    /** Called once, when a commit failed for good. */
    readonly onBroken: (error: unknown) => void
  }) {
    this.#backend = options.backend
    this.#sleep = options.sleep
    this.#complete = options.complete
    this.#clean = options.clean
    this.#onReply = options.onReply
    this.#onBroken = options.onBroken
  }

  get commits(): number {
    return this.#seq
  }

  /** What the next commit will hold. */
  get batch(): Batch {
    return this.#batch
  }

  add(batch: Batch): void {
    append(this.#batch, batch)
  }

  /** Makes everything added so far durable. */
  flush(): Promise<void> {
    if (this.#over) return Promise.reject(new RouseError("FENCED", "the wake is over"))
    if (this.#broken) return Promise.reject(this.#broken.error)
    if (this.#draining) return this.#draining
    if (!this.#hasWork()) return Promise.resolve()
    this.#draining = this.#drain()
    return this.#draining
  }

  /** Makes a delivery durable. Rejects when it is refused; the wake goes on. */
  deliver(delivery: Delivery): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#deliveries.push({ delivery, resolve, reject })
      this.flush().catch(reject)
    })
  }

  /** Resolves when no commit is under way, however the last one went. */
  async idle(): Promise<void> {
    await this.#draining?.catch(() => undefined)
  }

  /** The last commit of the wake. */
  async finish(outcome: WakeOutcome): Promise<void> {
    if (this.#draining) await this.#draining
    if (this.#broken) throw this.#broken.error
    try {
      await this.#write(this.#cut(), outcome)
    } finally {
      this.#over = true
    }
  }

  /** Refuses every later commit. */
  close(error: unknown): void {
    this.#broken ??= { error }
    for (const pending of this.#deliveries.splice(0)) pending.reject(this.#broken.error)
  }

  /** Clears `#draining` in the same tick as it sees that there is no more work, so that no flush joins a drain that is over. */
  async #drain(): Promise<void> {
    try {
      while (this.#hasWork()) await this.#write(this.#cut(), undefined)
    } catch (error) {
      this.close(error)
      this.#onBroken(error)
      throw error
    } finally {
      this.#draining = undefined
    }
  }

  #hasWork(): boolean {
    return !this.#broken && (!isEmpty(this.#batch) || this.#deliveries.length > 0)
  }

  #cut(): Batch {
    const batch = this.#batch
    this.#batch = emptyBatch()
    return batch
  }

  async #write(batch: Batch, finish: WakeOutcome | undefined): Promise<void> {
    const pending = finish === undefined ? this.#deliveries.shift() : undefined
    const rest = { ...toCommit(batch), ...this.#complete(batch, finish), ...(finish ? { finish } : {}) }
    if (pending === undefined) return await this.#send(rest)
    try {
      await this.#send(withDelivery(rest, pending.delivery))
      pending.resolve()
    } catch (error) {
      pending.reject(error)
      if (!RouseError.is(error, ...REFUSALS) && !isRowConflict(error)) throw error
      if (rest.events.length > 0 || !isEmpty(batch)) await this.#send(rest)
    }
  }

  /** A commit that was not acknowledged is sent again with the same `seq`: the server applies it once. */
  async #send(raw: Omit<HandlerCommit, "seq">): Promise<void> {
    const commit = this.#clean(raw)
    for (let attempt = 1; ; attempt += 1) {
      const { signal } = this.#backend
      if (signal.aborted && !isInterrupted(signal)) throw reasonOf(signal)
      try {
        const reply = await this.#backend.commit({ ...commit, seq: this.#seq + 1 })
        this.#seq += 1
        return this.#onReply(reply)
      } catch (error) {
        if (attempt >= COMMIT_TRIES_MAX || !RouseError.is(error, ...PASSING) || isRowConflict(error)) throw error
        await this.#sleep(COMMIT_DELAY_MS * 2 ** (attempt - 1))
      }
    }
  }
}

function withDelivery(
  commit: Omit<HandlerCommit, "seq">,
  { result, send, spawn, observe, shared }: Delivery,
): Omit<HandlerCommit, "seq"> {
  return {
    ...commit,
    events: [...commit.events, result],
    ...(send ? { sends: [...(commit.sends ?? []), send] } : {}),
    ...(spawn ? { spawns: [...(commit.spawns ?? []), spawn] } : {}),
    ...(observe ? { observes: [...(commit.observes ?? []), observe] } : {}),
    ...(shared ? { shared: [shared] } : {}),
  }
}
