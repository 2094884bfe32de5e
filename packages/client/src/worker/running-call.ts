import { RouseError } from "@rouse/protocol"
import type { Json, ToolClaim, ToolHeartbeat, ToolSettled } from "@rouse/protocol"
import { entityPath } from "../core/address.ts"
import { retryDelayMs } from "../core/backoff.ts"
import { isPassing } from "../core/problem.ts"
import type { Transport } from "../transport.ts"
import type { WorkerCall, WorkerLog, WorkerTool } from "./tool.ts"

/** Of a lease: when the worker says that it lives. Twice more may be lost before the lease is. */
const HEARTBEAT_SHARE = 1 / 3
const HEARTBEAT_MS_MIN = 50
/** One progress in so long is sent at most. */
const PROGRESS_MS = 1_000
/** How long a result is offered when the server cannot be reached: ten minutes and more. */
const REPORTS_MAX = 64
const ERROR_CHARS_MAX = 8_000

/** Why a call is not this worker's any more. */
const LOST = [
  "FENCED",
  "INTERRUPTED",
  "NOT_FOUND",
  "UNKNOWN_ENTITY",
  "STOPPED",
  "UNAUTHENTICATED",
  "FORBIDDEN",
] as const

type Said = Parameters<WorkerCall["progress"]>[0]

/** What came of running a tool. */
type Ended =
  | { readonly kind: "done"; readonly output: Json; readonly reconciled: boolean }
  | { readonly kind: "failed"; readonly error: unknown }

/**
 * One call that this worker has: its function, its heartbeats, and its last word to the server.
 *
 * 1. The claim goes with every word. When the server says that it no longer holds, the function is aborted and nothing more is said.
 * 2. It begins only while the claim is known to hold: an answer that came later than its lease lasts is asked about first.
 * 3. The last word is repeated until the server has answered it: it is applied once.
 */
export class RunningCall {
  readonly tool: string
  /** Resolves when nothing more is to be done. Never rejects. */
  readonly ended: Promise<void>
  readonly #claim: ToolClaim
  readonly #work: WorkerTool
  readonly #transport: Transport
  readonly #log: WorkerLog
  readonly #askedAtMs: number
  readonly #abort = new AbortController()
  readonly #over = new AbortController()
  #said: Said | undefined
  #saidAtMs = 0
  #lost = false
  #givenUp: () => void = () => undefined

  constructor(options: {
    readonly claim: ToolClaim
    readonly tool: WorkerTool
    readonly transport: Transport
    readonly log: WorkerLog
    /** When the claim was asked for: it is younger. */
    readonly askedAtMs: number
  }) {
    this.#claim = options.claim
    this.#work = options.tool
    this.#transport = options.transport
    this.#log = options.log
    this.#askedAtMs = options.askedAtMs
    this.tool = options.claim.tool
    this.ended = this.#run()
  }

  /** Aborts the function, and gives the call back without waiting for it. */
  giveUp(): void {
    const reason = new RouseError("SHUTTING_DOWN", "the worker shuts down")
    this.#abort.abort(reason)
    this.#givenUp()
  }

  async #run(): Promise<void> {
    const beats = this.#beat()
    const givenUp = new Promise<"given up">((resolve) => {
      this.#givenUp = () => resolve("given up")
    })
    try {
      const ended = await Promise.race([this.#execute(), givenUp])
      if (this.#lost) return
      if (ended === "given up") await this.#report("release", { begun: true })
      else await this.#tell(ended)
    } catch (error) {
      this.#log.warn("a call could not be ended; its lease will", { call: this.#claim.call, error: String(error) })
    } finally {
      this.#over.abort()
      await beats
    }
  }

  async #execute(): Promise<Ended> {
    const work = typeof this.#work === "function" ? { execute: this.#work } : this.#work
    const call = this.#call()
    const { input, reconcile } = this.#claim
    try {
      await this.#holding()
      if (reconcile) {
        if (work.reconcile === undefined)
          throw new UnknownOutcome("this worker cannot find out what an earlier try did")
        const found: unknown = await this.#reconciled(work.reconcile, call)
        if (found !== undefined) return { kind: "done", output: jsonOf(found), reconciled: true }
      }
      return { kind: "done", output: jsonOf(await work.execute(input as never, call)), reconciled: false }
    } catch (error) {
      return { kind: "failed", error }
    }
  }

  /** Returns when the claim holds: this process, or its machine, may have slept for longer than the lease lasts. */
  async #holding(): Promise<void> {
    const { clock } = this.#transport
    let { leaseMs } = this.#claim
    let sinceMs = this.#askedAtMs
    for (let failures = 0; clock.nowMs() - sinceMs >= leaseMs;) {
      const askedAtMs = clock.nowMs()
      const held = await this.#say()
      this.#abort.signal.throwIfAborted()
      if (held === undefined) await clock.sleep(retryDelayMs((failures += 1), 0.5), this.#abort.signal)
      else [sinceMs, leaseMs] = [askedAtMs, held]
    }
  }

  async #reconciled(reconcile: (input: never, call: WorkerCall) => unknown, call: WorkerCall): Promise<unknown> {
    try {
      return await reconcile(this.#claim.input as never, call)
    } catch (error) {
      throw new UnknownOutcome(messageOf(error), { cause: error })
    }
  }

  #call(): WorkerCall {
    const { idempotencyKey, attempt, entity, call } = this.#claim
    return {
      idempotencyKey,
      attempt,
      entity,
      call,
      signal: this.#abort.signal,
      progress: (said) => {
        this.#said = said
        if (this.#transport.clock.nowMs() >= this.#saidAtMs + PROGRESS_MS) void this.#say()
      },
      heartbeat: async () => {
        await this.#say()
        this.#abort.signal.throwIfAborted()
      },
      log: this.#log,
    }
  }

  /** Says in time that the call lives, until it is over. */
  async #beat(): Promise<void> {
    const { clock } = this.#transport
    let waitMs = this.#claim.leaseMs * HEARTBEAT_SHARE
    while (!this.#over.signal.aborted) {
      const ms = this.#said ? Math.min(waitMs, PROGRESS_MS) : waitMs
      await clock.sleep(Math.max(HEARTBEAT_MS_MIN, ms), this.#over.signal).catch(() => undefined)
      if (this.#over.signal.aborted || this.#lost) return
      const leaseMs = await this.#say()
      if (leaseMs !== undefined) waitMs = leaseMs * HEARTBEAT_SHARE
    }
  }

  /** One heartbeat, with the newest progress. Returns how long the lease is now. What fails for a passing reason is said again in time. */
  async #say(): Promise<number | undefined> {
    const said = this.#said
    this.#said = undefined
    if (said) this.#saidAtMs = this.#transport.clock.nowMs()
    try {
      const { leaseMs } = await this.#post<ToolHeartbeat>(
        said ? "progress" : "heartbeat",
        { ...said },
        this.#over.signal,
      )
      return leaseMs
    } catch (error) {
      if (this.#over.signal.aborted) return undefined
      if (RouseError.is(error, ...LOST)) this.#lose(error)
      else this.#log.warn("a heartbeat failed", { call: this.#claim.call, error: String(error) })
      return undefined
    }
  }

  #lose(error: Error): void {
    this.#lost = true
    this.#log.warn("a call is not this worker's any more", { call: this.#claim.call, reason: error.message })
    this.#abort.abort(error)
    this.#givenUp()
  }

  async #tell(ended: Ended): Promise<void> {
    if (ended.kind === "failed") return await this.#tellFailure(ended.error)
    const { output, reconciled } = ended
    try {
      await this.#report("result", { output, ...(reconciled ? { reconciled } : {}) })
    } catch (error) {
      // What the server will not take of a call that has run is its end all the same.
      if (!RouseError.is(error, "INVALID_ARGS", "TOO_LARGE", "BAD_JSON", "BAD_REQUEST")) throw error
      await this.#report("fail", { error: `The result was refused. ${error.message}`, retryable: false })
    }
  }

  async #tellFailure(error: unknown): Promise<void> {
    const retryable = !(RouseError.is(error) && !error.retryable)
    const message = messageOf(error).slice(0, ERROR_CHARS_MAX)
    await this.#report("fail", {
      error: message,
      ...(retryable ? {} : { retryable }),
      ...(error instanceof UnknownOutcome ? { unknown: true } : {}),
    })
  }

  /** The last word. It is said until the server has answered, through its restarts, as long as the claim holds. */
  async #report(verb: "result" | "fail" | "release", body: object): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#post<ToolSettled>(verb, body, undefined)
        return
      } catch (error) {
        if (RouseError.is(error, ...LOST)) return this.#lose(error)
        if (attempt >= REPORTS_MAX || !(isPassing(error) || RouseError.is(error, "CONFLICT"))) throw error
        await this.#transport.clock.sleep(retryDelayMs(attempt, 0.5), undefined)
      }
    }
  }

  #post<T>(verb: string, body: object, signal: AbortSignal | undefined): Promise<T> {
    const { entity, call, claim } = this.#claim
    const path = entityPath(entity, call, verb).replace("/v1/entities/", "/v1/tool-calls/")
    return this.#transport.json<T>({ method: "POST", path, body: { claim, ...body }, signal })
  }
}

/** An earlier try may have had its effect, and nobody can say. */
class UnknownOutcome extends Error {}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}

function jsonOf(value: unknown): Json {
  const text = value === undefined ? "null" : JSON.stringify(value)
  if (text === undefined)
    throw new RouseError("INVALID_ARGS", `the output cannot be written as JSON: it is a ${typeof value}`)
  return JSON.parse(text) as Json
}
