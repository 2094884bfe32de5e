import type { Budget, BudgetExtension, BudgetRequest, ModelReservation, Resource, Spend } from "./budget.ts"
import type { EntityUrl } from "./entity.ts"

/**
 * What one entity may use and has used (P5). Part of its record, so it changes in the commits that exist anyway.
 *
 * ```
 * limits = spent + lent + held + left        lent: what children at work may use
 * ```
 *
 * Invariants, for each shared resource:
 * 1. `spent + lent + held <= limits`, as long as no call uses more than was held for it.
 * 2. A child's `share` is in its parent's `lent` until the child's run ends. Then the parent's `spent` grows by what the child used, and the rest is the parent's again.
 * 3. Money is never in two places: a grant, its return and its extension each change both sides in one commit.
 */
export interface BudgetState {
  readonly limits: Budget
  /** As it began: what an extension that names no amounts adds again. */
  readonly base: Budget
  readonly spent: Spend
  readonly held: ModelReservation | null
  readonly lent: Spend
  /** Whose budget it is taken from. */
  readonly from: EntityUrl | null
  /** What of it is still in the parent's `lent`; a resource that is not taken from the parent is absent. */
  readonly share: Partial<Spend>
  /** How much of `spent` the parent knows. */
  readonly reported: Spend
  /** What people added, and the parent does not know yet. */
  readonly extra: Partial<Spend>
  /** What was left has been given back: the next run takes a share again. */
  readonly home: boolean
  /** Milliseconds of wakes that are over. */
  readonly wallMs: number
  readonly warned: readonly Resource[]
  /** How often somebody was asked: numbers the approvals. */
  readonly asked: number
  /** Key of the approval that waits. */
  readonly waiting: string | null
}

export const SHARED: readonly (keyof Spend)[] = ["usd", "tokens", "steps", "toolCalls"]
export const NOTHING: Spend = { usd: 0, tokens: 0, steps: 0, toolCalls: 0 }

/** Where the log says so, when the budget does not. */
const WARN_AT = 0.8
/** Sums of prices are binary fractions: a billionth of a dollar decides nothing. */
const EPSILON = 1e-9

/** The budget of an entity that takes nothing from another. */
export function newBudget(limits: Budget): BudgetState {
  return {
    limits,
    base: limits,
    spent: NOTHING,
    held: null,
    lent: NOTHING,
    from: null,
    share: {},
    reported: NOTHING,
    extra: {},
    home: false,
    wallMs: 0,
    warned: [],
    asked: 0,
    waiting: null,
  }
}

/** What is neither used, held nor lent. Undefined: not bounded. Below 0 when a call used more than was held for it. */
export function leftOf(state: BudgetState, resource: keyof Spend): number | undefined {
  const limit = state.limits[resource]
  if (limit === undefined) return undefined
  return limit - state.spent[resource] - state.lent[resource] - heldOf(state, resource)
}

function heldOf({ held }: BudgetState, resource: keyof Spend): number {
  if (held === null) return 0
  if (resource === "steps") return 1
  return resource === "toolCalls" ? 0 : held[resource]
}

/** Both sides of a grant, a return or an extension. */
export interface Pair {
  readonly child: BudgetState
  readonly parent: BudgetState
}

/**
 * The budget of a child, taken from its parent's: of each shared resource what it asks for, as far as there is any, and half of what is
 * left when it asks for nothing. Bounds that are each entity's own are inherited.
 */
export function childBudget(asked: Budget, parent: BudgetState, from: EntityUrl): Pair {
  const { limits } = parent
  const depths = [asked.depth, limits.depth === undefined ? undefined : limits.depth - 1].filter((n) => n !== undefined)
  const inherited: Budget = {
    ...pick(limits, ["wallMs", "children", "wakesPerMinute", "warnAt"]),
    ...asked,
    ...(depths.length > 0 ? { depth: Math.min(...depths) } : {}),
  }
  const pair = takeShare({ ...newBudget(inherited), from }, parent, asked)
  return { ...pair, child: { ...pair.child, base: pair.child.limits } }
}

/** Takes a share again: its parent's money went home when the last run ended. */
export function retake(child: BudgetState, parent: BudgetState): Pair {
  return takeShare({ ...child, home: false }, parent, child.base)
}

function takeShare(child: BudgetState, parent: BudgetState, asked: Budget): Pair {
  const limits: Record<string, number> = { ...child.limits }
  const share: Record<string, number> = { ...child.share }
  const lent: Record<keyof Spend, number> = { ...parent.lent }
  for (const resource of SHARED) {
    const left = leftOf(parent, resource)
    if (left === undefined) continue
    const part = grant(resource, asked[resource], Math.max(0, left))
    const isFirst = share[resource] === undefined
    limits[resource] = (isFirst ? 0 : (limits[resource] ?? 0)) + part
    share[resource] = (share[resource] ?? 0) + part
    lent[resource] += part
  }
  return { child: { ...child, limits, share }, parent: { ...parent, lent } }
}

function grant(resource: keyof Spend, asked: number | undefined, left: number): number {
  if (asked !== undefined) return Math.min(asked, left)
  return resource === "usd" ? left / 2 : Math.floor(left / 2)
}

/** Gives back what a child has left, and tells its parent what it used. What its own children still hold stays lent. */
export function giveBack(child: BudgetState, parent: BudgetState): Pair {
  const limits: Record<string, number> = { ...child.limits }
  const share: Record<string, number> = {}
  const lent: Record<keyof Spend, number> = { ...parent.lent }
  const spent: Record<keyof Spend, number> = { ...parent.spent }
  const above: Record<string, number> = { ...parent.limits }
  for (const resource of SHARED) {
    const part = child.share[resource]
    spent[resource] += child.spent[resource] - child.reported[resource]
    if (part === undefined) continue
    share[resource] = child.lent[resource]
    lent[resource] += child.lent[resource] - part
    limits[resource] = child.spent[resource] + child.lent[resource]
    if (above[resource] !== undefined) above[resource] += child.extra[resource] ?? 0
  }
  // What people added here is new money above too, and its parent's parent hears of it in turn.
  const extra = parent.from === null ? parent.extra : added(parent.extra, pick(child.extra, keysOf(parent.share)))
  return {
    child: { ...child, held: null, limits, share, reported: child.spent, extra: {}, home: true },
    parent: { ...parent, spent, lent, limits: above, extra },
  }
}

export interface Reserved {
  readonly state: BudgetState
  /** What there is not enough of; none: the call may be made. */
  readonly refused: readonly Resource[]
}

/** Holds what a model call may use, if there is enough of everything. @param wakeMs How long the wake has lasted. */
export function reserve(state: BudgetState, wanted: ModelReservation, wakeMs: number): Reserved {
  const free = { ...state, held: null }
  const refused: Resource[] = SHARED.filter((resource) => isShort(free, resource, wanted))
  const { wallMs } = state.limits
  if (wallMs !== undefined && state.wallMs + wakeMs >= wallMs) refused.push("wallMs")
  if (refused.length > 0) return { state: free, refused }
  return { state: { ...state, held: wanted }, refused: [] }
}

function isShort(state: BudgetState, resource: keyof Spend, wanted: ModelReservation): boolean {
  const left = leftOf(state, resource)
  if (left === undefined) return false
  // The model decides about tools: it is called while one more would be allowed, and once where none is.
  if (resource === "toolCalls") return left <= 0 && state.spent.toolCalls > 0
  return left + EPSILON < (resource === "steps" ? 1 : wanted[resource])
}

/** Counts what was used. What was held for the step is free again. */
export function settle(state: BudgetState, step: string, used: Spend): BudgetState {
  const held = state.held?.step === step ? null : state.held
  return { ...state, held, spent: sum(state.spent, used) }
}

/** Resources that have just come to the part of their bound at which the log says so. */
export function newlyWarned(state: BudgetState): readonly Resource[] {
  const at = state.limits.warnAt ?? WARN_AT
  return SHARED.filter((resource) => {
    const limit = state.limits[resource]
    if (limit === undefined || limit === 0 || state.warned.includes(resource)) return false
    return state.spent[resource] + state.lent[resource] >= at * limit - EPSILON && state.spent[resource] > 0
  })
}

/** A budget that waits for an answer, and what is asked. The request's `call` is the key of the approval that waits. */
export interface Asked {
  readonly state: BudgetState
  readonly request: BudgetRequest
}

/** Asks for what a model call was refused. */
export function askFor(
  state: BudgetState,
  entity: EntityUrl,
  wanted: ModelReservation,
  exhausted: readonly Resource[],
): Asked {
  const asked = state.asked + 1
  const call = `${wanted.step}-b${asked}`
  const request: BudgetRequest = {
    entity,
    call,
    exhausted,
    spent: { ...state.spent, wallMs: state.wallMs },
    limits: state.limits,
    needs: { usd: wanted.usd, tokens: wanted.tokens },
    extend: usualExtension(state, exhausted, wanted),
  }
  return { state: { ...state, asked, waiting: call }, request }
}

/** What an extension that names no amounts adds: as much again as it began with, and at least what the next call needs. */
function usualExtension(state: BudgetState, refused: readonly Resource[], wanted: ModelReservation): BudgetExtension {
  const needs: Record<Resource, number> = { usd: wanted.usd, tokens: wanted.tokens, steps: 1, toolCalls: 1, wallMs: 1 }
  return Object.fromEntries(refused.map((name) => [name, Math.max(state.base[name] ?? 0, shortOf(state, name, needs))]))
}

function shortOf(state: BudgetState, name: Resource, needs: Record<Resource, number>): number {
  const left = name === "wallMs" ? (state.limits.wallMs ?? 0) - state.wallMs : (leftOf(state, name) ?? 0)
  return Math.max(0, needs[name] - left)
}

/** Adds new money: what a person allows. */
export function extend(state: BudgetState, extension: BudgetExtension): BudgetState {
  const shared = pick(extension, keysOf(state.share))
  return { ...widened(state, extension), extra: added(state.extra, shared) }
}

/** Adds what the parent has: as much as is asked for, as far as there is any. */
export function extendFrom(child: BudgetState, parent: BudgetState, extension: BudgetExtension): Pair {
  const given: Record<string, number> = { ...extension }
  const share: Record<string, number> = { ...child.share }
  const lent: Record<keyof Spend, number> = { ...parent.lent }
  for (const resource of keysOf(child.share)) {
    const left = leftOf(parent, resource)
    if (given[resource] === undefined || left === undefined) continue
    const part = Math.min(given[resource], Math.max(0, left))
    given[resource] = part
    share[resource] = (share[resource] ?? 0) + part
    lent[resource] += part
  }
  return { child: { ...widened(child, given), share }, parent: { ...parent, lent } }
}

function widened(state: BudgetState, extension: BudgetExtension): BudgetState {
  const limits: Record<string, number> = { ...state.limits }
  for (const [name, more] of Object.entries(extension)) if (limits[name] !== undefined) limits[name] += more
  return { ...state, limits, waiting: null, warned: [], home: false }
}

export function sum(a: Spend, b: Spend): Spend {
  return {
    usd: a.usd + b.usd,
    tokens: a.tokens + b.tokens,
    steps: a.steps + b.steps,
    toolCalls: a.toolCalls + b.toolCalls,
  }
}

function added(a: Partial<Spend>, b: Partial<Spend>): Partial<Spend> {
  return Object.fromEntries(keysOf({ ...a, ...b }).map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]))
}

function keysOf(amounts: Partial<Spend>): readonly (keyof Spend)[] {
  return SHARED.filter((name) => amounts[name] !== undefined)
}

function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Partial<Pick<T, K>> {
  const entries = names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]] as const]))
  return Object.fromEntries(entries) as Partial<Pick<T, K>>
}
