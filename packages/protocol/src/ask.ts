import type { MessageMode } from "./collections.ts"
import type { EntityUrl } from "./entity.ts"
import type { ErrorCode } from "./errors.ts"
import type { Json } from "./json.ts"

/**
 * A question to another entity: a message whose settlement is told to who sent it. Nothing waits for it but a row: of the handler that
 * asks, a memo whose value is an `AskState`; of a tool call, that call.
 */
export interface AskRequest {
  /** Key of the memo, or of the tool call that waits. */
  readonly id: string
  readonly kind: "memo" | "call"
  readonly to: EntityUrl
  readonly content: Json
  readonly mode: MessageMode
  /** How long there is to answer. */
  readonly timeoutMs: number
}

/** What a memo of a question holds. */
export type AskState =
  | { readonly status: "waiting"; readonly run: string; readonly to: EntityUrl }
  | { readonly status: "answered"; readonly reply: Json }
  | { readonly status: "failed"; readonly code: ErrorCode; readonly error: string }

/** Key of the memo that a handler which waits for an answer leaves: in which wake it began, and what it was shown. */
export const PARKED_KEY = "parked"

/** Whether a memo is that of a question that waits for its answer. */
export function isWaitingMemo(key: string, value: Json): boolean {
  const state = (value as { readonly value?: { readonly status?: string } }).value
  return key.includes(":ask:") && state?.status === "waiting"
}

/** How long there is to answer when the asker does not say: an hour. */
export const ASK_MS: number = 3_600_000
/** The longest: 30 days. */
export const ASK_MS_MAX: number = 30 * 24 * 3_600_000
