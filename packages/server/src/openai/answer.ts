import { type Json, RouseError, type RunRow, type Settled } from "@rouse/protocol"
import { anyRow } from "../history.ts"
import type { Plane } from "../plane.ts"

/** A reply as the text of a message. */
export function replyText(reply: Json): string {
  if (reply === null) return ""
  return typeof reply === "string" ? reply : JSON.stringify(reply)
}

/** @throws {RouseError} `HANDLER_FAILED`, `INTERRUPTED`, or `TIMED_OUT` when it is not settled yet. */
export function checkSettled({ url, status, reason }: Settled): void {
  const why = reason === undefined ? "" : `: ${reason}`
  if (status === "processed") return
  if (status === "dead") throw new RouseError("HANDLER_FAILED", `${url} failed${why}`)
  if (status === "cancelled") throw new RouseError("INTERRUPTED", `the message was cancelled${why}`)
  throw new RouseError(
    "TIMED_OUT",
    `${url} has not answered yet; it goes on, and its log has the answer when it is there`,
  )
}

/** What the run used, as OpenAI says it. */
export async function chatUsage(plane: Plane, { url, run }: Settled): Promise<object> {
  const row = run === undefined ? undefined : await anyRow(plane, url, "run", run)
  const usage = (row?.value as unknown as RunRow | undefined)?.usage
  const [input, output] = [usage?.inputTokens ?? 0, usage?.outputTokens ?? 0]
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: usage?.cachedInputTokens ?? 0 },
    completion_tokens_details: { reasoning_tokens: usage?.reasoningTokens ?? 0 },
  }
}
