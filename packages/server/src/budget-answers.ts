import type { ApprovalRow, BudgetDecision, BudgetExtension, BudgetRequest, EntityUrl, Principal } from "@rouse/protocol"
import { RouseError } from "@rouse/protocol"
import { setBudget, writeRow } from "./budgets.ts"
import { extend, extendFrom } from "@rouse/protocol/budget"
import { isoTime } from "./core/control.ts"
import type { EntityDraft } from "./core/draft.ts"
import { newId } from "./core/id.ts"
import type { Plane } from "./plane.ts"
import type { Planning } from "./transactor.ts"

/** What a person's answer does to a budget. A stop changes nothing here: the run ends when it goes on and finds it. */
export function extendBudget(
  self: EntityDraft,
  approval: ApprovalRow,
  answer: { readonly decision: "allow" | "deny"; readonly extend?: BudgetExtension },
  nowMs: number,
): void {
  const { budget } = self.control
  if (!budget) return
  if (answer.decision === "deny") return setBudget(self, { ...budget, waiting: null })
  const usual = (approval.input as unknown as BudgetRequest).extend
  setBudget(self, extend(budget, answer.extend ?? usual))
  writeRow(self, "open", [], nowMs)
}

/**
 * A parent's answers to its children: what they get is the parent's.
 *
 * @throws {RouseError} `INVALID_ARGS` when it is not the entity's child, or not asked.
 */
export async function planDecisions(
  plane: Plane,
  planning: Planning,
  parent: EntityUrl,
  decisions: readonly BudgetDecision[],
): Promise<void> {
  for (const decision of decisions) {
    const child = planning.entity(decision.entity)
    if (child?.record.parent !== parent)
      throw new RouseError("INVALID_ARGS", `budgets: ${decision.entity} is not a child of ${parent}`)
    const row = await plane.transactor.row(decision.entity, "approval", decision.call)
    const approval = row?.value as unknown as ApprovalRow | undefined
    if (approval?.kind !== "budget")
      throw new RouseError("INVALID_ARGS", `budgets: ${decision.entity} did not ask ${decision.call}`)
    if (approval.status === "waiting") answerChild(plane, planning, parent, child, approval, decision)
  }
}

function answerChild(
  plane: Plane,
  planning: Planning,
  parent: EntityUrl,
  child: EntityDraft,
  approval: ApprovalRow,
  decision: BudgetDecision,
): void {
  const { nowMs } = planning.draft
  const above = planning.entity(parent)
  const [mine, its] = [above?.control.budget, child.control.budget]
  if (decision.decision === "allow" && mine && its) {
    const pair = extendFrom(its, mine, decision.extend ?? (approval.input as unknown as BudgetRequest).extend)
    setBudget(child, pair.child)
    above?.setControl({ budget: pair.parent })
    writeRow(child, "open", [], nowMs)
  } else extendBudget(child, approval, decision, nowMs)
  const by: Principal = { kind: "agent", id: parent }
  const note = decision.note === undefined ? {} : { note: decision.note }
  const status = decision.decision === "allow" ? "allowed" : "denied"
  child.update("approval", approval.call, { ...approval, status, by, decidedAt: isoTime(nowMs), ...note })
  const content = { call: approval.call, decision: decision.decision, ...note }
  child.accept({ kind: "approval", from: by, content, mode: "steer" }, newId(nowMs, plane.random))
}
