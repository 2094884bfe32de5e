import type {
  ApprovalRow,
  Budget,
  BudgetDecision,
  BudgetExtension,
  BudgetRequest,
  BudgetRow,
  ChangeEvent,
  Json,
  ModelReservation,
  Resource,
  StepRow,
} from "@rouse/protocol"
import { RouseError } from "@rouse/protocol"
import {
  askFor,
  type BudgetState,
  childBudget,
  extend,
  extendFrom,
  giveBack,
  newBudget,
  newlyWarned,
  NOTHING,
  reserve,
  retake,
  settle,
} from "@rouse/protocol/budget"
import type { TestEntity } from "./entity.ts"

/** What a server does with budgets as it applies commits, for the in-memory Rouse. What is decided is in `@rouse/protocol/budget`. */

const KEY = "budget"

/** Gives a new entity its budget: its own, or its share of what its parent has left. */
export function openBudget(
  entity: TestEntity,
  parent: TestEntity | undefined,
  own: Budget | undefined,
  at: string,
): void {
  if (parent) parent.children += 1
  const asked: Budget = { ...entity.definition.budget, ...own }
  if (Object.keys(asked).length === 0 && !parent?.budget) return
  if (parent?.budget) {
    const made = childBudget(asked, parent.budget, parent.url)
    parent.budget = made.parent
    entity.budget = made.child
  } else entity.budget = newBudget(asked)
  putRow(entity, "open", [], at)
}

/** @throws {RouseError} `BUDGET_EXHAUSTED` when the parent may make no `more` children, or none as deep. */
export function checkChildren(parent: TestEntity, more: number): void {
  const { children, depth } = parent.budget?.limits ?? {}
  if (more === 0) return
  if (children !== undefined && parent.children + more > children)
    throw new RouseError("BUDGET_EXHAUSTED", `children: ${parent.url} may make ${children} children`)
  if (depth !== undefined && depth < 1)
    throw new RouseError("BUDGET_EXHAUSTED", `depth: ${parent.url} may have no children`)
}

/** Counts what the model calls and tools in a handler's commit used. */
export function charge(entity: TestEntity, events: readonly ChangeEvent[], at: string): void {
  for (const { type, key, value, headers } of events) {
    if (!entity.budget) return
    if (type === "tool_call" && headers.operation === "insert")
      entity.budget = settle(entity.budget, "", { ...NOTHING, toolCalls: 1 })
    const { status, usage } = (type === "step" && value ? value : {}) as Partial<StepRow>
    if (status === undefined || status === "running") continue
    const used = usage
      ? { ...NOTHING, usd: usage.usd ?? 0, tokens: usage.inputTokens + usage.outputTokens, steps: 1 }
      : NOTHING
    entity.budget = settle(entity.budget, key, used)
  }
  warn(entity, at)
}

export function chargeWall(entity: TestEntity, ms: number): void {
  if (entity.budget) entity.budget = { ...entity.budget, wallMs: entity.budget.wallMs + ms }
}

function warn(entity: TestEntity, at: string): void {
  const resources = entity.budget ? newlyWarned(entity.budget) : []
  if (!entity.budget || resources.length === 0) return
  entity.budget = { ...entity.budget, warned: [...entity.budget.warned, ...resources] }
  putRow(entity, "warned", resources, at)
}

/** Who may be asked, and told, beside the entity itself. */
export interface Family {
  readonly parent: TestEntity | undefined
  readonly tellParent: (request: BudgetRequest) => void
}

/** Holds what a model call may use; or asks, once. Returns whether the call may be made. */
export function planReserve(
  entity: TestEntity,
  wanted: ModelReservation,
  { parent, tellParent }: Family,
  wakeMs: number,
  at: string,
): boolean {
  if (!entity.budget) return true
  let tried = reserve(entity.budget, wanted, wakeMs)
  if (tried.refused.length > 0 && entity.budget.home && parent?.budget) {
    const pair = retake(entity.budget, parent.budget)
    parent.budget = pair.parent
    tried = reserve(pair.child, wanted, wakeMs)
  }
  entity.budget = tried.state
  if (tried.refused.length === 0) return true
  if (tried.state.waiting === null) tellParent(ask(entity, tried.state, wanted, tried.refused, at))
  return false
}

function ask(
  entity: TestEntity,
  budget: BudgetState,
  wanted: ModelReservation,
  exhausted: readonly Resource[],
  at: string,
): BudgetRequest {
  const { state, request } = askFor(budget, entity.url, wanted, exhausted)
  const { call } = request
  entity.budget = state
  const input = request as unknown as Json
  entity.put("approval", call, { kind: "budget", call, tool: KEY, input, at, status: "waiting" } satisfies ApprovalRow)
  putRow(entity, "exhausted", exhausted, at)
  return request
}

/** What a person's answer, or the parent's, does to a budget. Without `parent` it is new money. */
export function answerBudget(
  entity: TestEntity,
  approval: ApprovalRow,
  answer: Pick<BudgetDecision, "decision"> & { readonly extend?: BudgetExtension | undefined },
  parent: TestEntity | undefined,
  at: string,
): void {
  if (!entity.budget) return
  if (answer.decision === "deny") {
    entity.budget = { ...entity.budget, waiting: null }
    return
  }
  const more = answer.extend ?? (approval.input as unknown as BudgetRequest).extend
  if (parent?.budget) {
    const pair = extendFrom(entity.budget, parent.budget, more)
    entity.budget = pair.child
    parent.budget = pair.parent
  } else entity.budget = extend(entity.budget, more)
  putRow(entity, "open", [], at)
}

/**
 * A parent's answer to a child whose budget is used up: what it gets is the parent's.
 *
 * @returns What the child is told; null when it asks no more.
 * @throws {RouseError} `INVALID_ARGS` when it is not the parent's child, or did not ask.
 */
export function answerChild(parent: TestEntity, child: TestEntity, answer: BudgetDecision, at: string): Json {
  const { call, decision, note } = answer
  const row = child.rows.get("approval", call)
  if (child.info.parent !== parent.url || row?.kind !== "budget")
    throw new RouseError("INVALID_ARGS", `budgets: ${child.url} did not ask ${parent.url} for ${call}`)
  if (row.status !== "waiting") return null
  answerBudget(child, row, answer, parent, at)
  const said = note === undefined ? {} : { note }
  const by = { kind: "agent", id: parent.url } as const
  const status = decision === "allow" ? "allowed" : "denied"
  child.put("approval", call, { ...row, ...said, status, by, decidedAt: at } satisfies ApprovalRow)
  return { call, decision, ...said }
}

/** A run ended: what is left goes back to the parent. */
export function closeBudget(entity: TestEntity, parent: TestEntity | undefined, at: string): void {
  if (!entity.budget) return
  const closed = { ...entity.budget, held: null, waiting: null }
  entity.budget = closed
  if (!parent?.budget || closed.from === null) return
  const pair = giveBack(closed, parent.budget)
  entity.budget = pair.child
  parent.budget = pair.parent
  warn(parent, at)
}

function putRow(entity: TestEntity, status: BudgetRow["status"], resources: readonly Resource[], at: string): void {
  if (!entity.budget) return
  const { limits, spent } = entity.budget
  const about = resources.length > 0 ? { resources } : {}
  entity.put(KEY, KEY, { status, limits, spent, ...about, at } satisfies BudgetRow)
}
