import type { ApprovalRequest, ApprovalRule } from "./approval.ts"
import type { AttachmentBackend } from "./attachments.ts"
import type { AskRequest } from "./ask.ts"
import type { Budget, BudgetDecision, ModelReservation } from "./budget.ts"
import type { ChangeEvent, Row } from "./change.ts"
import type { MessageMode, MessageRow } from "./collections.ts"
import type { EntityUrl } from "./entity.ts"
import type { ForkRequest } from "./fork.ts"
import type { Json, JsonObject } from "./json.ts"
import type { Offset } from "./offset.ts"
import type { FailureInfo } from "./run-rows.ts"
import type { ObserveRequest } from "./observe.ts"
import type { ScheduleRequest } from "./schedule.ts"
import type { SharedAnswers, SharedRequest, SharedWrite } from "./shared.ts"
import type { WorkRequest } from "./tool-work.ts"

/**
 * What passes between the control plane and a handler. JSON all the way: the same values cross a function call, a webhook or
 * a pull, so a handler cannot tell which it has.
 */

/** Why a wake happened. */
export interface Reason {
  readonly kind: MessageRow["kind"] | "schedule" | "webhook" | "resumed" | "retry"
  /** Key of the message row, when one is behind it. */
  readonly message?: string
}

export interface WakeInfo {
  /** The same for every attempt of this wake. */
  readonly id: string
  readonly epoch: number
  /** From 1. */
  readonly attempt: number
  /** Whether the entity has never finished a wake. */
  readonly first: boolean
  readonly reasons: readonly Reason[]
  /** When the handler must have returned, milliseconds since the Unix epoch; null where the host sets no limit. */
  readonly deadlineAtMs: number | null
  /** The handler's version, where it has one: what the run began with, or is to begin with. */
  readonly version?: string
}

export interface EntityInfo {
  readonly url: EntityUrl
  readonly type: string
  readonly id: string
  readonly args: JsonObject
  readonly tags: Readonly<Record<string, string>>
  readonly parent: EntityUrl | null
  readonly createdAt: string
  /** The schema that the author's rows are of, where their type counts them. */
  readonly schema?: number
}

/** Everything a handler is given: why it woke, for whom, and the entity's live rows, sorted by collection and key. */
export interface WakeRequest {
  readonly wake: WakeInfo
  readonly entity: EntityInfo
  readonly rows: readonly Row[]
  /** Rules of the server that ask for approvals, before those of the type. */
  readonly policy?: readonly ApprovalRule[]
}

/**
 * A message that a handler sends. It is delivered in the commit that holds it, and that commit also holds the memo by which a further
 * attempt knows that it was sent: it is one message however often the handler runs.
 *
 * `id` is the same in every attempt. It names the timer of a delayed message, and so that is armed once. It is no deduplication key: what
 * makes a commit apply once is its epoch and `seq`, and looking every send up would cost each a read that the memo has made needless.
 */
export interface OutgoingMessage {
  readonly id: string
  readonly to: EntityUrl
  readonly content: Json
  readonly mode: MessageMode
  /** Ids of attachments of the sender's: the receiver gets them as its own. */
  readonly attachments?: readonly string[]
  /** Deliver not before this time, milliseconds since the Unix epoch. */
  readonly dueAtMs?: number
}

/** A child that a handler creates. Spawning an existing entity with equal arguments is a no-op. */
export interface SpawnRequest {
  readonly type: string
  readonly id: string
  readonly args: JsonObject
  readonly tags?: Readonly<Record<string, string>>
  /** The first message, with its deterministic id. */
  readonly message?: { readonly id: string; readonly content: Json; readonly attachments?: readonly string[] }
  /** Whether the spawner is woken when a run of the child ends. */
  readonly wake: "finished" | "never"
  /** Taken from what its parent has left. */
  readonly budget?: Budget
}

/** How a wake ends. */
export type WakeOutcome =
  | { readonly kind: "completed"; readonly reply: Json }
  /** A failure that another attempt would not mend. The run is over and its messages are dead-lettered with the reason. */
  | { readonly kind: "failed"; readonly error: FailureInfo }
  /** The run goes on in a later wake; its messages stay open. So many that wait were seen, and are left for when it is over: they rouse nobody before. */
  | { readonly kind: "suspended"; readonly left?: number }
  /** The deadline is near: the run goes on at once, in the next attempt of this wake. */
  | { readonly kind: "sliced" }
  /** The run was aborted by a signal or an interrupting message; its messages are cancelled. */
  | { readonly kind: "interrupted"; readonly reason: string }

/**
 * One atomic write of a handler, under its lease. All of it becomes durable, or none.
 *
 * `seq` counts the commits of one lease from 1; a repeated `seq` is acknowledged and not applied again.
 */
export interface HandlerCommit {
  readonly seq: number
  /** Changes of the handler's own and the author's collections. */
  readonly events: readonly ChangeEvent[]
  /** Keys of the messages that the run takes. */
  readonly take?: readonly string[]
  readonly run?: string
  readonly sends?: readonly OutgoingMessage[]
  readonly spawns?: readonly SpawnRequest[]
  readonly forks?: readonly ForkRequest[]
  readonly schedules?: readonly ScheduleRequest[]
  readonly observes?: readonly ObserveRequest[]
  /** A null value removes the tag. */
  readonly tags?: Readonly<Record<string, string | null>>
  /** Tool calls that now wait for a person. The server makes an approval of each. */
  readonly approvals?: readonly ApprovalRequest[]
  /** Tool calls that now wait for a worker. */
  readonly work?: readonly WorkRequest[]
  /** Questions to other entities. */
  readonly asks?: readonly AskRequest[]
  /** Asks for a model call. Only of an entity with a budget. */
  readonly reserve?: ModelReservation
  /** Answers to children whose budget is used up. What they get is taken from this entity's. */
  readonly budgets?: readonly BudgetDecision[]
  /** Texts too large for a row, named by the SHA-256 of their UTF-8 in hex. One that is there already is not written again. */
  readonly attachments?: readonly {
    readonly id: string
    readonly text: string
    readonly name?: string
    readonly mediaType?: string
  }[]
  /** The schema that the author's rows are of from this commit on. */
  readonly schema?: number
  /** Changes of shared spaces: with the rest of the commit or not at all. */
  readonly shared?: readonly SharedWrite[]
  /** Ends the wake and releases the lease. */
  readonly finish?: WakeOutcome
}

export interface CommitReply {
  /** The entity's log after this commit. */
  readonly offset: Offset
  /** Messages accepted and not yet taken, oldest first: what may join the run at the next step. */
  readonly inbox: readonly Row<MessageRow>[]
  /** Answers `reserve`: whether the model may be called. If not, the run is to be suspended: somebody was asked. */
  readonly granted?: boolean
}

/** What a handler writes through. One per wake. */
export interface WakeBackend {
  /**
   * @throws {RouseError} `FENCED` when a newer lease exists, `INVALID_ARGS` when the server refuses a value,
   *   `UNKNOWN_TYPE`, `UNKNOWN_ENTITY`, `STOPPED` or `ALREADY_EXISTS` when a send or spawn cannot be done: nothing is written.
   */
  commit(commit: HandlerCommit): Promise<CommitReply>
  /** The entity's attachments. Absent where the host keeps none. */
  readonly attachments?: AttachmentBackend
  /** Reads shared spaces and claims rows of them, under the wake's lease. Absent where the host has none. */
  shared?<R extends SharedRequest>(request: R): Promise<SharedAnswers[R["kind"]]>
  /** Aborts with a `RouseError` as its reason: `INTERRUPTED`, `FENCED`, `STOPPED`, `TIMED_OUT` or `SHUTTING_DOWN`. */
  readonly signal: AbortSignal
}
