import { entityUrl } from "@rouse/protocol"
import type { EntityUrl, Json, JsonObject, ObserveSource } from "@rouse/protocol"
import { checkObservation, checkObservationName } from "@rouse/protocol/observe"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { askTool } from "./ask-tool.ts"
import { checkSpawn, checkUrl, idFrom, observation, outgoing, spawnRequest } from "./outbox.ts"
import { schemaOf } from "./core/validate.ts"
import { byTheLoop, tool } from "./tool.ts"
import type { Tool, ToolContext } from "./tool.ts"
import type { Delivery } from "./writer.ts"

/** A tool whose effect is part of a commit: there is nothing to execute, and nothing to resolve after a crash. */
export interface PlatformTool extends Tool {
  /** What a call does, and what it answers once that is durable. */
  prepare(input: unknown, ctx: ToolContext, self: EntityUrl): Prepared | Promise<Prepared>
}

interface Prepared {
  readonly delivery: Omit<Delivery, "result">
  readonly output: Json
}

export function isPlatformTool(tool: Tool): tool is PlatformTool {
  return "prepare" in tool
}

/**
 * The platform's tools for the model. A refused send, spawn or observation fails the call alone, with the reason, and the model can do better.
 * Ids come from the call's idempotency key, so a call that runs again is the same message and the same child.
 */
export function platformTools(): readonly Tool[] {
  return (tools ??= [send(), spawn(), askTool(), observe(), unobserve()])
}

/** Made when first asked for: a handler without them, or a host that starts anew for each wake, should not pay for them as it loads. */
let tools: readonly Tool[] | undefined

const FILES: JsonObject = {
  type: "array",
  items: { type: "string" },
  description: "Ids of attachments that come with the message",
}

function send(): PlatformTool {
  return platformTool({
    name: "send",
    description: "Send a message to another entity's inbox. It answers, if at all, with a message of its own.",
    input: objectSchema<{ to: string; content: Json; files?: string[] }>(["to", "content"]),
    inputSchema: jsonSchema(
      {
        to: { type: "string", description: "The entity's address, such as /support/one" },
        content: { type: "string", description: "The message" },
        files: FILES,
      },
      ["to", "content"],
    ),
    prepare: ({ to, content, files = [] }, unique) => {
      checkUrl(to)
      return { delivery: { send: outgoing(unique, to, content, { files }, undefined) }, output: { sent: to } }
    },
  })
}

function spawn(): PlatformTool {
  return platformTool({
    name: "spawn",
    description:
      "Create another entity, a child of this one, and send it a first message. " +
      "When it is done you are told its reply in a message; do not wait for it here.",
    input: objectSchema<{ type: string; id?: string; message?: string; args?: JsonObject; files?: string[] }>(["type"]),
    inputSchema: jsonSchema(
      {
        type: { type: "string", description: "The entity type" },
        id: { type: "string", description: "Its id; made up when left out" },
        message: { type: "string", description: "Its first message" },
        args: { type: "object", description: "Its arguments, if the type needs any" },
        files: FILES,
      },
      ["type"],
    ),
    prepare: ({ type, id, message, args = {}, files = [] }, unique) => {
      const childId = id || idFrom(unique)
      checkSpawn(type, childId)
      const spawn = spawnRequest(unique, type, childId, args, { ...(message ? { message } : {}), files })
      return { delivery: { spawn }, output: { url: entityUrl(type, childId) } }
    },
  })
}

function observe(): PlatformTool {
  return platformTool({
    name: "observe",
    description:
      "Be told in a message when something happens elsewhere: another entity finishes a run, a row of it changes, an entity of a type " +
      "changes its status or tags, or a stream gets something new. It goes on until `unobserve`.",
    input: objectSchema<{
      source: ObserveSource
      on?: string[]
      where?: JsonObject
      debounce?: number
      timeout?: number
    }>(["source"]),
    inputSchema: jsonSchema(
      {
        source: {
          anyOf: [
            { type: "string", description: "An entity's address, such as /worker/one, or the path of a stream" },
            {
              type: "object",
              description: "All entities of a type, with a status or tags",
              properties: {
                type: { type: "string" },
                status: { type: "string" },
                tags: { type: "object", additionalProperties: { type: "string" } },
              },
              required: ["type"],
              additionalProperties: false,
            },
          ],
        },
        on: {
          type: "array",
          items: { type: "string" },
          description:
            "Of an entity: finished (when left out), a collection such as notes, or notes:insert. Of a type: join, leave, change",
        },
        where: {
          type: "object",
          description: 'A condition on the row, such as {"status":"failed"} or {"size":{"gt":10}}',
        },
        debounce: { type: "integer", description: "Gather changes for so many milliseconds" },
        timeout: { type: "integer", description: "Be told when nothing happened for so many milliseconds" },
      },
      ["source"],
    ),
    prepare: ({ source, ...options }, _, self) => {
      const asked = observation(source, undefined, options)
      checkObservation(asked, self)
      return { delivery: { observe: asked }, output: { observing: asked.name } }
    },
  })
}

function unobserve(): PlatformTool {
  return platformTool({
    name: "unobserve",
    description: "End an observation, by the name that `observe` answered.",
    input: objectSchema<{ name: string }>(["name"]),
    inputSchema: jsonSchema({ name: { type: "string" } }),
    prepare: ({ name }) => {
      checkObservationName(name)
      return { delivery: { observe: { name, remove: true } }, output: { ended: name } }
    },
  })
}

/** Makes a tool whose effect is part of the commit that holds its result. */
export function platformTool<T>(options: {
  readonly name: string
  readonly description: string
  readonly input: StandardSchemaV1<T, T>
  readonly inputSchema: JsonObject
  readonly prepare: (input: T, unique: string, self: EntityUrl) => Prepared | Promise<Prepared>
}): PlatformTool {
  const { prepare, ...shown } = options
  return {
    ...tool({ ...shown, effect: "idempotent", execute: byTheLoop(shown.name) }),
    prepare: (input, ctx, self) => prepare(input as T, uniqueOf(ctx), self),
  }
}

function uniqueOf(ctx: ToolContext): string {
  return idFrom(ctx.idempotencyKey.replaceAll("/", ".").replace("@", "-"))
}

/** A schema that only looks for the fields that must be there: the rest is checked where it is used. */
export function objectSchema<T>(required: readonly string[]): StandardSchemaV1<T, T> {
  return schemaOf<T>((value) => {
    if (typeof value !== "object" || value === null) return { issues: [{ message: "must be an object" }] }
    const missing = required.filter((name) => (value as Record<string, unknown>)[name] === undefined)
    if (missing.length === 0) return { value: value as T }
    return { issues: missing.map((name) => ({ message: "is required", path: [name] })) }
  })
}

/** The JSON Schema of an object with these properties and no others. */
export function jsonSchema(properties: JsonObject, required: readonly string[] = Object.keys(properties)): JsonObject {
  return { type: "object", properties, required, additionalProperties: false }
}
