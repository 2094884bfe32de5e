import { RouseError, START } from "@rouse/protocol"
import type {
  AttachmentBackend,
  CommitReply,
  HandlerCommit,
  RenewReply,
  SharedAnswers,
  SharedRequest,
  WakeBackend,
  WakeDelivery,
} from "@rouse/protocol"
import { sleep } from "../abort.ts"
import { RemoteAttachments } from "./remote-attachments.ts"
import { isPassing } from "./server-calls.ts"
import type { ServerCalls } from "./server-calls.ts"

/** Short wakes are over before anybody asks for them. */
const WATCH_AFTER_MS = 1_000
/** How long a commit is tried while the server is away: it may restart meanwhile, and the lease with it. */
const COMMIT_MS_MAX = 120_000
const PAUSE_MS_FIRST = 100
const PAUSE_MS_MAX = 5_000

/**
 * What a handler outside of the server writes through.
 *
 * ```
 * commit ──without finish──▶ POST /v1/commits, at once: somebody waits for it to go on
 *        ──with finish─────▶ kept for the answer, where there is one to come; else posted
 * ```
 *
 * Invariants:
 * 1. A commit that is not the last has been acknowledged by the server when its promise resolves (P2): what follows may have effects.
 * 2. The last commit is followed by nothing, so it may go with the answer: one round trip for a wake that needs no other.
 * 3. A commit that was not acknowledged is sent again with the same `seq`: the server applies it once.
 */
export class RemoteBackend implements WakeBackend {
  readonly #delivery: WakeDelivery
  readonly #calls: ServerCalls
  readonly #clock: () => number
  readonly #abort = new AbortController()
  #isOver = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopWatching: AbortController | undefined
  #answers: boolean
  #last: HandlerCommit | undefined
  #progressAtMs: number
  #heardAtMs: number
  #watching: Promise<void> | undefined

  /** @param answers Whether the last commit can go with an answer. */
  constructor(delivery: WakeDelivery, calls: ServerCalls, clock: () => number, answers: boolean) {
    this.#delivery = delivery
    this.#calls = calls
    this.#clock = clock
    this.#answers = answers
    this.#progressAtMs = clock()
    this.#heardAtMs = this.#progressAtMs
    if (delivery.interrupting !== undefined) this.abort(new RouseError("INTERRUPTED", delivery.interrupting))
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** The commit that is to go with the answer. */
  get last(): HandlerCommit | undefined {
    return this.#last
  }

  abort(reason: Error): void {
    if (!this.#abort.signal.aborted) this.#abort.abort(reason)
  }

  /** Nobody waits for an answer any more: from now on everything is posted, and the lease is kept from here. */
  post(): void {
    this.#answers = false
  }

  /**
   * Watches for interrupts, keeps the lease, and aborts with `TIMED_OUT` when nothing was committed for `limitMs`, until `end`. A short wake
   * arms one timer and nothing else.
   */
  watch(limitMs: number): void {
    const first = this.#answers ? WATCH_AFTER_MS : Math.min(WATCH_AFTER_MS, this.#delivery.leaseMs / 3)
    const begin = (): void => {
      this.keep()
      this.#lookAtProgress(limitMs)
    }
    this.#timer = setTimeout(begin, Math.min(first, limitMs))
  }

  /** Keeps the lease from now on. */
  keep(): void {
    if (this.#isOver || this.#watching) return
    this.#stopWatching = new AbortController()
    this.#watching = this.#watch(this.#stopWatching.signal)
    this.#watching.catch(() => undefined)
  }

  /** No more calls. */
  end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#stopWatching?.abort(new RouseError("FENCED", "the wake is over"))
  }

  #lookAtProgress(limitMs: number): void {
    const leftMs = this.#progressAtMs + limitMs - this.#clock()
    if (leftMs <= 0) this.abort(new RouseError("TIMED_OUT", `the handler committed nothing for ${limitMs} ms`))
    else this.#timer = setTimeout(() => this.#lookAtProgress(limitMs), leftMs)
  }

  async commit(commit: HandlerCommit): Promise<CommitReply> {
    this.#progressAtMs = this.#clock()
    if (commit.finish && this.#answers) {
      this.#last = commit
      return { offset: START, inbox: [] }
    }
    const untilMs = this.#clock() + COMMIT_MS_MAX
    for (let pauseMs = PAUSE_MS_FIRST; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
      try {
        return this.#heard(await this.#post<CommitReply & RenewReply>("/v1/commits", commit))
      } catch (error) {
        if (RouseError.is(error, "FENCED", "UNAUTHENTICATED")) this.abort(lost(error))
        if (!isPassing(error) || this.#clock() >= untilMs) throw error
        await sleep(pauseMs)
        if (this.#isGivenUp()) throw error
      }
    }
  }

  get attachments(): AttachmentBackend {
    return new RemoteAttachments(this.#calls, this.#delivery.claim)
  }

  /** A claim is known by its id, so one that was not answered is asked for again by the next attempt. */
  shared<R extends SharedRequest>(request: R): Promise<SharedAnswers[R["kind"]]> {
    return this.#post("/v1/claims/shared", request)
  }

  async #watch(over: AbortSignal): Promise<void> {
    const waitMs = Math.floor(this.#delivery.leaseMs / 3)
    while (!over.aborted) {
      try {
        this.#heard(await this.#post<RenewReply>("/v1/claims/renew", { waitMs }, over))
        // An interrupt is said at once, each time: once it is known there is only the lease to keep.
        if (this.signal.aborted) await sleep(waitMs, over)
      } catch (error) {
        if (over.aborted) return
        if (!isPassing(error)) return this.abort(lost(error))
        if (!this.#answers && this.#heardAtMs + COMMIT_MS_MAX < this.#clock()) return this.abort(lost(error))
        await sleep(PAUSE_MS_MAX / 5, over)
      }
    }
  }

  /** An interrupted run is still brought to its end. */
  #isGivenUp(): boolean {
    return this.signal.aborted && !RouseError.is(this.signal.reason, "INTERRUPTED")
  }

  #heard<T extends { readonly interrupting?: string }>(reply: T): T {
    this.#heardAtMs = this.#clock()
    if (reply.interrupting !== undefined) this.abort(new RouseError("INTERRUPTED", reply.interrupting))
    return reply
  }

  #post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return this.#calls.post<T>(path, this.#delivery.claim, body, signal)
  }
}

function lost(cause: unknown): RouseError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new RouseError("FENCED", `the lease is lost: ${why}`, { cause })
}
