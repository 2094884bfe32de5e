import type { EntityUrl } from "./entity.ts"

/** Tokens of one or more model calls. `cachedInputTokens` and `cacheWriteTokens` are parts of `inputTokens`. */
export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedInputTokens?: number
  readonly cacheWriteTokens?: number
  readonly reasoningTokens?: number
  /** What it cost by the price table, US dollars. */
  readonly usd?: number
  /** The model is not in the price table: `usd` is a guess on the dear side. */
  readonly unpriced?: true
  /** The call was cut off: the tokens are estimates. */
  readonly estimated?: true
}

/** What some model calls used and cost. */
export interface UsageSum {
  /** Model calls. */
  readonly calls: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedInputTokens: number
  readonly cacheWriteTokens: number
  readonly usd: number
  /** How many of the calls had no price of their own: their part of `usd` is a guess on the dear side. */
  readonly unpriced: number
}

export type UsageBy = "type" | "model" | "entity" | "tree"

/** `GET /v1/usage` */
export interface UsageQuery {
  /** `type` when absent. */
  readonly by?: UsageBy
  /** ISO 8601. Usage is kept by the hour for a day, by the day for a month: the bound is rounded to where it falls in. */
  readonly since?: string
  readonly until?: string
  readonly type?: string
  /** Only this entity. */
  readonly entity?: EntityUrl
  /** Only this entity and everything below it. */
  readonly tree?: EntityUrl
  /** Tell `times` too. */
  readonly times?: boolean
}

export interface UsageReport {
  readonly by: UsageBy
  readonly since: string | null
  readonly until: string | null
  readonly total: UsageSum
  /** The dearest first. */
  readonly groups: readonly (UsageSum & { readonly key: string })[]
  /** Groups that are not shown. */
  readonly more: number
  /** When it was, oldest first, of the dearest groups and of all others together (key ""). Only when asked for. */
  readonly times?: readonly UsageTime[]
}

/** What a group used in an hour (`2026-11-23T16`), a day (`2026-11-23`) or, when it is empty, longer ago than that is kept. */
export interface UsageTime extends UsageSum {
  readonly period: string
  readonly key: string
}
