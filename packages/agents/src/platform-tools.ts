import { entityUrl } from "@rouse/protocol"
import type { Json, JsonObject } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { checkSpawn, checkUrl, idFrom, outgoing, spawnRequest } from "./outbox.ts"
import type { Session } from "./session.ts"
import { tool } from "./tool.ts"
import type { Tool, ToolContext } from "./tool.ts"

/**
 * The platform's tools for the model. A refused send or spawn fails the call alone, with the reason, and the model can do better.
 * Ids come from the call's idempotency key, so a call that runs again is the same message and the same child.
 */
export function platformTools(session: Session): readonly Tool[] {
  return [sendTool(session), spawnTool(session)]
}

function sendTool(session: Session): Tool {
  return tool({
    name: "send",
    description: "Send a message to another entity's inbox. It answers, if at all, with a message of its own.",
    effect: "idempotent",
    input: objectSchema<{ to: string; content: Json }>(["to", "content"]),
    inputSchema: jsonSchema({
      to: { type: "string", description: "The entity's address, such as /support/one" },
      content: { type: "string", description: "The message" },
    }),
    execute: async ({ to, content }, ctx) => {
      checkUrl(to)
      await session.writer.deliver({ send: outgoing(uniqueOf(ctx), to, content, {}, undefined) })
      return { sent: to }
    },
  })
}

function spawnTool(session: Session): Tool {
  return tool({
    name: "spawn",
    description:
      "Create another entity, a child of this one, and send it a first message. " +
      "When it is done you are told its reply in a message; do not wait for it here.",
    effect: "idempotent",
    input: objectSchema<{ type: string; id?: string; message?: string; args?: JsonObject }>(["type"]),
    inputSchema: jsonSchema(
      {
        type: { type: "string", description: "The entity type" },
        id: { type: "string", description: "Its id; made up when left out" },
        message: { type: "string", description: "Its first message" },
        args: { type: "object", description: "Its arguments, if the type needs any" },
      },
      ["type"],
    ),
    execute: async ({ type, id, message, args = {} }, ctx) => {
      const unique = uniqueOf(ctx)
      const childId = id || idFrom(unique)
      checkSpawn(type, childId)
      const options = message ? { message } : {}
      await session.writer.deliver({
        spawn: spawnRequest(unique, type, childId, args, options),
      })
      return { url: entityUrl(type, childId) }
    },
  })
}

function uniqueOf(ctx: ToolContext): string {
  return idFrom(ctx.idempotencyKey.replaceAll("/", ".").replace("@", "-"))
}

/** A schema that only looks for the fields that must be there: the rest is checked where it is used. */
function objectSchema<T>(required: readonly string[]): StandardSchemaV1<T, T> {
  const validate = (value: unknown): StandardSchemaV1.Result<T> => {
    if (typeof value !== "object" || value === null) return { issues: [{ message: "must be an object" }] }
    const missing = required.filter((name) => (value as Record<string, unknown>)[name] === undefined)
    if (missing.length === 0) return { value: value as T }
    return { issues: missing.map((name) => ({ message: "is required", path: [name] })) }
  }
  return { "~standard": { version: 1, vendor: "rouse", validate } }
}

function jsonSchema(properties: JsonObject, required: readonly string[] = Object.keys(properties)): JsonObject {
  return { type: "object", properties, required, additionalProperties: false }
}
