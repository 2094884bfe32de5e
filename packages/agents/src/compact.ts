import type { LanguageModelV4CallOptions } from "@ai-sdk/provider"
import { RouseError, SUMMARY_KEY } from "@rouse/protocol"
import type { ChangeEvent, StepRow, SummaryRow } from "@rouse/protocol"
import { change } from "./batch.ts"
import {
  PILE_MAX,
  forgetPast,
  isPiledUp,
  keptOf,
  summaryRow,
  tokensMaxOf,
  tokensNow,
  watermark,
} from "./core/compaction.ts"
import type { Pile } from "./core/compaction.ts"
import type { AgentOptions } from "./context.ts"
import { withCost } from "./core/pricing.ts"
import { nextStep } from "./core/run-state.ts"
import { DIGEST_SIZE, transcript } from "./core/transcript.ts"
import type { TranscriptSize } from "./core/transcript.ts"
import { callModel } from "./model-call.ts"
import type { StepPlan } from "./model-step.ts"
import type { Session } from "./session.ts"
import { mayAsk } from "./spend.ts"

/** What the model is shown of a conversation that it summarises. The prompt must leave room where the conversation did not. */
const TRANSCRIPT_SIZE: TranscriptSize = { charsMax: 240_000, entryCharsMax: 8_000 }
const SUMMARY_TOKENS_MAX = 4_096
/** When a conversation is summarised for its tokens, a few runs stay; when it does not fit at all, the one under way alone. */
const KEPT: Pile = { runs: 4, rows: 24 }
const NOTHING: Pile = { runs: 1, rows: 0 }
const UNBOUNDED: Pile = { runs: Infinity, rows: Infinity }

const INSTRUCTIONS =
  "You summarise the conversation of an agent with the people it serves, so that the agent can go on from your summary alone. " +
  "Keep what it may need: what was asked and why, what was done with which result, decisions, names, numbers, identifiers, addresses, " +
  "preferences, promises, and what is still open. Leave out greetings and what was superseded. " +
  "Write plain text, in the language of the conversation, in the order in which things happened. Do not address anyone."

/**
 * The end of a run: when runs have left too much, a digest takes the place of the older ones. It needs no model, and is part of the
 * commit that ends the wake: a crash leaves all of it or nothing.
 */
export function piledUp(session: Session): readonly ChangeEvent[] {
  const { rows } = session
  // A wake that did not come to its `useAgent` leaves the conversation to one that does.
  const max = session.pileMax ?? (rows.size("step") === 0 ? PILE_MAX : UNBOUNDED)
  if (!isPiledUp(rows, max)) return []
  const through = watermark(rows, session.run, keptOf(max))
  if (through === undefined) return []
  const text = transcript(rows, through, DIGEST_SIZE)
  return [eventOf(session, summaryRow(rows, through, { text, by: "digest", why: "rows", at: session.now() }))]
}

/** What came of a wish to summarise. `nothing`: a single run is never cut. `refused`: the budget does not allow the call, and somebody was asked. */
export type Compacted = "done" | "nothing" | "refused"

/**
 * Before a step: summarises the conversation. The summary is a step of its own, asked of the budget as every step is, durable before the
 * next, and the rows that it covers are gone from then on.
 *
 * @throws {RouseError} `BUDGET_EXHAUSTED` when more budget was denied.
 */
export async function compact(plan: StepPlan, pass: number, why: "tokens" | "overflow"): Promise<Compacted> {
  const { session } = plan
  const { rows } = session
  const through =
    watermark(rows, session.run, why === "overflow" ? NOTHING : KEPT) ?? watermark(rows, session.run, NOTHING)
  if (through === undefined) return "nothing"
  const call = summaryCall(plan.options, transcript(rows, through, TRANSCRIPT_SIZE))
  if (!(await mayAsk(session, nextStep(rows, session.run).id, () => call, plan.priced))) return "refused"
  const summary = await summarised(plan, pass, through, why, call)
  session.put("context", SUMMARY_KEY, summary)
  forgetPast(rows, summary)
  await session.flush()
  return "done"
}

/** Whether the newest step says that the conversation is as long as it may be. */
export function isFull({ session, options, resolved }: StepPlan): boolean {
  if (options.compaction === false) return false
  return tokensNow(session.rows) > (options.compaction?.tokensMax ?? tokensMaxOf(resolved.name))
}

/** By the model; a digest where it would not, so that the conversation goes on. */
async function summarised(
  plan: StepPlan,
  pass: number,
  through: string,
  why: "tokens" | "overflow",
  call: LanguageModelV4CallOptions,
): Promise<SummaryRow> {
  const { session } = plan
  const { rows } = session
  const at = session.now()
  try {
    const text = await asked(plan, pass, call)
    if (text.trim() !== "") return summaryRow(rows, through, { text, by: "model", why, at })
  } catch (error) {
    if (session.signal.aborted || !RouseError.is(error, "MODEL_REFUSED", "MODEL_FAILED", "CONTEXT_OVERFLOW"))
      throw error
    session.host.log.warn("the model gave no summary; a digest takes its place", { reason: error.message })
  }
  return summaryRow(rows, through, { text: transcript(rows, through, DIGEST_SIZE), by: "digest", why, at })
}

function summaryCall(options: AgentOptions, text: string): LanguageModelV4CallOptions {
  return {
    prompt: [
      { role: "system", content: INSTRUCTIONS },
      { role: "user", content: [{ type: "text", text: `The conversation:\n\n${text}` }] },
    ],
    maxOutputTokens: SUMMARY_TOKENS_MAX,
    providerOptions: { ...options.providerOptions, openai: { store: false, ...options.providerOptions?.["openai"] } },
  }
}

async function asked(plan: StepPlan, pass: number, call: LanguageModelV4CallOptions): Promise<string> {
  const { session, options, resolved, priced } = plan
  const startedAt = session.now()
  const { recorder, tries } = await callModel({
    model: resolved.model,
    name: resolved.name,
    call,
    retry: options.retry ?? {},
    host: session.host,
    signal: session.signal,
    onTry: () => undefined,
  })
  const { id, index } = nextStep(session.rows, session.run)
  session.put("step", id, {
    id,
    run: session.run,
    index,
    pass,
    model: resolved.name,
    messages: [],
    purpose: "summary",
    status: "done",
    startedAt,
    endedAt: session.now(),
    finishReason: recorder.finish?.reason ?? "other",
    ...(recorder.finish ? { usage: withCost(recorder.finish.usage, priced) } : {}),
    ...(tries > 1 ? { attempts: tries } : {}),
  } satisfies StepRow)
  return recorder.parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("")
}

function eventOf(session: Session, summary: SummaryRow): ChangeEvent {
  const known = session.rows.get("context", SUMMARY_KEY) !== undefined
  return change("context", SUMMARY_KEY, known ? "update" : "insert", summary)
}

/** @throws {RouseError} `INVALID_ARGS` naming the bound that makes no sense. */
export function pileMaxOf(compaction: AgentOptions["compaction"]): Pile {
  if (compaction === false) return UNBOUNDED
  for (const field of ["runsMax", "rowsMax", "tokensMax"] as const) {
    const value = compaction?.[field]
    if (value !== undefined && !(value > 0))
      throw new RouseError("INVALID_ARGS", `useAgent: compaction.${field} must be a number above 0`)
  }
  return { runs: compaction?.runsMax ?? PILE_MAX.runs, rows: compaction?.rowsMax ?? PILE_MAX.rows }
}
