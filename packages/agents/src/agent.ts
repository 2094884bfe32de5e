import { RouseError } from "@rouse/protocol"
import type { StepRow } from "@rouse/protocol"
import { isInterrupted } from "./abort.ts"
import { compact, isFull, pileMaxOf } from "./compact.ts"
import type { AgentOptions, AgentResult } from "./context.ts"
import { CONTINUE } from "./core/conversation.ts"
import { isWithWorkers } from "./hand-over.ts"
import { interruptedStatus } from "./core/ledger.ts"
import { callsOf, isSettled, nextStep, stepsOf, sumUsage, textOf } from "./core/run-state.ts"
import type { ResolvedModel } from "./host.ts"
import { Ledger } from "./ledger.ts"
import { callOptions, failureInfo, runStep } from "./model-step.ts"
import { modelsOf } from "./offline-models.ts"
import type { Outbox } from "./outbox.ts"
import { checkPrice } from "./core/pricing.ts"
import type { Scopes } from "./scope.ts"
import { mayCall, pricedModel } from "./spend.ts"
import type { Session } from "./session.ts"
import type { Sources } from "./sources.ts"
import { Slices } from "./slices.ts"
import type { Tool } from "./tool.ts"

const STEPS_MAX = 64

/**
 * The agent loop of one wake (DESIGN §4.3). A pass is one `agent.run()`; where it stands is read from rows, so that a retried wake
 * goes on and a finished pass is not run again.
 */
export class AgentLoop {
  readonly #session: Session
  readonly #scopes: Scopes
  readonly #outbox: Outbox
  readonly #sources: Sources
  readonly #slices: Slices
  #options: AgentOptions | undefined
  #passes = 0

  constructor(session: Session, scopes: Scopes, outbox: Outbox, sources: Sources) {
    this.#session = session
    this.#scopes = scopes
    this.#outbox = outbox
    this.#sources = sources
    this.#slices = new Slices(session)
  }

  use(options: AgentOptions): void {
    if (typeof options !== "object" || options === null)
      throw new RouseError("INVALID_ARGS", "useAgent: options must be an object")
    const { model, systemPrompt } = options
    if (typeof model !== "string" && model?.specificationVersion !== "v4") {
      throw new RouseError(
        "INVALID_ARGS",
        "useAgent: model must be a name such as anthropic/claude-sonnet-4-5, or an AI SDK model of version v4",
      )
    }
    if (typeof systemPrompt !== "string" && typeof systemPrompt !== "function") {
      throw new RouseError("INVALID_ARGS", "useAgent: systemPrompt must be a text or a function that returns one")
    }
    if (options.price !== undefined) checkPrice(options.price, "useAgent: price")
    this.#session.pileMax = pileMaxOf(options.compaction)
    this.#options = options
  }

  async run(input: { readonly prompt?: string } = {}): Promise<AgentResult> {
    const options = this.#options
    if (options === undefined) throw new RouseError("INVALID_ARGS", "agent.run: call ctx.useAgent({ … }) first")
    if (this.#session.looping) throw new RouseError("INVALID_ARGS", "agent.run: one at a time; await the one before")
    const pass = this.#passes
    this.#session.looping = true
    try {
      const result = await this.#pass(pass, options, input.prompt)
      this.#passes += 1
      return result
    } catch (error) {
      this.#passes += 1
      throw await this.#ended(error)
    } finally {
      this.#session.looping = false
    }
  }

  async #pass(pass: number, options: AgentOptions, prompt: string | undefined): Promise<AgentResult> {
    const session = this.#session
    const { world } = session.host
    const tools = toolMap((world ? options.tools?.map((each) => world.tool(each)) : options.tools) ?? [])
    const ledger = new Ledger(session, this.#scopes, this.#outbox, tools)
    let resolved: ResolvedModel | undefined
    let overflowed = false
    let loaded = false
    for (;;) {
      const steps = this.#steps(pass)
      const last = steps.at(-1)
      if (last?.status === "done") {
        if (await ledger.settle(last.id)) return this.#suspend(steps)
        if (this.#isOver(last)) return this.#result(this.#steps(pass), "completed")
      }
      if (this.#slices.isOver()) return await this.#slices.end()
      resolved ??= await this.#resolve(options.model)
      const plan = { session, options, resolved, tools, priced: pricedModel(session, options, resolved.name) }
      if (last?.status !== "running" && isFull(plan) && (await compact(plan, pass, "tokens")) === "refused")
        return this.#suspend(steps)
      const step = this.#nextStep(pass, steps, resolved.name, prompt)
      if (step.index - (steps[0]?.index ?? step.index) >= (options.maxSteps ?? STEPS_MAX)) throw outOfSteps(options)
      if (this.#sources.size > 0 && !loaded) await this.#sources.load(session, step)
      loaded = true
      if (!(await mayCall(session, step, () => callOptions(plan), plan.priced))) return this.#suspend(steps)
      try {
        await runStep(plan, step)
      } catch (error) {
        const again = !overflowed && options.compaction !== false && RouseError.is(error, "CONTEXT_OVERFLOW")
        const compacted = again ? await compact(plan, pass, "overflow") : "nothing"
        if (compacted === "refused") return this.#suspend(this.#steps(pass))
        if (compacted === "nothing") throw error
        overflowed = true
        loaded = false
      }
    }
  }

  /** A step without tool calls ends the pass, unless someone said something meanwhile and no later pass has begun. */
  #isOver(last: StepRow): boolean {
    if (callsOf(this.#session.rows, last.id).length > 0) return false
    if (stepsOf(this.#session.rows, this.#session.run).some((step) => step.pass > last.pass)) return true
    this.#session.joinInbox()
    return this.#session.unread().length === 0
  }

  #steps(pass: number): readonly StepRow[] {
    return stepsOf(this.#session.rows, this.#session.run).filter(
      (step) => step.pass === pass && step.purpose === undefined,
    )
  }

  /** The next step, or one that was cut off or failed, begun again under its own key. */
  #nextStep(pass: number, steps: readonly StepRow[], model: string, prompt: string | undefined): StepRow {
    const session = this.#session
    const last = steps.at(-1)
    const again = last !== undefined && last.status !== "done" ? last : undefined
    session.joinInbox()
    const messages = [...(again?.messages ?? []), ...session.unread()]
    const asked = again ? again.prompt : steps.length === 0 ? prompt : undefined
    const silent = steps.length === (again ? 1 : 0) && messages.length === 0 && asked === undefined
    const text = silent ? CONTINUE : asked
    const { id, index } = again ?? nextStep(session.rows, session.run)
    return {
      id,
      run: session.run,
      index,
      pass,
      model,
      messages,
      ...(text === undefined ? {} : { prompt: text }),
      status: "running",
      startedAt: session.now(),
    }
  }

  async #resolve(model: AgentOptions["model"]): Promise<ResolvedModel> {
    if (typeof model !== "string") return { model, name: `${model.provider}/${model.modelId}` }
    return await modelsOf(this.#session.host)(model)
  }

  #suspend(steps: readonly StepRow[]): AgentResult {
    this.#session.suspended = true
    return this.#result(steps, "suspended")
  }

  #result(steps: readonly StepRow[], status: AgentResult["status"]): AgentResult {
    const last = steps.at(-1)
    const text = last === undefined ? "" : textOf(this.#session.rows, last.id)
    if (status === "completed") this.#session.answer = text
    const { deltaMs = 50 } = this.#session.host
    this.#session.flushSoon(deltaMs)
    return { text, steps: steps.length, usage: sumUsage(steps), finishReason: last?.finishReason ?? "other", status }
  }

  /** Settles what an interrupt left open, and marks an error that another attempt would not mend. */
  async #ended(error: unknown): Promise<unknown> {
    const session = this.#session
    if (isInterrupted(session.signal)) await settleInterrupted(session)
    else if (!session.signal.aborted && RouseError.is(error, "MODEL_REFUSED", "CONTEXT_OVERFLOW", "BUDGET_EXHAUSTED")) {
      session.failure = error
      failRunning(session, error)
    }
    return error
  }
}

/** A step that an earlier attempt of the wake had begun, and that nobody will go on with. */
function failRunning(session: Session, error: RouseError): void {
  for (const step of stepsOf(session.rows, session.run)) {
    if (step.status !== "running") continue
    const endedAt = session.now()
    session.put("step", step.id, { ...step, status: "failed", endedAt, error: failureInfo(session, error) })
  }
}

/** Gives every open call and step of the run its end, once the commit under way has said which ones are open. */
export async function settleInterrupted(session: Session): Promise<void> {
  await session.writer.idle()
  const endedAt = session.now()
  for (const call of session.rows.list("tool_call")) {
    if (call.run !== session.run || isSettled(call) || isWithWorkers(session, call)) continue
    session.put("tool_call", call.id, { ...call, status: interruptedStatus(call), endedAt })
  }
  for (const step of stepsOf(session.rows, session.run)) {
    if (step.status === "running") session.put("step", step.id, { ...step, status: "interrupted", endedAt })
  }
}

const NO_TOOLS: ReadonlyMap<string, Tool> = new Map()

function toolMap(tools: readonly Tool[]): ReadonlyMap<string, Tool> {
  if (tools.length === 0) return NO_TOOLS
  const map = new Map<string, Tool>()
  for (const tool of tools) {
    if (map.has(tool.name))
      throw new RouseError("INVALID_ARGS", `useAgent: two tools are named ${JSON.stringify(tool.name)}`)
    map.set(tool.name, tool)
  }
  return map
}

function outOfSteps(options: AgentOptions): RouseError {
  const max = options.maxSteps ?? STEPS_MAX
  return new RouseError("BUDGET_EXHAUSTED", `the agent did not finish within maxSteps: ${max} model calls`)
}
