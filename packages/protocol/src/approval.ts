import type { Principal } from "./collections.ts"
import type { Backend, Effect } from "./run-rows.ts"
import type { EntityUrl } from "./entity.ts"
import type { Json, JsonObject } from "./json.ts"

/** Who must say yes, and until when. */
export interface ApprovalTerms {
  /** How many different principals must allow it; 1 when absent, 10 at most. One that denies is enough to deny. */
  readonly quorum?: number
  /** The names of the principals who may decide: of their tokens. Everyone who may write when absent. */
  readonly from?: readonly string[]
  /** How long there is to decide, in milliseconds. For ever when absent. */
  readonly deadlineMs?: number
  /** Who is asked when the time is over, once and for as long again. Without it, or after it, the call is denied. */
  readonly escalateTo?: readonly string[]
}

/** What a commit asks of people. */
export interface ApprovalRequest extends ApprovalTerms {
  readonly call: string
  readonly tool: string
  readonly input: Json
  readonly kind?: "question"
  /** What a person is asked, in words. */
  readonly question?: string
  /** JSON Schema of the answer, or of the input that may be edited. */
  readonly schema?: JsonObject
  /** The rule that asks for it. */
  readonly rule?: string
}

/**
 * A tool call that waits for people, and then what they decided. The key is the tool call's.
 *
 * `allowed`, `denied`, `answered`, `expired` and `cancelled` are terminal.
 */
export interface ApprovalRow {
  /** `budget`: a budget is used up, and `input` is a `BudgetRequest`. `question`: an answer is wanted. A tool call when absent. */
  readonly kind?: "budget" | "question"
  readonly call: string
  readonly tool: string
  /** As the model made it, or as it was last edited: see `edited`. */
  readonly input: Json
  readonly at: string
  readonly status: "waiting" | "allowed" | "denied" | "answered" | "expired" | "cancelled"
  readonly question?: string
  readonly schema?: JsonObject
  readonly rule?: string
  readonly quorum?: number
  readonly from?: readonly string[]
  /** When it is denied, or others are asked. */
  readonly deadline?: string
  readonly deadlineMs?: number
  readonly escalateTo?: readonly string[]
  /** When those of `escalateTo` were asked: they are now `from`. */
  readonly escalatedAt?: string
  /** The input as a person changed it: this is what runs. */
  readonly edited?: Json
  readonly answer?: Json
  /** Who said what, in the order they did. Of a quorum, all of them. */
  readonly votes?: readonly ApprovalVote[]
  /** Who decided it in the end. */
  readonly by?: Principal
  readonly note?: string
  readonly decidedAt?: string
}

export interface ApprovalVote {
  readonly by: Principal
  readonly decision: "allow" | "deny"
  readonly at: string
  readonly note?: string
  /** The input was changed with it. What was allowed before counts no more. */
  readonly edited?: true
}

export interface ApprovalDecision {
  readonly call: string
  readonly decision: "allow" | "deny" | "expire"
  readonly note?: string
}

/**
 * One rule of a policy. It matches when all that it names does; a field that is absent matches everything. `*` in a pattern stands for
 * any text.
 */
export interface ApprovalRule {
  readonly name: string
  /** Pattern of the tool's name. */
  readonly tool?: string
  readonly effect?: readonly Effect[]
  readonly backend?: readonly Backend[]
  /** Pattern of the entity's type. */
  readonly type?: string
  /** Tags of the entity, each a pattern. */
  readonly tags?: Readonly<Record<string, string>>
  /** Pattern of `kind:id` of whoever sent a message of the run: `user:*`. One that matches is enough. */
  readonly askedBy?: string
  /**
   * A number in the input, by a dotted path, that is over this. An input without it does not match; one that is there and no number
   * does.
   */
  readonly amount?: { readonly path: string; readonly over: number }
  /** What is required then. False: nothing by this rule or later ones; what the tool itself asks for still holds. */
  readonly require: ApprovalTerms | false
}

/** What a rule looks at. */
export interface RuleFacts {
  readonly tool: string
  readonly effect: Effect
  readonly backend?: Backend | undefined
  readonly type: string
  readonly tags: Readonly<Record<string, string>>
  readonly askedBy: readonly Principal[]
  readonly input: unknown
}

/** An entry of `GET /v1/approvals`. */
export interface WaitingApproval {
  readonly entity: EntityUrl
  readonly approval: ApprovalRow
}

/** `GET /v1/approvals`, those that have waited longest first. */
export interface ApprovalPage {
  readonly approvals: readonly WaitingApproval[]
  readonly next?: string
}

export interface ApprovalQuery {
  /** Of entities of this type. */
  readonly type?: string
  readonly tool?: string
  /** Only what this principal may decide. */
  readonly for?: string
  readonly after?: string
  /** 1 to 1,000; 100 when absent. */
  readonly limit?: number
}
