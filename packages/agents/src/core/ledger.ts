import type { ApprovalRow, Json, ToolCallRow } from "@rouse/protocol"

/** What to do with a tool call that is not settled. */
export type CallAction =
  /** Begin it: nothing has happened yet. */
  | { readonly kind: "begin"; readonly edited?: Json }
  /** It was cut off and is safe to run again, with the same idempotency key. */
  | { readonly kind: "again" }
  /** It was cut off: ask what happened. */
  | { readonly kind: "reconcile" }
  /** It was cut off and must not run again: nobody knows what happened. */
  | { readonly kind: "unknown" }
  | { readonly kind: "wait" }
  | { readonly kind: "deny"; readonly note: string }
  | { readonly kind: "cancel" }
  /** A person answered the question that it is. */
  | { readonly kind: "answer"; readonly answer: Json }
  | { readonly kind: "unanswered" }

/**
 * Resolves a call found open on the log (P2). The effect class counts as it was declared when the call was made.
 *
 * @param row Not settled, and not begun by this session.
 */
export function resolveCall(row: ToolCallRow, approval: ApprovalRow | undefined): CallAction {
  switch (row.status) {
    case "intended":
      return { kind: "begin" }
    case "waiting":
      return answerOf(approval)
    case "running":
      return resolveCut(row)
    case "done":
    case "failed":
    case "denied":
    case "unknown":
    case "cancelled":
      throw new Error(`call ${row.id} is settled: ${row.status}`)
  }
}

function answerOf(approval: ApprovalRow | undefined): CallAction {
  switch (approval?.status) {
    case "allowed":
      return { kind: "begin", ...(approval.edited === undefined ? {} : { edited: approval.edited }) }
    case "answered":
      return { kind: "answer", answer: approval.answer ?? null }
    case "expired":
      if (approval.kind === "question") return { kind: "unanswered" }
      return { kind: "deny", note: approval.note ?? "nobody decided in time" }
    case "denied":
      return { kind: "deny", note: approval.note ?? "" }
    case "cancelled":
      return { kind: "cancel" }
    case "waiting":
    case undefined:
      return { kind: "wait" }
  }
}

function resolveCut(row: ToolCallRow): CallAction {
  switch (row.effect) {
    case "pure":
    case "idempotent":
      return { kind: "again" }
    case "reconcilable":
      return { kind: "reconcile" }
    case "once":
      return { kind: "unknown" }
  }
}

/** What an interrupt makes of a call that is not settled: one that may have had its only chance is not called cancelled. */
export function interruptedStatus(row: ToolCallRow): ToolCallRow["status"] {
  return row.status === "running" && row.effect === "once" ? "unknown" : "cancelled"
}
