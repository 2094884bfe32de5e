import type { ErrorCode } from "./errors.ts"
import type { Json, JsonObject } from "./json.ts"
import type { Usage } from "./usage.ts"

/** Rows that a handler writes as it works: the run, its steps, what the model said, and what tools did. */

export type RunOutcome = "completed" | "failed" | "interrupted" | "stopped"

/** One run: opened by the first wake that takes its messages, closed exactly once. */
export interface RunRow {
  readonly id: string
  readonly wake: string
  readonly status: "running" | "suspended" | RunOutcome
  readonly startedAt: string
  readonly endedAt?: string
  readonly reply?: Json
  readonly error?: FailureInfo
  readonly usage?: Usage
  /** Cached part of the first step's input tokens, 0 to 1; absent when the provider does not say. */
  readonly cacheHitOnWake?: number
  /** The version of the handler that it began with, where there is one. */
  readonly version?: string
}

export interface FailureInfo {
  readonly code: ErrorCode
  readonly message: string
}

/** One call of the model. */
export interface StepRow {
  readonly id: string
  readonly run: string
  readonly index: number
  /** Which `ctx.agent.run()` of the run it belongs to, from 0. */
  readonly pass: number
  readonly model: string
  /** Keys of the messages that the prompt gained at this step, in order. */
  readonly messages: readonly string[]
  /** Text that the handler added for the model, after the messages. */
  readonly prompt?: string
  readonly status: "running" | "done" | "failed" | "interrupted"
  readonly startedAt: string
  readonly endedAt?: string
  readonly finishReason?: string
  readonly usage?: Usage
  readonly error?: FailureInfo
  /** A call that wrote a summary (see `SummaryRow`): no part of the conversation. */
  readonly purpose?: "summary"
  /** Tries of the provider before it answered, when more than one. */
  readonly attempts?: number
}

/** A settled piece of the model's answer. `index` orders the parts of a step: text, reasoning and tool calls together. */
export interface TextRow {
  readonly run: string
  readonly step: string
  readonly index: number
  readonly text: string
  readonly providerMetadata?: JsonObject
}

export interface ReasoningRow extends TextRow {}

/**
 * A piece of a text or reasoning part while it streams. The key is the part's: its settled row replaces the deltas.
 * `at` is where the piece begins in the part, in UTF-16 code units. Taken back when its settled row is written, and never kept as a live row.
 */
export interface DeltaRow {
  readonly run: string
  readonly step: string
  readonly index: number
  readonly kind: "text" | "reasoning"
  readonly at: number
  readonly text: string
}

/** What a tool does to the world, and so how a crash in the middle is resolved (P2). */
export type Effect = "pure" | "idempotent" | "reconcilable" | "once"

/** Where a tool really executes (DESIGN §3). */
export type Backend = "http" | "worker" | "mcp" | "sandbox" | "human"

/**
 * One call of one tool: the intent, and then the result.
 *
 * `intended` is on disk and has not begun; `waiting` waits for a person or is with a worker, and no process waits with it; `running` has begun; the others are terminal.
 */
export interface ToolCallRow {
  readonly id: string
  readonly run: string
  readonly step: string
  readonly index: number
  /** The id that the model gave the call. */
  readonly callId: string
  readonly name: string
  readonly input: Json
  /** The input as a person changed it before allowing the call: what ran. */
  readonly edited?: Json
  readonly effect: Effect
  /** Where it executes; the handler's own process when absent. */
  readonly backend?: Backend
  readonly idempotencyKey: string
  readonly status: "intended" | "waiting" | "running" | "done" | "failed" | "denied" | "unknown" | "cancelled"
  readonly output?: Json
  readonly error?: string
  /** Executions begun, over all wakes. */
  readonly attempts: number
  readonly startedAt?: string
  readonly endedAt?: string
  /** The worker that had it last, and its claim. */
  readonly worker?: { readonly name: string; readonly claim: string }
  /** How a call left open by a crash was resolved. */
  readonly resolved?: "again" | "reconciled" | "unknown"
  readonly providerMetadata?: JsonObject
}

/** A remembered result: of `ctx.step`, or of a send or spawn already committed by this wake. Deleted when the wake ends. */
export interface MemoRow {
  readonly wake: string
  readonly value: Json
}
