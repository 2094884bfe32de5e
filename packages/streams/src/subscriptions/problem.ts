import type { ErrorCode } from "@rouse/protocol"
import { problemOf } from "@rouse/protocol"
import type { Reply } from "../reply.ts"
import { problemReply } from "../reply.ts"

/** Codes that the protocol calls otherwise. */
const PROTOCOL_CODES: Partial<Record<ErrorCode, string>> = {
  BAD_REQUEST: "INVALID_REQUEST",
  BAD_JSON: "INVALID_REQUEST",
  NOT_FOUND: "SUBSCRIPTION_NOT_FOUND",
  UNKNOWN_SUBSCRIPTION: "SUBSCRIPTION_NOT_FOUND",
  ALREADY_EXISTS: "SUBSCRIPTION_ALREADY_EXISTS",
  ACK_REFUSED: "INVALID_OFFSET",
}

/** The problem document, with the member that the protocol has for errors of subscriptions. */
export function subscriptionProblem(error: unknown): Reply {
  const reply = problemReply(error)
  const problem = problemOf(error)
  const member = { code: PROTOCOL_CODES[problem.code] ?? problem.code, message: problem.detail, ...problem.details }
  return { ...reply, body: JSON.stringify({ ...problem, error: member }) }
}
