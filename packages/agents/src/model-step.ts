import type { LanguageModelV4CallOptions, LanguageModelV4FunctionTool } from "@ai-sdk/provider"
import { RouseError, partKey } from "@rouse/protocol"
import type { FailureInfo, StepRow } from "@rouse/protocol"
import { isInterrupted } from "./abort.ts"
import { intents } from "./calls.ts"
import type { Intents } from "./calls.ts"
import type { AgentOptions } from "./context.ts"
import { conversation } from "./core/conversation.ts"
import type { Turn } from "./core/conversation.ts"
import { MEASURED } from "./core/files.ts"
import { toPrompt } from "./core/prompt.ts"
import type { PromptFiles } from "./core/prompt.ts"
import type { Recorder } from "./core/recorder.ts"
import { Deltas } from "./deltas.ts"
import type { Priced } from "./core/pricing.ts"
import { withCost } from "./core/pricing.ts"
import { redactedMessage } from "./failure.ts"
import type { ResolvedModel } from "./host.ts"
import { loadFiles, refusedFiles } from "./files.ts"
import { callModel } from "./model-call.ts"
import type { ModelAnswer } from "./model-call.ts"
import { cutUsage } from "./spend.ts"
import { enqueue } from "./hand-over.ts"
import type { Session } from "./session.ts"
import type { Tool } from "./tool.ts"

/** What one call of the model needs to know. */
export interface StepPlan {
  readonly session: Session
  readonly options: AgentOptions
  readonly resolved: ResolvedModel
  readonly tools: ReadonlyMap<string, Tool>
  readonly priced: Priced
}

/**
 * Calls the model once and puts its answer on the rows: one change set with the step, its usage, its parts and all its tool calls.
 * Nothing is flushed here unless text streams for longer than the host's delta time.
 *
 * @param step The row as it begins.
 * @throws What ended the step early. Its row says so too, and what text there was on an interrupt is kept.
 */
export async function runStep(plan: StepPlan, step: StepRow): Promise<void> {
  const { session, tools } = plan
  session.put("step", step.id, step)
  const deltas = new Deltas(session, step)
  try {
    const { recorder, tries } = await answered(plan, (recorder) => deltas.follow(recorder))
    const calls = await intents(session, step.id, recorder.parts, tools)
    await deltas.stop()
    settle(plan, step, recorder, calls, tries)
    deltas.supersede(textKeys(step, recorder))
  } catch (error) {
    await deltas.stop().catch(ignore)
    unsettled(plan, step, deltas, error)
    throw error
  }
}

/** The failure that stopped the deltas is the one that the step reports. */
function ignore(): void {
  return undefined
}

/** Asks with the files of the conversation, and again without them when the model takes none. */
async function answered(plan: StepPlan, onTry: (recorder: Recorder) => void): Promise<ModelAnswer> {
  const { session, options, resolved } = plan
  for (;;) {
    const turns = conversation(session.rows)
    const files = await loadFiles(session, turns, resolved)
    try {
      return await callModel({
        model: resolved.model,
        name: resolved.name,
        call: callOptions(plan, files, turns),
        retry: options.retry ?? {},
        host: session.host,
        signal: session.signal,
        onTry,
      })
    } catch (error) {
      if (!refusedFiles(error, resolved, files)) throw error
      session.host.log.warn("the model takes no files; it is told of them", { model: resolved.name })
    }
  }
}

/** What the model is asked. Without files given, as one measures it. */
export function callOptions(
  { session, options, tools }: StepPlan,
  files: PromptFiles = { messages: MEASURED, results: MEASURED },
  turns: readonly Turn[] = conversation(session.rows),
): LanguageModelV4CallOptions {
  const system = typeof options.systemPrompt === "function" ? options.systemPrompt() : options.systemPrompt
  return {
    prompt: toPrompt(session.vault.text(system), session.vault.value(turns), files),
    ...(tools.size > 0 ? { tools: [...tools.values()].map(toFunction), toolChoice: { type: "auto" } } : {}),
    ...(options.maxOutputTokens === undefined ? {} : { maxOutputTokens: options.maxOutputTokens }),
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
    providerOptions: { ...options.providerOptions, openai: { store: false, ...options.providerOptions?.["openai"] } },
  }
}

function toFunction(tool: Tool): LanguageModelV4FunctionTool {
  return {
    type: "function",
    name: tool.name,
    description: tool.description,
    inputSchema: tool.inputSchema,
  }
}

function settle({ session, priced }: StepPlan, step: StepRow, recorder: Recorder, calls: Intents, tries: number): void {
  session.put("step", step.id, {
    ...step,
    status: "done",
    endedAt: session.now(),
    finishReason: recorder.finish?.reason ?? "other",
    ...(recorder.finish ? { usage: withCost(recorder.finish.usage, priced) } : {}),
    ...(tries > 1 ? { attempts: tries } : {}),
  } satisfies StepRow)
  putParts(session, step, recorder)
  for (const call of calls.rows) session.put("tool_call", call.id, call)
  session.writer.batch.approvals.push(...calls.approvals)
  for (const work of calls.work) enqueue(session, work)
  session.writer.batch.asks.push(...calls.asks)
}

/** Text and reasoning as they stand. Empty text says nothing; empty reasoning may carry the provider's seal. */
function putParts(session: Session, step: StepRow, recorder: Recorder): void {
  for (const part of recorder.parts) {
    if (part.kind === "call" || (part.text === "" && (part.kind === "text" || part.metadata === undefined))) continue
    session.put(part.kind, partKey(step.id, part.index), {
      run: step.run,
      step: step.id,
      index: part.index,
      text: part.text,
      ...(part.metadata ? { providerMetadata: part.metadata } : {}),
    })
  }
}

function textKeys(step: StepRow, recorder: Recorder | undefined): readonly string[] {
  return (recorder?.parts ?? []).flatMap((part) => (part.kind === "call" ? [] : [partKey(step.id, part.index)]))
}

function unsettled(plan: StepPlan, step: StepRow, deltas: Deltas, error: unknown): void {
  const { session } = plan
  const interrupted = isInterrupted(session.signal)
  if (session.signal.aborted && !interrupted) return
  const { recorder } = deltas
  if (interrupted && recorder) putParts(session, step, recorder)
  deltas.supersede(textKeys(step, recorder))
  const failed = interrupted ? {} : { error: failureInfo(session, error) }
  session.put("step", step.id, {
    ...step,
    status: interrupted ? "interrupted" : "failed",
    endedAt: session.now(),
    ...failed,
    ...(interrupted && recorder ? { usage: cutUsage(callOptions(plan), charsOf(recorder), plan.priced) } : {}),
  } satisfies StepRow)
}

function charsOf({ parts }: Recorder): number {
  return parts.reduce((sum, part) => sum + (part.kind === "call" ? part.input : part.text).length, 0)
}

export function failureInfo(session: Session, error: unknown): FailureInfo {
  return { code: RouseError.is(error) ? error.code : "HANDLER_FAILED", message: redactedMessage(session, error) }
}
