import type { ApprovalRow, ChangeEvent, EntityRow, StepRow } from "@rouse/protocol"
import type { Violation } from "../../crash/core/history.ts"
import { AGENT } from "../../crash/core/work.ts"
import type { PlannedBudget } from "./plan.ts"

/** What people add whenever they are asked, of whatever is bounded. */
export const EXTENSION = { steps: 3, tokens: 6_000 } as const

/** A tree of agents under one budget. */
interface Tree {
  readonly given: { steps: number; tokens: number }
  readonly used: { steps: number; tokens: number }
  /** Agents under it, its root among them. */
  members: number
}

/**
 * What P5 says of spending, in as few words as can be: what was given to a tree is what its root began with and what people added to any of
 * it; what was used is what its logs say. It knows nothing of shares, holds and returns.
 *
 * The model of the simulation never uses more than was held for it, so the bound is exact.
 */
export class SpendModel {
  readonly #given: ReadonlyMap<string, PlannedBudget["limits"]>
  readonly #trees = new Map<string, Tree>()
  readonly #counted = new Set<string>()
  readonly #allowed = new Set<string>()

  constructor(budgets: readonly PlannedBudget[]) {
    this.#given = new Map(budgets.map(({ agent, limits }) => [`/${AGENT}/${agent}`, limits]))
  }

  /** What is written on an entity's log. @returns What it breaks. */
  see(url: string, events: readonly ChangeEvent[]): readonly Violation[] {
    const faults: Violation[] = []
    for (const { type, key, value } of events) {
      if (!value) continue
      if (type === "entity") this.#born(url, value as unknown as EntityRow)
      const tree = this.#trees.get(url)
      if (!tree) continue
      if (type === "step") this.#use(tree, `${url} ${key}`, value as unknown as StepRow)
      if (type !== "approval") continue
      faults.push(...judgeAsk(url, tree, value as unknown as ApprovalRow))
      this.#allow(tree, `${url} ${key}`, value as unknown as ApprovalRow)
    }
    return [...faults, ...this.#judge(url)]
  }

  #born(url: string, { parent }: EntityRow): void {
    if (this.#trees.has(url)) return
    const limits = this.#given.get(url)
    const above = parent === null ? undefined : this.#trees.get(parent)
    const { steps = Infinity, tokens = Infinity } = limits ?? {}
    const tree = above ?? (limits && { given: { steps, tokens }, used: { steps: 0, tokens: 0 }, members: 0 })
    if (!tree) return
    tree.members += 1
    this.#trees.set(url, tree)
  }

  #use({ used }: Tree, step: string, { status, usage }: StepRow): void {
    if (status === "running" || usage === undefined || this.#counted.has(step)) return
    this.#counted.add(step)
    used.steps += 1
    used.tokens += usage.inputTokens + usage.outputTokens
  }

  #allow({ given }: Tree, approval: string, { kind, status }: ApprovalRow): void {
    if (kind !== "budget" || status !== "allowed" || this.#allowed.has(approval)) return
    this.#allowed.add(approval)
    given.steps += EXTENSION.steps
    given.tokens += EXTENSION.tokens
  }

  #judge(url: string): readonly Violation[] {
    const tree = this.#trees.get(url)
    if (!tree) return []
    return (["steps", "tokens"] as const).flatMap((resource): Violation[] => {
      const [given, used] = [tree.given[resource], tree.used[resource]]
      return used <= given ? [] : [{ rule: "P5", where: url, what: `used ${used} ${resource} of ${given}` }]
    })
  }
}

/** One that is alone under its budget asks when there is no step left, and not before. */
function judgeAsk(where: string, { given, used, members }: Tree, { kind, status }: ApprovalRow): readonly Violation[] {
  const isAsked = kind === "budget" && status === "waiting"
  if (!isAsked || members > 1 || given.tokens !== Infinity || used.steps >= given.steps) return []
  return [{ rule: "P5", where, what: `asked for more with ${used.steps} steps used of ${given.steps}` }]
}
