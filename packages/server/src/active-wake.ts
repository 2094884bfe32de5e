import { type EntityDefinition, runWake } from "@rouse/agents/runtime"
import {
  type CommitReply,
  type EntityInfo,
  type HandlerCommit,
  RouseError,
  type WakeBackend,
  type WakeInfo,
  type WakeRequest,
} from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import { readAttachment } from "./attachments.ts"
import { type Control, isoTime } from "./core/control.ts"
import { applyHandlerCommit, type HeldLease } from "./handler-commit.ts"
import type { Plane } from "./plane.ts"
import { endWake, type WakeFailure } from "./wake-end.ts"

/** What handlers are given beside their wake. */
export type HandlerHost = Parameters<typeof runWake>[3]

/**
 * One wake under way in this process: the handler's backend, its clock and its end.
 *
 * Invariants:
 * 1. It ends once: by the handler's finish, by `endWake`, or fenced by whoever ended it.
 * 2. After its end no commit of the handler is passed on.
 * 3. A handler without progress is aborted, and left behind if it does not return.
 */
export class ActiveWake implements WakeBackend {
  readonly ended: Promise<void>
  readonly #plane: Plane
  readonly #host: HandlerHost
  readonly #definition: EntityDefinition
  readonly #lease: HeldLease
  readonly #entity: EntityInfo
  readonly #abort = new AbortController()
  #resolve: () => void = () => undefined
  #watchdog: () => void = () => undefined
  #heartbeat: () => void = () => undefined
  #progressAtMs: number
  #over = false

  constructor(
    plane: Plane,
    host: HandlerHost,
    definition: EntityDefinition,
    wake: WakeInfo,
    record: Omit<EntityRecord, "version">,
  ) {
    this.#plane = plane
    this.#host = host
    this.#definition = definition
    this.#progressAtMs = plane.clock()
    this.#lease = { url: record.url, type: record.type, wake, atMs: this.#progressAtMs }
    const { url, type, id, args, tags, parent, createdAtMs } = record
    this.#entity = { url, type, id, args, tags, parent, createdAt: isoTime(createdAtMs) }
    const { interrupting } = record.control as unknown as Control
    if (interrupting) this.#abort.abort(new RouseError("INTERRUPTED", interrupting.reason))
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  run(): void {
    this.#watch()
    this.#renewLater()
    this.#handle().then(
      () => this.#settle(undefined),
      (error: unknown) => this.#settle(error ?? new Error("the handler threw nothing")),
    )
  }

  abort(reason: Error, graceMs: number = this.#plane.limits.graceMs): void {
    if (this.#abort.signal.aborted) return
    this.#abort.abort(reason)
    this.#watchdog()
    this.#watchdog = this.#plane.defer(graceMs, () => this.#settle(reason))
  }

  async commit(commit: HandlerCommit): Promise<CommitReply> {
    if (this.#over) throw new RouseError("FENCED", "the wake is over")
    try {
      const reply = await applyHandlerCommit(this.#plane, this.#lease, commit)
      this.#progressAtMs = this.#plane.clock()
      if (commit.finish) this.#over = true
      return reply
    } catch (error) {
      if (RouseError.is(error, "FENCED")) this.abort(error)
      throw error
    }
  }

  attachment(id: string): Promise<string | undefined> {
    return readAttachment(this.#plane, this.#lease.url, id)
  }

  async #handle(): Promise<void> {
    const rows = await this.#plane.transactor.rows(this.#lease.url)
    const { policy } = this.#plane
    const rules = policy.length > 0 ? { policy } : {}
    const request: WakeRequest = { wake: this.#lease.wake, entity: this.#entity, rows, ...rules }
    await runWake(this.#definition, request, this, this.#host)
    if (!this.#over) throw new RouseError("HANDLER_FAILED", "the handler returned without finishing its wake")
  }

  /** Ends the wake once, whichever comes first: the handler's return, its throw, or the end of its time. */
  #settle(error: unknown): void {
    this.#watchdog()
    this.#heartbeat()
    const finished = this.#over
    this.#over = true
    if (finished || error === undefined) return this.#resolve()
    this.#end(error).then(this.#resolve, (failure: unknown) => {
      this.#plane.log.error("a wake could not be ended; its lease will expire", {
        url: this.#lease.url,
        error: String(failure),
      })
      this.#resolve()
    })
  }

  async #end(error: unknown): Promise<void> {
    if (RouseError.is(error, "FENCED", "STOPPED")) return
    const failure = failureOf(error, this.#definition.attempts ?? this.#plane.limits.attemptsMax)
    if (failure.kind === "failed") {
      this.#plane.log.warn("a wake failed", {
        url: this.#lease.url,
        attempt: this.#lease.wake.attempt,
        reason: failure.message,
      })
    }
    try {
      await endWake(this.#plane, this.#lease, failure)
    } catch (cause) {
      if (!RouseError.is(cause, "FENCED")) throw cause
    }
  }

  /** Takes the wake away from a handler that makes no progress. */
  #watch(): void {
    const limit = this.#definition.timeout ?? this.#plane.limits.handlerMs
    const leftMs = this.#progressAtMs + limit - this.#plane.clock()
    if (leftMs <= 0) this.abort(new RouseError("TIMED_OUT", `the handler committed nothing for ${limit} ms`))
    else this.#watchdog = this.#plane.defer(leftMs, () => this.#watch())
  }

  #renewLater(): void {
    this.#heartbeat = this.#plane.defer(this.#plane.limits.leaseMs / 3, () => {
      if (this.#over) return
      void this.#renew().then(() => this.#over || this.#renewLater())
    })
  }

  async #renew(): Promise<void> {
    const { url, wake } = this.#lease
    try {
      await this.#plane.transactor.transact([url], (planning) => {
        const expiresAtMs = planning.draft.nowMs + this.#plane.limits.leaseMs
        planning.entity(url)?.wake({ kind: "renew", epoch: wake.epoch, expiresAtMs, progress: false })
      })
    } catch (error) {
      if (RouseError.is(error, "FENCED")) this.abort(error)
      else this.#plane.log.warn("a lease could not be renewed", { url, error: String(error) })
    }
  }
}

function failureOf(error: unknown, attemptsMax: number): WakeFailure {
  // Its next attempt ends the run before the handler is called.
  if (RouseError.is(error, "SHUTTING_DOWN", "INTERRUPTED")) return { kind: "released" }
  const known = error instanceof Error ? error : new Error(String(error))
  const code = RouseError.is(error) ? { code: error.code } : {}
  const stack = known.stack === undefined ? {} : { stack: known.stack }
  return { kind: "failed", message: known.message || known.name, ...stack, ...code, attemptsMax }
}
