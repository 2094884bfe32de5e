import { RouseError } from "@rouse/protocol"
import type { ApprovalRequest, ApprovalTerms, JsonObject } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { checkTerms } from "./core/approval-terms.ts"
import { isSchema, jsonSchemaOf } from "./core/validate.ts"
import { tool } from "./tool.ts"
import type { Tool } from "./tool.ts"

export interface HumanToolOptions<S extends StandardSchemaV1> {
  readonly name: string
  /** When the model should ask: it reads this. */
  readonly description: string
  /** What the model gives along. `{ question: string }` when absent. */
  readonly input?: S
  readonly inputSchema?: JsonObject
  /** What the person reads. The input's `question` when absent. */
  readonly question?: string | ((input: StandardSchemaV1.InferOutput<S>) => string)
  /** What the person must answer. The model gets it as the call's result. */
  readonly answer: StandardSchemaV1
  /** JSON Schema of the answer, when `answer` cannot say it itself. */
  readonly answerSchema?: JsonObject
  /** Milliseconds until the model is told that nobody answered. For ever when absent. */
  readonly deadline?: number
  /** Names of the principals who may answer. Everyone who may write when absent. */
  readonly assignee?: string | readonly string[]
  /** Who may answer when the deadline is over, for as long again. */
  readonly escalateTo?: readonly string[]
}

/** A tool whose backend is a person. */
export interface HumanTool extends Tool {
  readonly answer: StandardSchemaV1
  asks(input: unknown): Omit<ApprovalRequest, "call" | "tool" | "input" | "kind">
}

export function isHumanTool(candidate: Tool): candidate is HumanTool {
  return "asks" in candidate
}

const QUESTION_CHARS_MAX = 4_096

/**
 * A tool that asks a person a question and returns the answer. The run is suspended meanwhile, and no process waits.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is missing or wrong.
 * @see docs/approvals.md
 */
export function humanTool<S extends StandardSchemaV1 = typeof QUESTION>(options: HumanToolOptions<S>): Tool {
  const { name, description, answer, deadline, escalateTo } = options
  const fail = (field: string, rule: string): never => {
    throw new RouseError("INVALID_ARGS", `tool ${JSON.stringify(name ?? "")}: ${field} ${rule}`, { details: { field } })
  }
  if (!isSchema(answer)) fail("answer", "must be a Standard Schema, such as z.object({ … })")
  const schema =
    options.answerSchema ??
    jsonSchemaOf(answer) ??
    fail("answerSchema", "is required: this answer's schema cannot be shown as JSON Schema")
  const from = typeof options.assignee === "string" ? [options.assignee] : options.assignee
  const terms: ApprovalTerms = {
    ...(from ? { from } : {}),
    ...(deadline === undefined ? {} : { deadlineMs: deadline }),
    ...(escalateTo ? { escalateTo } : {}),
  }
  checkTerms(terms, `tool ${JSON.stringify(name ?? "")}`)
  const own = options.input === undefined
  const execute = (): never => {
    throw new RouseError("INVALID_ARGS", `${name} is answered by a person: only the agent loop can ask it`)
  }
  const made: HumanTool = {
    ...tool({
      name,
      description,
      input: options.input ?? QUESTION,
      ...(own ? { inputSchema: QUESTION_SCHEMA } : options.inputSchema ? { inputSchema: options.inputSchema } : {}),
      effect: "pure",
      backend: "human",
      execute,
    }),
    answer,
    asks: (input) => ({ question: questionOf(options.question, input), schema, ...terms }),
  }
  return made
}

function questionOf(question: string | ((input: never) => string) | undefined, input: unknown): string {
  const asked = typeof question === "function" ? question(input as never) : question
  const { question: own = "" } = input as { readonly question?: string }
  return (asked ?? own).slice(0, QUESTION_CHARS_MAX)
}

const QUESTION: StandardSchemaV1<{ readonly question: string }, { readonly question: string }> = {
  "~standard": {
    version: 1,
    vendor: "rouse",
    validate: (value) => {
      const question = (value as { readonly question?: unknown } | null)?.question
      if (typeof question === "string" && question.trim() !== "") return { value: { question } }
      return { issues: [{ message: "must be a text", path: ["question"] }] }
    },
  },
}

const QUESTION_SCHEMA: JsonObject = {
  type: "object",
  properties: { question: { type: "string", description: "What the person is asked" } },
  required: ["question"],
  additionalProperties: false,
}
