import type { AskRequest, Json, JsonObject, ToolCallRow } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { askTimeout } from "./ask.ts"
import { RouseError } from "@rouse/protocol"
import { checkUrl } from "./outbox.ts"
import { tool } from "./tool.ts"
import type { Tool } from "./tool.ts"

/** A tool whose call another entity answers. */
export interface AskTool extends Tool {
  question(input: unknown): Pick<AskRequest, "to" | "content" | "timeoutMs">
}

export function isAskTool(candidate: Tool): candidate is AskTool {
  return "question" in candidate
}

/** The question of a call. */
export function askOf(call: ToolCallRow, asking: AskTool, input: unknown): AskRequest {
  return { id: call.id, kind: "call", mode: "queue", ...asking.question(input) }
}

interface Input {
  readonly to: string
  readonly message: Json
  readonly timeout_seconds?: number
}

const INPUT: StandardSchemaV1<Input, Input> = {
  "~standard": {
    version: 1,
    vendor: "rouse",
    validate: (value) => {
      const input = (typeof value === "object" && value !== null ? value : {}) as Partial<Input>
      try {
        checkUrl(input.to ?? "")
        if (input.timeout_seconds !== undefined) askTimeout(input.timeout_seconds * 1_000)
      } catch (error) {
        return { issues: [{ message: error instanceof Error ? error.message : "is not valid" }] }
      }
      if (input.message === undefined) return { issues: [{ message: "is required", path: ["message"] }] }
      return { value: input as Input }
    },
  },
}

const SCHEMA: JsonObject = {
  type: "object",
  properties: {
    to: { type: "string", description: "The entity's address, such as /support/one" },
    message: { type: "string", description: "The question" },
    timeout_seconds: { type: "number", description: "How long it may take; an hour when left out" },
  },
  required: ["to", "message"],
  additionalProperties: false,
}

/** The platform's tool `ask`. */
export const ASK: AskTool = {
  ...tool({
    name: "ask",
    description: "Ask another entity a question, and get its reply as this call's result.",
    input: INPUT,
    inputSchema: SCHEMA,
    effect: "idempotent",
    execute: (): never => {
      throw new RouseError("INVALID_ARGS", "ask is the platform's: only the agent loop can run it")
    },
  }),
  question: (input) => {
    const { to, message, timeout_seconds: seconds } = input as Input
    return {
      to,
      content: message,
      timeoutMs: askTimeout(seconds === undefined ? undefined : seconds * 1_000),
    }
  },
}
