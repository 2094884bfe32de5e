import type { LanguageModelV4CallOptions } from "@ai-sdk/provider"
import { RouseError } from "@rouse/protocol"
import type { Json, StepRow, Usage } from "@rouse/protocol"
import type { AgentOptions } from "./context.ts"
import { estimate, tokensOf } from "./core/estimate.ts"
import { priceOf, readPrices, withCost } from "./core/pricing.ts"
import type { Priced } from "./core/pricing.ts"
import type { PriceEntry } from "./core/price-table.ts"
import { processEnv } from "./env.ts"
import type { Session } from "./session.ts"

let read: { readonly text: string | undefined; readonly entries: readonly PriceEntry[] } | undefined

/** What the model of a step costs: as the author says, as the environment says, or as the list does. */
export function pricedModel(session: Session, options: AgentOptions, model: string): Priced {
  if (options.price) return { price: options.price, known: true }
  const text = (session.host.env ?? processEnv())["ROUSE_PRICES"]
  if (read === undefined || read.text !== text) read = { text, entries: readPrices(text) }
  return priceOf(model, read.entries)
}

/** What a call that was cut off has used, as far as one can tell: its prompt, and the text that came. */
export function cutUsage(call: LanguageModelV4CallOptions, outputChars: number, priced: Priced): Usage {
  const { tokens } = estimate("", { ...call, maxOutputTokens: 0 }, priced.price)
  return { ...withCost({ inputTokens: tokens, outputTokens: tokensOf(outputChars) }, priced), estimated: true }
}

/**
 * Asks for a model call, before it is made and before anything says that it was (P5). An entity without a budget needs not ask, and makes
 * no commit for it.
 *
 * @returns Whether the call may be made. If not, the run waits for an answer.
 * @throws {RouseError} `BUDGET_EXHAUSTED` when the answer was no.
 */
export async function mayCall(
  session: Session,
  step: StepRow,
  call: () => LanguageModelV4CallOptions,
  priced: Priced,
): Promise<boolean> {
  return await mayAsk(session, step.id, () => withStep(session, step, call), priced)
}

/** The same of a call that is no step of the conversation, such as the one that makes a summary. @param step Key that its row will have. */
export async function mayAsk(
  session: Session,
  step: string,
  call: () => LanguageModelV4CallOptions,
  priced: Priced,
): Promise<boolean> {
  if (session.rows.get("budget", "budget") === undefined) return true
  refuseStopped(session)
  return await session.reserve(estimate(step, call(), priced.price))
}

/** What `fn` makes of the rows as they are once the step has begun: its messages are in the prompt. */
function withStep<T>({ rows }: Session, step: StepRow, fn: () => T): T {
  const before = rows.get("step", step.id)
  rows.put("step", step.id, step as unknown as Json)
  try {
    return fn()
  } finally {
    if (before) rows.put("step", step.id, before as unknown as Json)
    else rows.delete("step", step.id)
  }
}

function refuseStopped(session: Session): void {
  for (const approval of session.rows.values("approval")) {
    if (approval.kind !== "budget" || approval.status !== "denied" || !approval.call.startsWith(`${session.run}-`))
      continue
    const who = approval.by ? ` by ${approval.by.id}` : ""
    throw new RouseError(
      "BUDGET_EXHAUSTED",
      `the budget is used up, and more was denied${who}${approval.note ? `: ${approval.note}` : ""}`,
    )
  }
}
