import type {
  ApprovalRow,
  Budget,
  BudgetRow,
  EntityUrl,
  HandlerCommit,
  Json,
  ModelReservation,
  Principal,
  Resource,
  Spend,
  StepRow,
} from "@rouse/protocol"
import { RouseError } from "@rouse/protocol"
import {
  askFor,
  type BudgetState,
  childBudget,
  giveBack,
  newBudget,
  newlyWarned,
  NOTHING,
  reserve,
  retake,
  settle,
  sum,
} from "@rouse/protocol/budget"
import { type Control, isoTime, newControl } from "./core/control.ts"
import type { EntityDraft } from "./core/draft.ts"
import { newId } from "./core/id.ts"
import { book } from "./core/usage-book.ts"
import type { HeldLease } from "./handler-commit.ts"
import type { Plane } from "./plane.ts"
import type { Planning } from "./transactor.ts"

/**
 * Where budgets meet commits (P5): each function adds to a commit that is being planned for another reason. What is decided is in
 * `@rouse/protocol/budget`.
 */

const KEY = "budget"

/** A spawn, as far as budgets are concerned. */
interface Spawning {
  readonly type: string
  readonly id: string
  readonly wake: "finished" | "never"
  readonly budget?: Budget
}

/**
 * The control of a new entity, with its share of what its parent has left.
 *
 * @throws {RouseError} `BUDGET_EXHAUSTED` when the parent may make no more children, or none as deep.
 */
export function spawnControl(
  plane: Plane,
  above: EntityDraft | undefined,
  input: Spawning,
  depth: number,
  nowMs: number,
): { readonly control: Control; readonly budget: BudgetRow | undefined } {
  const base = newControl(depth, input.wake === "finished")
  const asked: Budget = { ...plane.types.get(input.type)?.budget, ...input.budget }
  const parent = above?.control.budget
  if (above) countChild(plane, above, input)
  const root = above ? { root: above.control.root ?? above.url } : {}
  if (Object.keys(asked).length === 0 && !parent) return { control: { ...base, ...root }, budget: undefined }
  const made = above && parent ? childBudget(asked, parent, above.url) : undefined
  if (made) above?.setControl({ budget: made.parent })
  const budget = made?.child ?? newBudget(asked)
  return { control: { ...base, ...root, budget }, budget: rowOf(budget, "open", [], nowMs) }
}

function countChild(plane: Plane, above: EntityDraft, { type, id }: Spawning): void {
  const children = (above.control.children ?? 0) + 1
  const limits = above.control.budget?.limits
  const max = Math.min(limits?.children ?? Number.POSITIVE_INFINITY, plane.limits.childrenMax)
  if (children > max) {
    throw new RouseError("BUDGET_EXHAUSTED", `children: ${above.url} may make ${max} children, and has made them`)
  }
  if (limits?.depth !== undefined && limits.depth < 1) {
    throw new RouseError("BUDGET_EXHAUSTED", `depth: ${above.url} may have no children such as /${type}/${id} below it`)
  }
  above.setControl({ children })
}

/** Counts what the model calls and tools in a handler's commit used: in its record, and so once, however often it is sent. */
export function chargeCommit(planning: Planning, lease: HeldLease, commit: HandlerCommit): void {
  const self = planning.entity(lease.url)
  if (!self) return
  for (const event of commit.events) {
    if (event.type === "step" && event.value) chargeStep(self, event.key, event.value as unknown as StepRow)
  }
  if (!self.control.budget) return
  const toolCalls = commit.events.filter(
    ({ type, headers }) => type === "tool_call" && headers.operation === "insert",
  ).length
  if (toolCalls > 0) setBudget(self, settle(self.control.budget, "", { ...NOTHING, toolCalls }))
  if (commit.finish) chargeWall(self, lease.atMs, self.nowMs)
  warn(self)
}

function chargeStep(self: EntityDraft, key: string, step: StepRow): void {
  const { usage, model, status } = step
  if (status === "running") return
  if (usage) self.setControl({ usage: book(self.control.usage, model, usage, self.nowMs) })
  const { budget } = self.control
  if (!budget) return
  const used: Spend = usage
    ? { ...NOTHING, usd: usage.usd ?? 0, tokens: usage.inputTokens + usage.outputTokens, steps: 1 }
    : NOTHING
  setBudget(self, settle(budget, key, used))
}

/** Counts the time that a wake took, at its end. */
export function chargeWall(self: EntityDraft, fromMs: number, nowMs: number): void {
  const { budget } = self.control
  if (budget?.limits.wallMs === undefined) return
  setBudget(self, { ...budget, wallMs: budget.wallMs + Math.max(0, nowMs - fromMs) })
}

function warn(self: EntityDraft): void {
  const { budget } = self.control
  const resources = budget ? newlyWarned(budget) : []
  if (!budget || resources.length === 0) return
  setBudget(self, { ...budget, warned: [...budget.warned, ...resources] })
  writeRow(self, "warned", resources)
}

/** The entities beside its own that a commit needs for its budget: whom it asks, takes a share from again, or answers. */
export async function budgetUrls(plane: Plane, lease: HeldLease, commit: HandlerCommit): Promise<readonly EntityUrl[]> {
  const answered = (commit.budgets ?? []).map((decision) => decision.entity)
  if (!commit.reserve) return answered
  const urls: EntityUrl[] = [...answered]
  let budget = await budgetOf(plane, lease.url)
  const refused = budget && reserve(budget, commit.reserve, plane.clock() - lease.atMs).refused.length > 0
  // Its share went home, and so may have its parent's: they are taken again from the top down, in this commit.
  for (let isShort = refused; isShort && budget?.from && !urls.includes(budget.from); isShort = budget?.home) {
    urls.push(budget.from)
    budget = await budgetOf(plane, budget.from)
  }
  return urls
}

async function budgetOf(plane: Plane, url: EntityUrl): Promise<BudgetState | undefined> {
  return (await plane.transactor.record(url))?.control["budget"] as unknown as BudgetState | undefined
}

/** Holds what a model call may use; or asks a person and the parent, once. Returns whether the call may be made. */
export function planReserve(plane: Plane, planning: Planning, lease: HeldLease, wanted: ModelReservation): boolean {
  const self = planning.entity(lease.url)
  if (!self?.control.budget) return true
  const wakeMs = planning.draft.nowMs - lease.atMs
  let tried = reserve(self.control.budget, wanted, wakeMs)
  if (tried.refused.length > 0 && takeAgain(planning, self)) tried = reserve(self.control.budget, wanted, wakeMs)
  setBudget(self, tried.state)
  if (tried.refused.length === 0) return true
  if (tried.state.waiting === null) ask(plane, planning, self, wanted, tried.refused)
  return false
}

/** Takes the shares again that went home when runs ended, from the top down. */
function takeAgain(planning: Planning, self: EntityDraft): boolean {
  const { budget } = self.control
  if (!budget?.home || budget.from === null) return false
  const above = find(planning, budget.from)
  if (!above?.control.budget) return false
  takeAgain(planning, above)
  const { child, parent } = retake(budget, above.control.budget)
  self.setControl({ budget: child })
  above.setControl({ budget: parent })
  return true
}

function ask(
  plane: Plane,
  planning: Planning,
  self: EntityDraft,
  wanted: ModelReservation,
  exhausted: readonly Resource[],
): void {
  const { nowMs } = planning.draft
  const { state, request } = askFor(self.control.budget as BudgetState, self.url, wanted, exhausted)
  const { call } = request
  setBudget(self, state)
  const input = request as unknown as Json
  self.insert("approval", call, { kind: "budget", call, tool: KEY, input, at: isoTime(nowMs), status: "waiting" })
  writeRow(self, "exhausted", exhausted)
  const above = state.from === null ? undefined : find(planning, state.from)
  if (!above || !self.control.notify || above.record.status === "stopped") return
  const from: Principal = { kind: "agent", id: self.url }
  above.accept({ kind: "budget", from, content: input, mode: "steer" }, newId(nowMs, plane.random))
}

/** A run ends: what was held is free, what was asked needs no answer, and what is left goes back to the parent. */
export async function closeBudget(plane: Plane, planning: Planning, self: EntityDraft): Promise<void> {
  const { budget } = self.control
  if (!budget) return
  const { waiting } = budget
  const value =
    waiting === null
      ? undefined
      : (self.planned("approval", waiting) ?? (await plane.transactor.row(self.url, "approval", waiting))?.value)
  const approval = value as unknown as ApprovalRow | undefined
  if (approval?.status === "waiting") self.update("approval", approval.call, { ...approval, status: "cancelled" })
  const closed = { ...budget, held: null, waiting: null }
  const above = budget.from === null ? undefined : planning.entity(budget.from)
  if (!above?.control.budget) return setBudget(self, closed)
  const { child, parent } = giveBack(closed, above.control.budget)
  setBudget(self, child)
  above.setControl({ budget: parent })
  warn(above)
}

export function setBudget(self: EntityDraft, budget: BudgetState): void {
  self.setControl({ budget })
}

/** Says on the log how a budget stands. */
export function writeRow(
  self: EntityDraft,
  status: BudgetRow["status"],
  resources: readonly Resource[],
  nowMs: number = self.nowMs,
): void {
  const { budget } = self.control
  if (budget) self.update("budget", KEY, rowOf(budget, status, resources, nowMs))
}

function rowOf(
  budget: BudgetState,
  status: BudgetRow["status"],
  resources: readonly Resource[],
  nowMs: number,
): BudgetRow {
  const about = resources.length > 0 ? { resources } : {}
  return { status, limits: budget.limits, spent: sum(budget.spent, NOTHING), ...about, at: isoTime(nowMs) }
}

/** An entity of the plan; undefined when the plan was made without it. */
function find(planning: Planning, url: EntityUrl): EntityDraft | undefined {
  try {
    return planning.entity(url)
  } catch (error) {
    if (RouseError.is(error, "INTERNAL")) return undefined
    throw error
  }
}
