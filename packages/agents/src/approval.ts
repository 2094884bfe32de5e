import type { ApprovalRequest, ApprovalTerms, Principal, ToolCallRow } from "@rouse/protocol"
import { askingOf } from "./core/approval-terms.ts"
import { isHumanTool } from "./human-tool.ts"
import type { Session } from "./session.ts"
import type { Tool, ToolContext } from "./tool.ts"

/**
 * What people are asked before a call is made, or instead of it; undefined when nobody is.
 *
 * @param input As the tool's schema makes it.
 */
export async function requestOf(
  session: Session,
  tool: Tool,
  row: ToolCallRow,
  input: unknown,
  ctx: ToolContext,
): Promise<ApprovalRequest | undefined> {
  const base = { call: row.id, tool: row.name, input: row.input }
  if (isHumanTool(tool)) return { ...base, kind: "question", ...tool.asks(input) }
  const own = await tool.needsApproval(input, ctx)
  const asking = askingOf(own, session.policies, {
    tool: tool.name,
    effect: tool.effect,
    backend: tool.backend,
    type: session.entity.type,
    tags: session.entity.tags,
    askedBy: askersOf(session),
    input: row.input,
  })
  if (asking === undefined) return undefined
  const rule = asking.rule === undefined ? {} : { rule: asking.rule }
  return { ...base, schema: tool.inputSchema, ...rule, ...withoutAbsent(asking.terms) }
}

/** Who sent the messages of the run. */
function askersOf(session: Session): readonly Principal[] {
  const askers: Principal[] = []
  for (const message of session.rows.values("message")) if (message.run === session.run) askers.push(message.from)
  return askers
}

function withoutAbsent({ quorum, from, deadlineMs, escalateTo }: ApprovalTerms): ApprovalTerms {
  return {
    ...(quorum === undefined ? {} : { quorum }),
    ...(from === undefined ? {} : { from }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(escalateTo === undefined ? {} : { escalateTo }),
  }
}
