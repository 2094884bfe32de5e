import { backoffMs, RouseError } from "@rouse/protocol"
import type { Json, ToolCallRow } from "@rouse/protocol"
import { orAborted, sleep } from "./abort.ts"
import { change } from "./batch.ts"
import { attached } from "./large-results.ts"
import { begun, contextOf } from "./calls.ts"
import { resolveCall } from "./core/ledger.ts"
import { callsOf, isSettled } from "./core/run-state.ts"
import { toJson, validate } from "./core/validate.ts"
import { enqueue, handOver, isWithWorkers } from "./hand-over.ts"
import { answered, UNANSWERED } from "./answer.ts"
import { redactedMessage } from "./failure.ts"
import type { Outbox } from "./outbox.ts"
import { isPlatformTool } from "./platform-tools.ts"
import type { PlatformTool } from "./platform-tools.ts"
import { rollBack, Scope } from "./scope.ts"
import type { Scopes } from "./scope.ts"
import type { Session } from "./session.ts"
import type { Tool } from "./tool.ts"
import { askOf, isAskTool } from "./ask-tool.ts"
import type { AskTool } from "./ask-tool.ts"
import { isWorkerTool } from "./worker-tool.ts"

/** Calls of one step that run at the same time. */
const CALLS_PARALLEL_MAX = 16
/** How long the result of a call may wait for those of its siblings, so that they share a commit. */
const RESULT_WAIT_MS = 5
const RETRY_DELAY_MS = 200
/** What a backend answered once and for all, after its own tries. */
const SETTLED = ["BACKEND_FAILED", "BACKEND_REFUSED", "ADDRESS_REFUSED", "SECRET_MISSING"] as const
const RETRY_DELAY_MS_MAX = 10_000

/** `final`: another try would end the same. */
type Outcome = Partial<ToolCallRow> & Pick<ToolCallRow, "status"> & { readonly final?: boolean }

/**
 * Runs the tool calls of a step and settles each exactly once (P2).
 *
 * Invariants:
 * 1. A call runs only after its intent is durable; a `once` call only after `running` is, in this session.
 * 2. A call that another session began is resolved by its effect class, never just run.
 * 3. A result is durable before the model sees it.
 */
export class Ledger {
  readonly #session: Session
  readonly #scopes: Scopes
  readonly #outbox: Outbox
  readonly #tools: ReadonlyMap<string, Tool>

  constructor(session: Session, scopes: Scopes, outbox: Outbox, tools: ReadonlyMap<string, Tool>) {
    this.#session = session
    this.#scopes = scopes
    this.#outbox = outbox
    this.#tools = tools
  }

  /** Settles every call of a step that can be settled. Returns whether some still wait for people or workers. */
  async settle(step: string): Promise<boolean> {
    const open = callsOf(this.#session.rows, step).filter((call) => !isSettled(call))
    if (open.length === 0) return false
    for (const group of this.#groups(open)) {
      await this.#flush()
      await Promise.all(group.map((call) => this.#settleOne(call)))
    }
    await this.#session.flush()
    return callsOf(this.#session.rows, step).some((call) => !isSettled(call))
  }

  /** Calls that may run beside each other, in order. */
  #groups(calls: readonly ToolCallRow[]): readonly (readonly ToolCallRow[])[] {
    const groups: ToolCallRow[][] = []
    let open = false
    for (const call of calls) {
      const alone = this.#tools.get(call.name)?.parallel === false
      const group = groups.at(-1)
      if (group && open && !alone && group.length < CALLS_PARALLEL_MAX) group.push(call)
      else groups.push([call])
      open = !alone
    }
    return groups
  }

  async #settleOne(call: ToolCallRow): Promise<void> {
    const leave = await this.#tools.get(call.name)?.gate?.enter(this.#session.signal)
    const outcome = await this.#outcome(call).finally(leave)
    const row = this.#session.rows.get("tool_call", call.id) ?? call
    if (outcome === undefined || isSettled(row)) return
    this.#session.put("tool_call", call.id, { ...row, ...outcome, endedAt: this.#session.now() })
    this.#session.flushSoon(RESULT_WAIT_MS)
  }

  /** What becomes of a call; undefined while it waits for a person or a worker. */
  async #outcome(call: ToolCallRow): Promise<Outcome | undefined> {
    if (this.#session.begun.has(call.id)) return await this.#execute(call)
    if (isWithWorkers(this.#session, call)) return undefined
    const action = resolveCall(call, this.#session.rows.get("approval", call.id))
    switch (action.kind) {
      case "begin":
        return await this.#start(action.edited === undefined ? call : { ...call, edited: action.edited })
      case "answer":
        return await answered(this.#session, this.#tools.get(call.name), call, action.answer)
      case "unanswered":
        return { status: "failed", error: UNANSWERED }
      case "again":
        return await this.#execute(await this.#begin({ ...call, resolved: "again" }))
      case "reconcile":
        return await this.#reconcile(call)
      case "unknown":
        return { status: "unknown", resolved: "unknown" }
      case "deny":
        return { status: "denied", error: action.note }
      case "cancel":
        return { status: "cancelled" }
      case "wait":
        return undefined
    }
  }

  /** Begins a call that was allowed: here, or with the workers. */
  async #start(call: ToolCallRow): Promise<Outcome | undefined> {
    const tool = this.#tools.get(call.name)
    if (tool !== undefined && isAskTool(tool)) return await this.#askEntity(tool, call)
    if (tool === undefined || !isWorkerTool(tool)) return await this.#execute(await this.#begin(call))
    this.#session.put("tool_call", call.id, call)
    enqueue(this.#session, handOver(call, tool))
    await this.#flush()
    return undefined
  }

  /** Asks another entity, once people allowed it. The approval's row is what is waited for no more. */
  async #askEntity(tool: AskTool, call: ToolCallRow): Promise<Outcome | undefined> {
    // An attempt that goes on after the question was asked finds it so: what begins now counts as the one attempt.
    if (call.attempts > 0) return undefined
    const input = await validate(tool.input, call.edited ?? call.input, "input")
    this.#session.put("tool_call", call.id, { ...call, status: "waiting", attempts: 1 })
    this.#session.writer.batch.asks.push(askOf(call, tool, input))
    await this.#flush()
    return undefined
  }

  /** Puts on disk that the call begins now. */
  async #begin(call: ToolCallRow): Promise<ToolCallRow> {
    const row = begun(this.#session, call)
    this.#session.put("tool_call", call.id, row)
    await this.#flush()
    return row
  }

  async #flush(): Promise<void> {
    await orAborted(this.#session.flush(), this.#session.signal)
  }

  async #execute(call: ToolCallRow): Promise<Outcome> {
    const tool = this.#tools.get(call.name)
    if (tool === undefined)
      return { status: "failed", error: `The tool ${JSON.stringify(call.name)} is no longer available.` }
    if (isPlatformTool(tool)) return await this.#deliver(tool, call)
    for (let attempt = 1; ; attempt += 1) {
      const tried = await this.#attempt(tool, call, call.attempts + attempt - 1)
      const attempts = call.attempts + attempt - 1
      const { final = false, ...outcome } = tried
      if (tried.status === "done" || final || attempt >= tool.retry.attempts) return { ...outcome, attempts }
      const found = await this.#found(tool, call)
      if (found) return { ...found, attempts }
      const { delayMs = RETRY_DELAY_MS } = tool.retry
      const wait = this.#session.host.sleep ?? sleep
      await wait(backoffMs(attempt, delayMs, RETRY_DELAY_MS_MAX, this.#session.host.random()), this.#session.signal)
    }
  }

  /** A call of a platform tool: its effect and its result are one commit. */
  async #deliver(tool: PlatformTool, call: ToolCallRow): Promise<Outcome> {
    const { signal, writer, rows } = this.#session
    try {
      const input = await validate(tool.input, call.edited ?? call.input, "input")
      const ctx = contextOf(this.#session, call, signal, call.attempts)
      const { delivery, output } = await tool.prepare(input, ctx, this.#session.entity.url)
      const row: ToolCallRow = { ...call, status: "done", output, endedAt: this.#session.now() }
      const result = change("tool_call", call.id, "update", row)
      // Known as soon as it is durable, also when an interrupt stopped waiting for it: what was sent is not called cancelled.
      const delivered = writer
        .deliver({ ...delivery, result })
        .then(() => rows.put("tool_call", call.id, row as unknown as Json))
      await orAborted(delivered, signal)
      return row
    } catch (error) {
      if (signal.aborted) throw error
      return { status: "failed", error: redactedMessage(this.#session, error) }
    }
  }

  /** One try of the tool itself. Its changes through `ctx` join the result's commit, or are taken back when it throws. */
  async #attempt(tool: Tool, call: ToolCallRow, attempt: number): Promise<Outcome> {
    const scope = new Scope(call.id)
    try {
      const input = await validate(tool.input, call.edited ?? call.input, "input")
      const output = await this.#timed(tool, (signal) =>
        this.#scopes.within(scope, async () =>
          toJson(await tool.execute(input, contextOf(this.#session, call, signal, attempt)), "the output"),
        ),
      )
      this.#outbox.release(scope)
      return { status: "done", output: await attached(this.#session, call, output) }
    } catch (error) {
      rollBack(scope)
      if (this.#session.signal.aborted) throw error
      return await this.#thrown(tool, call, error)
    }
  }

  /** A tool that was cut off, by its own timeout or on its way to a service, may still have had its effect. */
  async #thrown(tool: Tool, call: ToolCallRow, error: unknown): Promise<Outcome> {
    const message = redactedMessage(this.#session, error)
    const failed: Outcome = { status: "failed", error: message }
    if (!RouseError.is(error, "TIMED_OUT", "OUTCOME_UNKNOWN"))
      return { ...failed, final: RouseError.is(error, ...SETTLED) }
    if (tool.effect === "once") return { status: "unknown", resolved: "unknown", error: message }
    try {
      return (await this.#found(tool, call)) ?? failed
    } catch (cause) {
      if (this.#session.signal.aborted) throw cause
      return { status: "unknown", resolved: "unknown", error: redactedMessage(this.#session, cause), final: true }
    }
  }

  /** Between tries of a reconcilable tool: whether the last one took effect after all. */
  async #found(tool: Tool, call: ToolCallRow): Promise<Outcome | undefined> {
    if (call.effect !== "reconcilable" || tool.reconcile === undefined) return undefined
    const output = await this.#ask(tool, call)
    return output === undefined
      ? undefined
      : { status: "done", output: await attached(this.#session, call, output), resolved: "reconciled" }
  }

  async #reconcile(call: ToolCallRow): Promise<Outcome> {
    const tool = this.#tools.get(call.name)
    if (tool?.reconcile === undefined) return { status: "unknown", resolved: "unknown" }
    try {
      const found = await this.#found(tool, call)
      if (found) return found
    } catch (error) {
      if (this.#session.signal.aborted) throw error
      return { status: "unknown", resolved: "unknown", error: redactedMessage(this.#session, error) }
    }
    return await this.#execute(await this.#begin({ ...call, resolved: "again" }))
  }

  async #ask(tool: Tool, call: ToolCallRow): Promise<Json | undefined> {
    const input = await validate(tool.input, call.edited ?? call.input, "input")
    const output = await this.#timed(tool, async (signal) =>
      tool.reconcile?.(input, contextOf(this.#session, call, signal, call.attempts)),
    )
    return output === undefined ? undefined : toJson(output, "what reconcile returned")
  }

  /** Runs `work` until it ends, the tool's time is over, or the wake is aborted, whichever is first. */
  async #timed<T>(tool: Tool, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.#session
    if (tool.timeoutMs === undefined) return await orAborted(work(signal), signal)
    const timeout = new AbortController()
    const error = new RouseError("TIMED_OUT", `the tool took longer than ${tool.timeoutMs} ms`)
    const timer = setTimeout(() => timeout.abort(error), tool.timeoutMs)
    try {
      const either = AbortSignal.any([signal, timeout.signal])
      return await orAborted(work(either), either)
    } finally {
      clearTimeout(timer)
    }
  }
}
