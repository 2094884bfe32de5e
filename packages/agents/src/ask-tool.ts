import type { AskRequest, Json, JsonObject, ToolCallRow } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { askTimeout } from "./ask.ts"
import { checkUrl } from "./outbox.ts"
import { schemaOf } from "./core/validate.ts"
import { byTheLoop, tool } from "./tool.ts"
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

const INPUT: StandardSchemaV1<Input, Input> = schemaOf<Input>((value) => {
  const input = (typeof value === "object" && value !== null ? value : {}) as Partial<Input>
  try {
    checkUrl(input.to ?? "")
    timeoutOf(input)
  } catch (error) {
    return { issues: [{ message: error instanceof Error ? error.message : "is not valid" }] }
  }
  if (input.message === undefined) return { issues: [{ message: "is required", path: ["message"] }] }
  return { value: input as Input }
})

function schema(): JsonObject {
  return {
    type: "object",
    properties: {
      to: { type: "string", description: "The entity's address, such as /support/one" },
      message: { type: "string", description: "The question" },
      timeout_seconds: { type: "number", description: "How long it may take; an hour when left out" },
    },
    required: ["to", "message"],
    additionalProperties: false,
  }
}

/** The platform's tool `ask`. */
export function askTool(): AskTool {
  const shown = tool({
    name: "ask",
    description: "Ask another entity a question, and get its reply as this call's result.",
    input: INPUT,
    inputSchema: schema(),
    effect: "idempotent",
    execute: byTheLoop("ask"),
  })
  return { ...shown, question }
}

function question(input: unknown): ReturnType<AskTool["question"]> {
  const { to, message } = input as Input
  return { to, content: message, timeoutMs: timeoutOf(input as Input) }
}

function timeoutOf({ timeout_seconds: seconds }: Partial<Input>): number {
  return askTimeout(seconds === undefined ? undefined : seconds * 1_000)
}
