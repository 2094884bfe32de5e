import { entityUrl, isEntityType, parseEntityUrl, type Principal, RouseError } from "@rouse/protocol"
import { conversationId, converse, type Partner, type Posted } from "../converse.ts"
import { newText } from "../core/chat.ts"
import type { Plane } from "../plane.ts"
import type { ReceiptKey } from "../receipts.ts"
import type { ChatRequest } from "./request.ts"

const CONVERSATION = "x-rouse-conversation"

/**
 * Gives what is new in a request to the agent that it names, once for each idempotency key.
 *
 * @throws {RouseError} `UNKNOWN_TYPE`; `INVALID_ARGS` naming the field; and as `send`.
 */
export function post(
  plane: Plane,
  request: ChatRequest,
  headers: Headers,
  from: Principal,
  receipt: ReceiptKey | undefined,
): Promise<Posted> {
  const partner = (): Partner => nameOf(plane, request, headers)
  const content = (isKnown: boolean): string => newText(request.messages, isKnown)
  return converse(plane, partner, content, { via: "openai", from, receipt })
}

/** The agent: `/type/id`, or a type, whose agent is the conversation's, or a new one. */
function nameOf(plane: Plane, { model, user, metadata }: ChatRequest, headers: Headers): Partner {
  const exact = parseEntityUrl(model.startsWith("/") ? model : `/${model}`)
  const type = exact?.type ?? model
  if (!isEntityType(type) || !plane.types.get(type))
    throw new RouseError("UNKNOWN_TYPE", `model: there is no entity type "${type}"; GET /openai/v1/models lists them`)
  if (exact) return { url: entityUrl(type, exact.id), type, id: exact.id }
  const { conversation } = metadata ?? {}
  const key = headers.get(CONVERSATION) ?? (typeof conversation === "string" ? conversation : undefined) ?? user
  const id = conversationId(plane, key ?? "", "user", "chat")
  return { url: entityUrl(type, id), type, id }
}
