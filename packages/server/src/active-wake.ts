import {
  type AttachmentBackend,
  type CommitReply,
  type EntityInfo,
  type HandlerCommit,
  RouseError,
  type Row,
  type SharedAnswers,
  type SharedRequest,
  type WakeInfo,
  type WakeRequest,
} from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import { wakeAttachments } from "./attachments/wake-attachments.ts"
import { type Control, controlOf } from "./core/control.ts"
import { detachedEnd } from "./dispatch/detached.ts"
import { entityInfo } from "./dispatch/entity-info.ts"
import type { RunningWake, WakeRunner } from "./dispatch/runner.ts"
import type { ServedType } from "./dispatch/served-type.ts"
import { applyHandlerCommit, type HeldLease } from "./handler-commit.ts"
import { leaseMsOf } from "./limits.ts"
import { patiently } from "./patience.ts"
import type { Plane } from "./plane.ts"
import { askShared } from "./shared/agent.ts"
import { failureOf } from "./wake-failure.ts"
import { endWake } from "./wake-end.ts"

/** After a commit that took so long another replica may have the wake already, milliseconds: it is looked, before anything rests on it. */
const DOUBT_MS = 300

/**
 * One wake that this process looks after: the handler's backend, its clock and its end. Where the handler runs is the runner's to know.
 *
 * Invariants:
 * 1. It ends once: by the handler's finish, by `endWake`, or fenced by whoever ended it.
 * 2. After its end no commit of the handler is passed on.
 * 3. A handler without progress is aborted, and left behind if it does not return.
 * 4. The lease of a handler elsewhere outlives this process: it is not given back at a shutdown.
 * 5. A commit is passed on as done to the handler only when the lease was held `DOUBT_MS` before, or later: what it allows, such as a tool's call, does not begin here
 *    after it began elsewhere.
 * 6. A store that cannot be used costs the wake time, for as long as its lease lasts, and no attempt.
 */
export class ActiveWake implements RunningWake {
  readonly ended: Promise<void>
  readonly lease: HeldLease
  readonly interrupting: string | undefined
  readonly #plane: Plane
  readonly #runner: WakeRunner
  readonly #type: ServedType
  readonly #entity: EntityInfo
  readonly #abort = new AbortController()
  /** Made when it is asked for: only handlers elsewhere need it. */
  #end: AbortController | undefined
  #resolve: () => void = () => undefined
  #watchdog: () => void = () => undefined
  #heartbeat: () => void = () => undefined
  #progressAtMs: number
  #over = false
  #detached = false

  constructor(
    plane: Plane,
    runner: WakeRunner,
    type: ServedType,
    wake: WakeInfo,
    record: Omit<EntityRecord, "version">,
  ) {
    this.#plane = plane
    this.#runner = runner
    this.#type = type
    this.#progressAtMs = plane.clock()
    this.lease = { url: record.url, type: record.type, wake, atMs: this.#progressAtMs }
    this.#entity = entityInfo(record)
    const { interrupting } = record.control as unknown as Control
    this.interrupting = interrupting?.reason
    if (interrupting) this.#abort.abort(new RouseError("INTERRUPTED", interrupting.reason))
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get over(): AbortSignal {
    this.#end ??= new AbortController()
    if (this.#over) this.#tellOver()
    return this.#end.signal
  }

  get finished(): boolean {
    return this.#over
  }

  get #isRemote(): boolean {
    return this.#type.dispatch.kind !== "local"
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
    if (this.#over) throw wakeOver()
    const beganAtMs = this.#plane.clock()
    try {
      const apply = (): Promise<CommitReply> => applyHandlerCommit(this.#plane, this.lease, commit)
      const reply = await patiently(this.#plane.defer, () => this.#mayWait, apply)
      if (!commit.finish && this.#isDoubtful(beganAtMs)) await this.#confirm()
      this.#progressAtMs = this.#plane.clock()
      if (commit.finish) {
        this.#over = true
        // A handler elsewhere may have said so by itself: whoever waits for its answer need not.
        this.#tellOver()
      }
      return reply
    } catch (error) {
      if (RouseError.is(error, "FENCED")) this.abort(error)
      throw error
    }
  }

  /** While its lease lasts, nobody else has the wake unless this process is taken for dead: then its next commit is refused. */
  get #mayWait(): boolean {
    const { clock, limits } = this.#plane
    return !this.#over && !this.signal.aborted && clock() - this.#progressAtMs < leaseMsOf(limits, this.#isRemote)
  }

  /** Where there are no replicas nobody takes a wake before its lease ends. */
  #isDoubtful(beganAtMs: number): boolean {
    return this.#plane.peers.own !== undefined && this.#plane.clock() - beganAtMs > DOUBT_MS
  }

  /** @throws {RouseError} `FENCED` when the lease is another's. */
  async #confirm(): Promise<void> {
    const record = await this.#plane.store.entity(this.lease.url)
    const wake = record && controlOf(record).wake
    if (wake?.phase.kind === "running" && wake.epoch === this.lease.wake.epoch) return
    throw new RouseError("FENCED", "the wake was taken over while a commit of it was under way")
  }

  get attachments(): AttachmentBackend {
    return wakeAttachments(this.#plane, this.lease.url, this.lease.wake.epoch)
  }

  async detach(): Promise<void> {
    this.#detached = true
    this.#watchdog()
    this.#heartbeat()
    await detachedEnd(this.#plane, this)
    if (!this.#over) throw new RouseError("FENCED", "the handler elsewhere lost its lease")
  }

  shared<R extends SharedRequest>(request: R): Promise<SharedAnswers[R["kind"]]> {
    return askShared(this.#plane, this.lease, request)
  }

  async #handle(): Promise<void> {
    const read = (): Promise<readonly Row[]> => this.#plane.transactor.rows(this.lease.url)
    const rows = await patiently(this.#plane.defer, () => this.#mayWait, read)
    const { policy } = this.#plane
    const rules = policy.length > 0 ? { policy } : {}
    const request: WakeRequest = { wake: this.lease.wake, entity: this.#entity, rows, ...rules }
    await this.#runner.run(request, this)
    if (!this.#over) throw new RouseError("HANDLER_FAILED", "the handler returned without finishing its wake")
  }

  /** Ends the wake once, whichever comes first: the handler's return, its throw, or the end of its time. */
  #settle(error: unknown): void {
    this.#watchdog()
    this.#heartbeat()
    const finished = this.#over
    this.#over = true
    this.#tellOver()
    if (finished || error === undefined) return this.#resolve()
    this.#giveUp(error).then(this.#resolve, (failure: unknown) => {
      this.#plane.log.error("a wake could not be ended; its lease will expire", {
        url: this.lease.url,
        error: String(failure),
      })
      this.#resolve()
    })
  }

  /** Once: an error and its stack take longer to make than all else here. */
  #tellOver(): void {
    if (this.#end && !this.#end.signal.aborted) this.#end.abort(wakeOver())
  }

  async #giveUp(error: unknown): Promise<void> {
    if (RouseError.is(error, "FENCED", "STOPPED")) return
    if (this.#isRemote && RouseError.is(this.signal.reason, "SHUTTING_DOWN")) return
    const failure = failureOf(this.#plane, error, this.#type.attempts ?? this.#plane.limits.attemptsMax)
    if (failure.kind === "failed") {
      this.#plane.log.warn("a wake failed", {
        url: this.lease.url,
        attempt: this.lease.wake.attempt,
        reason: failure.message,
      })
    }
    const untilMs = this.#plane.clock() + leaseMsOf(this.#plane.limits, this.#isRemote)
    const mayWait = (): boolean => this.#plane.clock() < untilMs && !RouseError.is(error, "SHUTTING_DOWN")
    try {
      await patiently(this.#plane.defer, mayWait, () => endWake(this.#plane, this.lease, failure))
    } catch (cause) {
      if (!RouseError.is(cause, "FENCED")) throw cause
    }
  }

  /** Takes the wake away from a handler that makes no progress. */
  #watch(): void {
    const limit = this.#type.timeout ?? this.#plane.limits.handlerMs
    const leftMs = this.#progressAtMs + limit - this.#plane.clock()
    if (leftMs > 0) this.#watchdog = this.#plane.defer(leftMs, () => this.#watch())
    else if (this.#isRemote) void this.#lookForProgress(limit)
    else this.abort(timedOut(limit))
  }

  /** A handler elsewhere may commit through another process. */
  async #lookForProgress(limit: number): Promise<void> {
    const record = await this.#plane.store.entity(this.lease.url).catch(() => undefined)
    const progressAtMs = record && controlOf(record).remote?.progressAtMs
    if (this.#over || this.#detached) return
    if (progressAtMs === undefined || progressAtMs <= this.#progressAtMs) return this.abort(timedOut(limit), 0)
    this.#progressAtMs = progressAtMs
    this.#watch()
  }

  #renewLater(): void {
    this.#heartbeat = this.#plane.defer(leaseMsOf(this.#plane.limits, this.#isRemote) / 3, () => {
      if (this.#over || this.#detached) return
      void this.#renew().then(() => this.#over || this.#detached || this.#renewLater())
    })
  }

  async #renew(): Promise<void> {
    const { url, wake } = this.lease
    try {
      await this.#plane.transactor.transact([url], (planning) => {
        const expiresAtMs = planning.draft.nowMs + leaseMsOf(this.#plane.limits, this.#isRemote)
        planning.entity(url)?.wake({ kind: "renew", epoch: wake.epoch, expiresAtMs, progress: false })
      })
    } catch (error) {
      if (RouseError.is(error, "FENCED")) this.abort(error)
      else this.#plane.log.warn("a lease could not be renewed", { url, error: String(error) })
    }
  }
}

function wakeOver(): RouseError {
  return new RouseError("FENCED", "the wake is over")
}

function timedOut(limit: number): RouseError {
  return new RouseError("TIMED_OUT", `the handler committed nothing for ${limit} ms`)
}
