import type { Effect } from "./run-rows.ts"
import type { EntityUrl } from "./entity.ts"
import type { Json, JsonObject } from "./json.ts"

/**
 * A tool call that waits for a worker or is with one. The key is the tool call's. It is there as long as the call is open: the
 * `tool_call` row says how it ended.
 */
export interface ToolWorkRow {
  readonly call: string
  readonly tool: string
  readonly queue: string
  readonly status: "queued" | "claimed"
  /** Claims so far. */
  readonly attempt: number
  /** When it began to wait. */
  readonly at: string
  /** Of the newest claim. */
  readonly worker?: string
  readonly claimedAt?: string
  readonly progress?: ToolProgress
  /** Why it waits again. */
  readonly error?: string
}

/** What a worker says of a call under way. */
export interface ToolProgress {
  readonly at: string
  readonly message?: string
  /** 0 to 1. */
  readonly fraction?: number
  readonly data?: Json
}

/** How a call is to be worked on: the bounds of a `workerTool`. */
export interface WorkTerms {
  readonly queue: string
  /** How long one try may take, from its claim. */
  readonly timeoutMs?: number
  /** How long a worker may be silent before its claim is lost. */
  readonly heartbeatMs?: number
  /** How long it may wait for a worker, in all. */
  readonly expiresMs?: number
  /** Tries of a call that a worker said had failed; 1 when absent. */
  readonly attempts?: number
  /** Before the second try; doubles each time. */
  readonly delayMs?: number
  /** Calls of the tool that workers may hold at once, of all agents. */
  readonly concurrency?: number
  /** JSON Schema that a result must match. */
  readonly output?: JsonObject
}

/** A tool call that a commit hands to workers. Its row is in the same commit or an earlier one. */
export interface WorkRequest extends WorkTerms {
  readonly call: string
}

/** `POST /v1/tool-claims` */
export interface ToolClaimBody {
  /** The worker's name, for the log. */
  readonly worker: string
  /** Queues to take from; `default` when absent. */
  readonly queues?: readonly string[]
  /** Tools that it can run, and how many calls of each it has room for. */
  readonly tools: Readonly<Record<string, number>>
  /** Calls to take, at most. */
  readonly capacity: number
  /** How long to wait for the first, in milliseconds: 0 to 60,000. */
  readonly waitMs?: number
}

export interface ToolClaims {
  readonly claims: readonly ToolClaim[]
}

/** A call that a worker may work on, until its lease ends. */
export interface ToolClaim {
  readonly entity: EntityUrl
  readonly call: string
  /** The fencing token: goes with all that is said of the call. */
  readonly claim: string
  readonly tool: string
  readonly queue: string
  readonly input: Json
  readonly effect: Effect
  readonly idempotencyKey: string
  /** From 1. */
  readonly attempt: number
  /** An earlier try may have had its effect: find out before it runs again. */
  readonly reconcile: boolean
  /** Without a heartbeat the claim is lost after so long. */
  readonly leaseMs: number
  readonly timeoutMs?: number
}

/** `POST /v1/tool-calls/{type}/{id}/{call}/heartbeat` */
export interface ToolHeartbeatBody {
  readonly claim: string
}

/** `…/progress`: a heartbeat that says something. */
export interface ToolProgressBody extends Omit<ToolProgress, "at"> {
  readonly claim: string
}

export interface ToolHeartbeat {
  readonly leaseMs: number
  /** Whether the progress is on the log: more than one a second is not. */
  readonly kept?: boolean
}

/** `…/result` */
export interface ToolResultBody {
  readonly claim: string
  readonly output: Json
  /** The worker did not run it: an earlier try had. */
  readonly reconciled?: boolean
}

/** `…/fail` */
export interface ToolFailBody {
  readonly claim: string
  readonly error: string
  /** False: another try would not mend it. */
  readonly retryable?: boolean
  /** The worker cannot find out what an earlier try did. */
  readonly unknown?: boolean
}

/** `…/release` */
export interface ToolReleaseBody {
  readonly claim: string
  /** Whether the call may have begun. One that has is resolved as one whose worker was lost. */
  readonly begun: boolean
}

/** What a result, a failure or a release came to. */
export interface ToolSettled {
  readonly status: "done" | "failed" | "unknown" | "queued"
  /** False: it had been said before. */
  readonly applied: boolean
}
