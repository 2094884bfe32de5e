import type { ApprovalRequest, ApprovalRow, Json } from "@rouse/protocol"
import { approvalTerms } from "@rouse/protocol/work-schemas"
import { isoTime } from "../core/control.ts"
import type { EntityDraft } from "../core/draft.ts"
import { parseValue } from "../http/body.ts"

const QUESTION_CHARS_MAX = 4_096

/**
 * Asks people, in the commit that holds the calls that they are asked about.
 *
 * @throws {RouseError} `INVALID_ARGS` for terms out of bounds.
 */
export function planApprovals(self: EntityDraft, requests: readonly ApprovalRequest[]): void {
  for (const { call, tool, input, kind, question, schema, rule, ...rest } of requests) {
    const terms = parseValue(rest, approvalTerms, "approvals")
    const { nowMs } = self
    const row: ApprovalRow = {
      ...(kind === undefined ? {} : { kind }),
      call,
      tool,
      input,
      at: isoTime(nowMs),
      status: "waiting",
      ...(typeof question === "string" ? { question: question.slice(0, QUESTION_CHARS_MAX) } : {}),
      ...(schema === undefined ? {} : { schema }),
      ...(rule === undefined ? {} : { rule }),
      ...terms,
      ...(terms.deadlineMs === undefined ? {} : { deadline: isoTime(nowMs + terms.deadlineMs) }),
    }
    self.insert("approval", call, row)
    if (row.deadlineMs !== undefined) armDeadline(self, call, nowMs + row.deadlineMs)
  }
}

/** Arms the one timer of an approval. */
export function armDeadline(self: EntityDraft, call: string, dueAtMs: number): void {
  const payload: TimedApproval = { kind: "approval", call }
  const { url } = self
  self.also({
    op: "putTimer",
    timer: { id: deadlineId(url, call), dueAtMs, url, payload: payload as unknown as Json },
  })
}

/** What the timer of an approval holds. */
export interface TimedApproval {
  readonly kind: "approval"
  readonly call: string
}

export function deadlineId(url: string, call: string): string {
  return `approval:${url}:${call}`
}
