import type { ApprovalRow } from "./approval.ts"
import type { ChildRow, MessageRow } from "./collections.ts"
import type { AttachmentRow } from "./attachments.ts"
import type { ContextRow, SummaryRow } from "./context-rows.ts"
import type { Json } from "./json.ts"

/**
 * Which rows are live, and which are past: what a summary covers is on the log alone.
 *
 * A reader that applies the log keeps all of it. One that wants the live rows drops, when a summary is written, every row for which
 * `isPast` holds: that is all the control plane does.
 */

/** Key of the one live summary in the collection `context`. */
export const SUMMARY_KEY = "summary"

/** The summary in a row of `context`; undefined when it is another. */
export function summaryOf(value: unknown): SummaryRow | undefined {
  const row = value as ContextRow | null | undefined
  return row?.kind === "summary" ? row : undefined
}

/** Whether run `a` began after run `b`. Keys of more digits are later. */
export function isRunAfter(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length
}

/**
 * Whether a summary takes a row out of the live ones.
 *
 * What may still change stays: messages that are not settled or are dead and may be retried, approvals that wait, children that run. So do
 * the author's own collections, always.
 */
export function isPast(collection: string, key: string, value: Json, summary: SummaryRow): boolean {
  const { through } = summary
  switch (collection) {
    case "run":
      return !isRunAfter(key, through)
    case "step":
    case "text":
    case "reasoning":
    case "tool_call":
    case "context":
      return isCovered((value as { readonly run?: string }).run, through)
    case "attachment": {
      const { run, at } = value as unknown as AttachmentRow
      return run === undefined ? at < summary.before : isCovered(run, through)
    }
    case "message": {
      const { status, run } = value as unknown as MessageRow
      return (status === "processed" || status === "cancelled") && isCovered(run, through)
    }
    case "approval":
      return (value as unknown as ApprovalRow).status !== "waiting" && isCovered(key.split("-")[0], through)
    case "child": {
      const { status, wake, at } = value as unknown as ChildRow
      return (status !== "running" || wake === "never") && at < summary.before
    }
    default:
      return false
  }
}

function isCovered(run: string | undefined, through: string): boolean {
  return run !== undefined && !isRunAfter(run, through)
}
