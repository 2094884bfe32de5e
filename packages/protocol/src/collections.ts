import type { ApprovalRow } from "./approval.ts"
import type { BudgetRow, Cause } from "./budget.ts"
import type { AttachmentInfo, AttachmentRow } from "./attachments.ts"
import type { ContextRow } from "./context-rows.ts"
import type { EntityUrl } from "./entity.ts"
import type { ForkPoint } from "./fork.ts"
import type { Json, JsonObject } from "./json.ts"
import type {
  DeltaRow,
  FailureInfo,
  MemoRow,
  ReasoningRow,
  RunOutcome,
  RunRow,
  StepRow,
  TextRow,
  ToolCallRow,
} from "./run-rows.ts"
import type { SubscriptionRow } from "./observe.ts"
import type { CatchUp, ScheduleRule } from "./schedule.ts"
import type { ToolWorkRow } from "./tool-work.ts"

/**
 * The built-in collections of an entity's stream, and the shape of a row in each.
 *
 * Rows of `SERVER_COLLECTIONS` are written by the control plane alone; those of `HANDLER_COLLECTIONS` by the handler under
 * its lease. Keys of runs, steps and their parts sort in the order they happened (see `keys.ts`). Times are ISO 8601, UTC.
 */
export interface BuiltInRows {
  readonly entity: EntityRow
  readonly message: MessageRow
  readonly wake: WakeRow
  readonly child: ChildRow
  readonly signal: SignalRow
  readonly schedule: ScheduleRow
  readonly subscription: SubscriptionRow
  readonly approval: ApprovalRow
  readonly tool_work: ToolWorkRow
  readonly budget: BudgetRow
  readonly tag: TagRow
  readonly run: RunRow
  readonly step: StepRow
  readonly text: TextRow
  readonly reasoning: ReasoningRow
  readonly delta: DeltaRow
  readonly tool_call: ToolCallRow
  readonly memo: MemoRow
  readonly context: ContextRow
  readonly attachment: AttachmentRow
  readonly error: ErrorRow
}

export type BuiltInCollection = keyof BuiltInRows

/** Who is asking: a person or app with a token, an agent, a timer, a webhook's source, or the platform itself. */
export interface Principal {
  readonly kind: "user" | "agent" | "schedule" | "webhook" | "system"
  /** The token's name, the agent's address, the source's name. */
  readonly id: string
}

export interface EntityRow {
  readonly url: EntityUrl
  readonly type: string
  readonly id: string
  readonly args: JsonObject
  readonly parent: EntityUrl | null
  readonly createdAt: string
  readonly status: "live" | "paused" | "stopped"
  /** Of a fork: whose history it began with, and up to where. */
  readonly forkedFrom?: ForkPoint
  /** The schema that the author's rows are of, where their type counts them. */
  readonly schema?: number
  readonly reason?: string
}

/** How a message joins: at the next step of a run under way, at the next wake, or by aborting the run first. */
export type MessageMode = "steer" | "queue" | "interrupt"

/**
 * Something that arrived in the inbox and must be settled (P1).
 *
 * `accepted` waits; `taken` belongs to the open run; the others are terminal.
 */
export interface MessageRow {
  readonly id: string
  readonly kind:
    | "message"
    | "childFinished"
    | "approval"
    | "toolResult"
    | "signal"
    | "timeout"
    | "budget"
    | "change"
    | "forked"
  readonly from: Principal
  /** Text, or any JSON the type understands; for `childFinished` a `ChildFinished`, for `approval` an `ApprovalDecision`, for `toolResult` `{ call, status }`, for `signal` `{ name, payload? }`, for `budget` a child's `BudgetRequest`, for `change` a `ChangeNotice`, for `timeout` a `TimeoutNotice`, for `forked` null. */
  readonly content: Json
  /** Files that came with it, of this entity's attachments. */
  readonly attachments?: readonly AttachmentInfo[]
  readonly mode: MessageMode
  readonly at: string
  readonly status: "accepted" | "taken" | "processed" | "cancelled" | "dead"
  /** The run that took it. */
  readonly run?: string
  /** Why it was cancelled or dead-lettered. */
  readonly reason?: string
  /** Of a message that an agent sent at once. */
  readonly cause?: Cause
  /** The schedule that sent it, and which occurrence it is. */
  readonly schedule?: { readonly name: string; readonly dueAt: string }
}

/** What a parent is told when a child's run ends. */
export interface ChildFinished {
  readonly url: EntityUrl
  readonly outcome: RunOutcome
  readonly reply: Json
  readonly error?: string
}

/** One wake. Updated when it ends. */
export interface WakeRow {
  readonly id: string
  readonly attempt: number
  readonly epoch: number
  readonly reasons: readonly string[]
  readonly at: string
  readonly endedAt?: string
  readonly outcome?:
    | "completed"
    | "failed"
    | "suspended"
    | "sliced"
    | "interrupted"
    | "released"
    | "retry"
    | "dead"
    | "lost"
    | "stopped"
  readonly error?: string
}

export interface ChildRow {
  readonly url: EntityUrl
  readonly type: string
  readonly at: string
  /** Whether the parent is woken when the child's run ends. */
  readonly wake: "finished" | "never"
  readonly status: "running" | RunOutcome
  readonly reply?: Json
}

export interface SignalRow {
  readonly name: string
  readonly from: Principal
  readonly at: string
  readonly payload?: Json
}

/**
 * A message to be sent later. Deleted when it has been sent for the last time. One with a rule is a schedule: its key is its name, and it
 * is updated as it fires.
 */
export interface ScheduleRow {
  readonly to: EntityUrl
  readonly content: Json
  /** The next occurrence. */
  readonly dueAt: string
  readonly rule?: ScheduleRule
  readonly catchUp?: CatchUp
  /** When it last fired. */
  readonly firedAt?: string
}

export interface TagRow {
  readonly value: string
}

export interface ErrorRow extends FailureInfo {
  readonly at: string
  readonly wake: string
  readonly attempt: number
  readonly stack?: string
}

/** Collections that the control plane writes. */
export const SERVER_COLLECTIONS: readonly BuiltInCollection[] = [
  "entity",
  "message",
  "wake",
  "child",
  "signal",
  "schedule",
  "subscription",
  "approval",
  "tool_work",
  "budget",
  "tag",
  "error",
]

/** Collections that a handler writes under its lease. */
export const HANDLER_COLLECTIONS: readonly BuiltInCollection[] = [
  "run",
  "step",
  "text",
  "reasoning",
  "delta",
  "tool_call",
  "memo",
  "context",
  "attachment",
]

/** Collections that are on the log and never kept as live rows. */
export const LOG_ONLY_COLLECTIONS: ReadonlySet<string> = new Set(["delta", "wake", "signal", "error"])
