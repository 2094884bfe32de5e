import { RouseError, entityUrl } from "@rouse/protocol"
import type { Json, JsonObject } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { ASK } from "./ask-tool.ts"
import { checkSpawn, checkUrl, idFrom, outgoing, spawnRequest } from "./outbox.ts"
import { tool } from "./tool.ts"
import type { Tool, ToolContext } from "./tool.ts"
import type { Delivery } from "./writer.ts"

/** A tool whose effect is part of a commit: there is nothing to execute, and nothing to resolve after a crash. */
export interface PlatformTool extends Tool {
  /** What a call does, and what it answers once that is durable. */
  prepare(input: unknown, ctx: ToolContext): Prepared
}

interface Prepared {
  readonly delivery: Omit<Delivery, "result">
  readonly output: Json
}

export function isPlatformTool(tool: Tool): tool is PlatformTool {
  return "prepare" in tool
}

/**
 * The platform's tools for the model. A refused send or spawn fails the call alone, with the reason, and the model can do better.
 * Ids come from the call's idempotency key, so a call that runs again is the same message and the same child.
 */
export function platformTools(): readonly Tool[] {
  return [SEND, SPAWN, ASK]
}

const SEND: PlatformTool = platformTool({
  name: "send",
  description: "Send a message to another entity's inbox. It answers, if at all, with a message of its own.",
  input: objectSchema<{ to: string; content: Json }>(["to", "content"]),
  inputSchema: jsonSchema({
    to: { type: "string", description: "The entity's address, such as /support/one" },
    content: { type: "string", description: "The message" },
  }),
  prepare: ({ to, content }, unique) => {
    checkUrl(to)
    return { delivery: { send: outgoing(unique, to, content, {}, undefined) }, output: { sent: to } }
  },
})

const SPAWN: PlatformTool = platformTool({
  name: "spawn",
  description:
    "Create another entity, a child of this one, and send it a first message. " +
    "When it is done you are told its reply in a message; do not wait for it here.",
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
  prepare: ({ type, id, message, args = {} }, unique) => {
    const childId = id || idFrom(unique)
    checkSpawn(type, childId)
    const spawn = spawnRequest(unique, type, childId, args, message ? { message } : {})
    return { delivery: { spawn }, output: { url: entityUrl(type, childId) } }
  },
})

function platformTool<T>(options: {
  readonly name: string
  readonly description: string
  readonly input: StandardSchemaV1<T, T>
  readonly inputSchema: JsonObject
  readonly prepare: (input: T, unique: string) => Prepared
}): PlatformTool {
  const { prepare, ...shown } = options
  const execute = (): never => {
    throw new RouseError("INVALID_ARGS", `${shown.name} is the platform's: only the agent loop can run it`)
  }
  return {
    ...tool({ ...shown, effect: "idempotent", execute }),
    prepare: (input, ctx) => prepare(input as T, uniqueOf(ctx)),
  }
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
