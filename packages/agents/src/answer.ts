import { RouseError } from "@rouse/protocol"
import type { Json, ToolCallRow } from "@rouse/protocol"
import { toJson, validate } from "./core/validate.ts"
import { redactedMessage } from "./failure.ts"
import { isHumanTool } from "./human-tool.ts"
import type { Session } from "./session.ts"
import type { Tool } from "./tool.ts"

/** What the model is told of a question whose time is over. */
export const UNANSWERED: string = "Nobody answered in time. Go on without the answer, or say that it is missing."

/** What a person answered, as the call's result. The server has checked its shape; here the tool's own schema has the last word. */
export async function answered(
  session: Session,
  tool: Tool | undefined,
  call: ToolCallRow,
  answer: Json,
): Promise<Partial<ToolCallRow> & Pick<ToolCallRow, "status">> {
  if (tool === undefined || !isHumanTool(tool)) return { status: "done", output: answer }
  try {
    return { status: "done", output: toJson(await validate(tool.answer, answer, "answer"), "the answer") }
  } catch (error) {
    const why = RouseError.is(error, "INVALID_ARGS") ? error.message : redactedMessage(session, error)
    return { status: "failed", error: `The answer to ${call.name} cannot be used. ${why}` }
  }
}
