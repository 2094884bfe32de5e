import type { AskRequest, AskState, EntityUrl, ErrorCode, Json, MessageRow } from "@rouse/protocol"
import type { TestEntity } from "./entity.ts"

export type Answer = { readonly reply: Json } | { readonly code: ErrorCode; readonly error: string }

/** What the settlement of a message is to who asked. */
export function answerOf(
  status: MessageRow["status"],
  reply: Json,
  reason: string | undefined,
  url: EntityUrl,
): Answer {
  if (status === "processed") return { reply }
  const why = reason === undefined ? "" : `: ${reason}`
  if (status === "dead") return { code: "HANDLER_FAILED", error: `${url} failed${why}` }
  return { code: "INTERRUPTED", error: `${url} did not get to it${why}` }
}

/** Gives a question its answer, if it still waits for one. Returns whether it did. */
export function answerAsk(
  asker: TestEntity,
  ask: string,
  kind: AskRequest["kind"],
  answer: Answer,
  at: string,
): boolean {
  if (asker.status === "stopped") return false
  if (kind === "memo") {
    const row = asker.rows.get("memo", ask)
    if ((row?.value as unknown as AskState | undefined)?.status !== "waiting") return false
    const value: AskState =
      "reply" in answer ? { status: "answered", reply: answer.reply } : { status: "failed", ...answer }
    asker.put("memo", ask, { ...row, value })
    return true
  }
  const call = asker.rows.get("tool_call", ask)
  if (call?.status !== "waiting") return false
  const end = "reply" in answer ? { status: "done", output: answer.reply } : { status: "failed", error: answer.error }
  asker.put("tool_call", ask, { ...call, ...end, attempts: 1, endedAt: at })
  return true
}
