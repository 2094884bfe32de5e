import type { EntityUrl } from "./entity.ts"

/**
 * Bounds of one entity and of the tree below it (P5). What is absent is not bounded.
 *
 * `usd`, `tokens`, `steps` and `toolCalls` are shared: what a child may use is taken from its parent's, and what it leaves returns.
 */
export interface Budget {
  /** US dollars that model calls may cost, by the price table. */
  readonly usd?: number
  /** Input and output tokens of model calls. */
  readonly tokens?: number
  /** Model calls. */
  readonly steps?: number
  readonly toolCalls?: number
  /** Milliseconds that wakes of the entity may take in all. Each entity's own. */
  readonly wallMs?: number
  /** Children that the entity may make. Each entity's own. */
  readonly children?: number
  /** Levels below the entity: 0 allows no children. */
  readonly depth?: number
  /** Wakes that may begin within a minute. Each entity's own. */
  readonly wakesPerMinute?: number
  /** The part of a bound at which the log says so: above 0, at most 1. 0.8 when absent. */
  readonly warnAt?: number
}

/** What is shared down a tree, and counted. */
export interface Spend {
  readonly usd: number
  readonly tokens: number
  readonly steps: number
  readonly toolCalls: number
}

export type Resource = keyof Spend | "wallMs"

/** How a budget stands. One row, `budget`, of an entity that has one; written when that changes, not at each call. */
export interface BudgetRow {
  readonly status: "open" | "warned" | "exhausted"
  readonly limits: Budget
  /** Used by the entity, and by children that gave back what they had left. */
  readonly spent: Spend
  /** What this is about, when not `open`. */
  readonly resources?: readonly Resource[]
  readonly at: string
}

/** What a model call may use at most, asked for before it is made. */
export interface ModelReservation {
  /** Key of the step. Asking again for the same step replaces what was held for it. */
  readonly step: string
  readonly usd: number
  readonly tokens: number
}

/** What a person or a parent is asked when a budget is used up: the `input` of the approval, and what the parent is told. */
export interface BudgetRequest {
  readonly entity: EntityUrl
  /** Key of the approval. */
  readonly call: string
  readonly exhausted: readonly Resource[]
  readonly spent: Spend & { readonly wallMs: number }
  readonly limits: Budget
  /** What the next model call needs. */
  readonly needs: { readonly usd: number; readonly tokens: number }
  /** What is added when the answer does not say. */
  readonly extend: BudgetExtension
}

export type BudgetExtension = { readonly [K in Resource]?: number }

/** A parent's or a person's answer to a `BudgetRequest`. */
export interface BudgetDecision {
  readonly entity: EntityUrl
  readonly call: string
  readonly decision: "allow" | "deny"
  readonly extend?: BudgetExtension
  readonly note?: string
}

/** What made a message: how many messages in a row caused each other, and the last agents of that chain, oldest first. */
export interface Cause {
  readonly hops: number
  readonly chain: readonly EntityUrl[]
}
