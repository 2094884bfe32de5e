import {
  type ApprovalDecision,
  type ApprovalRow,
  type BudgetExtension,
  type EntityUrl,
  type Json,
  type Principal,
  RouseError,
} from "@rouse/protocol"
import { extendBudget } from "./budget-answers.ts"
import { isoTime } from "./core/control.ts"
import { newId } from "./core/id.ts"
import { need } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { transactAndRouse } from "./rouse.ts"

export interface DecisionInput {
  readonly entity: EntityUrl
  readonly call: string
  readonly decision: "allow" | "deny"
  readonly note?: string
  /** Of a budget that is used up. */
  readonly extend?: BudgetExtension
  readonly by: Principal
}

/**
 * Decides a tool call that waits for a person, and rouses its agent. The same decision again changes nothing.
 *
 * @returns The key of the message that rouses the agent; undefined when it had been decided so before.
 * @throws {RouseError} `NOT_FOUND` when no such call waits; `ALREADY_EXISTS` when it was decided otherwise; `STOPPED`.
 */
export async function decide(plane: Plane, input: DecisionInput): Promise<string | undefined> {
  const { value } = await transactAndRouse(plane, [input.entity], async (planning) => {
    const entity = need(planning, input.entity)
    const row = await plane.transactor.row(input.entity, "approval", input.call)
    if (!row) throw new RouseError("NOT_FOUND", `no tool call ${input.call} of ${input.entity} waits for an approval`)
    const approval = row.value as unknown as ApprovalRow
    if (isDecided(approval, input)) return undefined
    const { nowMs } = planning.draft
    if (input.extend && approval.kind !== "budget")
      throw new RouseError("INVALID_ARGS", `extend: ${input.call} is a tool call, not a budget`)
    if (approval.kind === "budget") extendBudget(entity, approval, input, nowMs)
    const note = input.note === undefined ? {} : { note: input.note }
    const status = input.decision === "allow" ? "allowed" : "denied"
    entity.update("approval", input.call, { ...approval, status, by: input.by, decidedAt: isoTime(nowMs), ...note })
    const content: ApprovalDecision = { call: input.call, decision: input.decision, ...note }
    const message = { kind: "approval", from: input.by, content: content as unknown as Json, mode: "steer" } as const
    return entity.accept(message, newId(nowMs, plane.random))
  })
  return value
}

function isDecided(approval: ApprovalRow, input: DecisionInput): boolean {
  if (approval.status === "waiting") return false
  const wanted = input.decision === "allow" ? "allowed" : "denied"
  if (approval.status === wanted) return true
  const by = approval.by ? ` by ${approval.by.id}` : ""
  throw new RouseError("ALREADY_EXISTS", `${input.call} was ${approval.status}${by}; it cannot be ${wanted} now`)
}
