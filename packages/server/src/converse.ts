import { type EntityUrl, isEntityId, type Json, type Offset, type Principal, RouseError, START } from "@rouse/protocol"
import { newId } from "./core/id.ts"
import { idPart } from "./core/webhook-template.ts"
import { tailOf } from "./http/entity-routes.ts"
import { send } from "./inbox.ts"
import { checkMessage } from "./message-check.ts"
import type { Plane } from "./plane.ts"
import { once, type ReceiptKey } from "./receipts.ts"
import { spawn } from "./spawn.ts"

/** A message that is on its way to an agent. */
export interface Posted {
  readonly url: EntityUrl
  readonly message: string
  /** The log's end before it. */
  readonly from: Offset
}

/** Whom a client of another protocol speaks with. */
export interface Partner {
  readonly url: EntityUrl
  readonly type: string
  readonly id: string
}

export interface Saying {
  /** The protocol, for the tag `via` of an agent that is made. */
  readonly via: string
  readonly from: Principal
  readonly receipt: ReceiptKey | undefined
}

/**
 * Gives an agent a message, once for its receipt; makes the agent when it is not there.
 *
 * @param content What is said, given whether the agent was there.
 * @throws {RouseError} as `spawn` and `send`.
 */
export function converse(
  plane: Plane,
  partner: () => Partner,
  content: (isKnown: boolean) => Json,
  { via, from, receipt }: Saying,
): Promise<Posted> {
  return once<Posted>(plane, receipt, async (note) => {
    const { url, type, id } = partner()
    const before = await tailOf(plane, url)
    const said = content(before !== START)
    const posted = (message: string): Posted => ({ url, message, from: before })
    if (before === START) {
      const input = { type, id, args: {}, tags: { via }, parent: null, wake: "finished", from, message: said } as const
      try {
        const made = await spawn(plane, input, (draft, { message = "" }) => note(draft, posted(message)))
        if (made.created) return posted(made.message ?? "")
      } catch (error) {
        // Another request made it first.
        if (!RouseError.is(error, "ALREADY_EXISTS")) throw error
      }
    }
    await checkMessage(plane, url, said)
    const message = { to: url, from, content: said, mode: "steer" } as const
    return posted((await send(plane, message, (draft, sent) => note(draft, posted(sent.message)))).message)
  })
}

/**
 * The id of the agent that a conversation of another protocol is with.
 *
 * @param field Named in the error.
 * @throws {RouseError} `INVALID_ARGS` when what it is called cannot be an id.
 */
export function conversationId(plane: Plane, key: string, field: string, prefix: string): string {
  if (key === "") return `${prefix}-${newId(plane.clock(), plane.random)}`
  const id = idPart(key)
  if (isEntityId(id)) return id
  throw new RouseError(
    "INVALID_ARGS",
    `${field}: "${key}" cannot name a conversation: it must begin with a letter or digit and be at most 128 characters`,
  )
}
