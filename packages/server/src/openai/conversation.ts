import {
  entityUrl,
  type EntityUrl,
  isEntityId,
  isEntityType,
  type Offset,
  parseEntityUrl,
  type Principal,
  RouseError,
  START,
} from "@rouse/protocol"
import { newText } from "../core/chat.ts"
import { newId } from "../core/id.ts"
import { idPart } from "../core/webhook-template.ts"
import { tailOf } from "../http/entity-routes.ts"
import { send } from "../inbox.ts"
import type { Plane } from "../plane.ts"
import { once, type ReceiptKey } from "../receipts.ts"
import { spawn } from "../spawn.ts"
import type { ChatRequest } from "./request.ts"

const CONVERSATION = "x-rouse-conversation"

/** A message that is on its way to an agent. */
export interface Posted {
  readonly url: EntityUrl
  readonly message: string
  /** The log's end before it. */
  readonly from: Offset
}

interface Named {
  readonly url: EntityUrl
  readonly type: string
  readonly id: string
}

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
  return once<Posted>(plane, receipt, async (note) => {
    const { url, type, id } = nameOf(plane, request, headers)
    const before = await tailOf(plane, url)
    const text = newText(request.messages, before !== START)
    const posted = (message: string): Posted => ({ url, message, from: before })
    if (before === START) {
      const tags = { via: "openai" }
      const input = { type, id, args: {}, tags, parent: null, wake: "finished", from, message: text } as const
      try {
        const made = await spawn(plane, input, (draft, { message = "" }) => note(draft, posted(message)))
        if (made.created) return posted(made.message ?? "")
      } catch (error) {
        // Another request made it first.
        if (!RouseError.is(error, "ALREADY_EXISTS")) throw error
      }
    }
    const message = { to: url, from, content: text, mode: "steer" } as const
    return posted((await send(plane, message, (draft, sent) => note(draft, posted(sent.message)))).message)
  })
}

/** The agent: `/type/id`, or a type, whose agent is the conversation's, or a new one. */
function nameOf(plane: Plane, { model, user, metadata }: ChatRequest, headers: Headers): Named {
  const exact = parseEntityUrl(model.startsWith("/") ? model : `/${model}`)
  const type = exact?.type ?? model
  if (!isEntityType(type) || !plane.types.get(type))
    throw new RouseError("UNKNOWN_TYPE", `model: there is no entity type "${type}"; GET /openai/v1/models lists them`)
  if (exact) return { url: entityUrl(type, exact.id), type, id: exact.id }
  const { conversation } = metadata ?? {}
  const key = headers.get(CONVERSATION) ?? (typeof conversation === "string" ? conversation : undefined) ?? user
  const isNew = key === null || key === undefined || key === ""
  const id = isNew ? `chat-${newId(plane.clock(), plane.random)}` : idOf(key)
  return { url: entityUrl(type, id), type, id }
}

/** @throws {RouseError} `INVALID_ARGS` */
function idOf(key: string): string {
  const id = idPart(key)
  if (isEntityId(id)) return id
  throw new RouseError(
    "INVALID_ARGS",
    `user: "${key}" cannot name a conversation: it must begin with a letter or digit and be at most 128 characters`,
  )
}
