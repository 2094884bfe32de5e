import {
  type ApprovalDecision,
  type ApprovalRow,
  type BudgetExtension,
  type EntityUrl,
  type Json,
  RouseError,
} from "@rouse/protocol"
import { deadlineId } from "./approval/ask.ts"
import { type Saying, voted } from "./approval/votes.ts"
import { extendBudget } from "./budget-answers.ts"
import type { EntityDraft } from "./core/draft.ts"
import { newId } from "./core/id.ts"
import { matchSchema } from "./core/match-schema.ts"
import { need } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { transactAndRouse } from "./rouse.ts"

export interface DecisionInput extends Saying {
  readonly entity: EntityUrl
  readonly call: string
  /** Of a budget that is used up. */
  readonly extend?: BudgetExtension
}

/**
 * Decides a tool call that waits for people, or answers a question, and rouses its agent. The same word of the same person again changes
 * nothing.
 *
 * @returns The key of the message that rouses the agent; undefined when it was decided so before, or more people must allow it.
 * @throws {RouseError} `NOT_FOUND` when no such call waits; `ALREADY_EXISTS` when it was decided otherwise; `FORBIDDEN` when this
 *   principal may not; `INVALID_ARGS` for an input or an answer that does not match its schema; `STOPPED`.
 */
export async function decide(plane: Plane, input: DecisionInput): Promise<string | undefined> {
  const { value } = await transactAndRouse(plane, [input.entity], async (planning) => {
    const entity = need(planning, input.entity)
    const row = await plane.transactor.row(input.entity, "approval", input.call)
    if (!row) throw new RouseError("NOT_FOUND", `no tool call ${input.call} of ${input.entity} waits for an approval`)
    const before = row.value as unknown as ApprovalRow
    const after = voted(before, input, planning.draft.nowMs)
    if (after === before) return undefined
    checkValues(before, input)
    entity.update("approval", input.call, after)
    if (after.status === "waiting") return undefined
    if (before.kind === "budget") extendBudget(entity, before, decisionOf(after, input), planning.draft.nowMs)
    if (after.deadlineMs !== undefined) entity.also({ op: "deleteTimer", id: deadlineId(entity.url, after.call) })
    return tell(plane, entity, after)
  })
  return value
}

function checkValues(row: ApprovalRow, { call, input, answer, extend }: DecisionInput): void {
  if (extend && row.kind !== "budget")
    throw new RouseError("INVALID_ARGS", `extend: ${call} is a tool call, not a budget`)
  if (row.schema === undefined) return
  if (input !== undefined) matchSchema(row.schema, input, "input")
  if (answer !== undefined) matchSchema(row.schema, answer, "answer")
}

function decisionOf(after: ApprovalRow, { extend }: DecisionInput): Parameters<typeof extendBudget>[2] {
  return { decision: after.status === "allowed" ? "allow" : "deny", ...(extend ? { extend } : {}) }
}

function tell(plane: Plane, entity: EntityDraft, { call, status, note, by }: ApprovalRow): string {
  const decision = status === "denied" ? "deny" : "allow"
  const content: ApprovalDecision = { call, decision, ...(note === undefined ? {} : { note }) }
  const from = by ?? { kind: "system", id: "rouse" }
  return entity.accept(
    { kind: "approval", from, content: content as unknown as Json, mode: "steer" },
    newId(entity.nowMs, plane.random),
  )
}
