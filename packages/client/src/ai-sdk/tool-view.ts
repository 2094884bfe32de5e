import type { ApprovalRow, Json, ToolCallRow } from "@rouse/protocol"
import type { UIMessageChunk } from "ai"
import type { ToolPart } from "../core/items.ts"

/** A tool call as a chat shows it. */
export interface ToolView {
  /** The call's key on the log: approvals are named by it too. */
  readonly id: string
  readonly name: string
  /** It is not one of the page's own types: it comes from an MCP server. */
  readonly dynamic: boolean
  readonly input: Json
  readonly approval?: ApprovalView
  readonly state: "input-available" | "approval-requested" | "approval-responded" | Ended
  readonly output?: Json
  readonly errorText?: string
}

type Ended = "output-available" | "output-error" | "output-denied"

export interface ApprovalView {
  readonly approved?: boolean
  readonly why?: string
  readonly reason?: string
}

export function toolView({ key, row, approval }: ToolPart): ToolView {
  const asked = approval && approval.kind === undefined ? approvalView(approval) : undefined
  const shown = {
    id: key,
    name: row.name,
    dynamic: row.backend === "mcp",
    input: row.edited ?? approval?.edited ?? row.input,
    ...(asked && { approval: asked }),
  }
  return { ...shown, ...outcome(row, asked) }
}

function outcome(row: ToolCallRow, asked: ApprovalView | undefined): Pick<ToolView, "state" | "output" | "errorText"> {
  switch (row.status) {
    case "done":
      return { state: "output-available", output: row.output ?? null }
    case "failed":
      return { state: "output-error", errorText: row.error ?? "the tool failed" }
    case "unknown":
      return { state: "output-error", errorText: row.error ?? "nobody knows whether it happened" }
    case "cancelled":
      return { state: "output-error", errorText: row.error ?? "it was cancelled" }
    case "denied":
      return { state: "output-denied" }
    case "intended":
    case "waiting":
    case "running":
      if (asked === undefined) return { state: "input-available" }
      return { state: asked.approved === undefined ? "approval-requested" : "approval-responded" }
  }
}

function approvalView({ status, question, rule, note }: ApprovalRow): ApprovalView {
  const why = question ?? rule
  const decided = status === "waiting" ? undefined : status === "allowed"
  return {
    ...(why !== undefined && { why }),
    ...(decided !== undefined && { approved: decided }),
    ...(note !== undefined && decided !== undefined && { reason: note }),
  }
}

/** What brings a chat from one view of a call to the next. */
export function toolChunks(before: ToolView | undefined, view: ToolView): readonly UIMessageChunk[] {
  const chunks: UIMessageChunk[] = []
  const { id, approval, state } = view
  const rewritten = before === undefined || JSON.stringify(before.input) !== JSON.stringify(view.input)
  if (rewritten) chunks.push(inputChunk(view))
  const asked = before?.approval
  const askedAgain = asked?.approved !== undefined && approval?.approved === undefined
  if (approval && (asked === undefined || askedAgain)) {
    chunks.push({
      type: "tool-approval-request",
      approvalId: id,
      toolCallId: id,
      ...(approval.why !== undefined && { reason: approval.why }),
    })
  }
  if (approval?.approved !== undefined && (asked?.approved === undefined || rewritten)) {
    chunks.push({
      type: "tool-approval-response",
      approvalId: id,
      approved: approval.approved,
      ...(approval.reason !== undefined && { reason: approval.reason }),
    })
  }
  if (before?.state === state && !rewritten) return chunks
  const { output, errorText = "" } = view
  if (state === "output-available") chunks.push({ type: "tool-output-available", toolCallId: id, output })
  if (state === "output-error") chunks.push({ type: "tool-output-error", toolCallId: id, errorText })
  if (state === "output-denied") chunks.push({ type: "tool-output-denied", toolCallId: id })
  return chunks
}

function inputChunk({ id, name, input, dynamic }: ToolView): UIMessageChunk {
  return { type: "tool-input-available", toolCallId: id, toolName: name, input, ...(dynamic && { dynamic }) }
}
