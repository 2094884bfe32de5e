import type { ApprovalRow, AttachmentInfo, Json } from "@rouse/protocol"
import { attachmentsIn } from "@rouse/protocol"
import type { FileUIPart, TextUIPart, UIMessage } from "ai"
import type { MessageItem, Part } from "../core/items.ts"
import { definedOnly } from "../core/defined.ts"
import type { ToolView } from "./tool-view.ts"
import { toolView } from "./tool-view.ts"

export type UIPart = UIMessage["parts"][number]

/** Where an attachment can be fetched. */
export type FileUrl = (attachment: AttachmentInfo) => string

/** What a person sent, as parts. */
export function userParts({ row }: MessageItem, fileUrl: FileUrl): (TextUIPart | FileUIPart)[] {
  const text = textOf(row.content)
  return [...(text === "" ? [] : [{ type: "text" as const, text }]), ...(row.attachments ?? []).map(fileOf(fileUrl))]
}

/** A part of a step. */
export function partOf(part: Part, fileUrl: FileUrl): UIPart[] {
  if (part.kind !== "tool") {
    if (part.text === "") return []
    const state = part.streaming ? "streaming" : "done"
    return part.kind === "text"
      ? [{ type: "text", text: part.text, state }]
      : [{ type: "reasoning", id: part.key, text: part.text, state }]
  }
  const view = toolView(part)
  return [toolUiPart(view), ...filesOf(view, fileUrl)]
}

/** The files in a tool's result. */
export function filesOf({ state, output }: ToolView, fileUrl: FileUrl): FileUIPart[] {
  return state === "output-available" ? attachmentsIn(output).map(fileOf(fileUrl)) : []
}

/** What stands for a budget that is used up: a person is asked for more. */
export function budgetPart(approval: ApprovalRow): UIPart {
  return { type: "data-budget", id: approval.call, data: approval }
}

/** What a run answered, when that is not its last text. */
export function replyPart(reply: Json): UIPart {
  return typeof reply === "string" ? { type: "text", text: reply, state: "done" } : { type: "data-reply", data: reply }
}

function toolUiPart({ id, name, dynamic, input, state, output, errorText, approval }: ToolView): UIPart {
  const asked =
    approval &&
    definedOnly({
      id,
      requestReason: approval.why,
      approved: approval.approved,
      reason: approval.reason,
    })
  return {
    ...(dynamic ? { type: "dynamic-tool", toolName: name } : { type: `tool-${name}` }),
    ...definedOnly({ toolCallId: id, state, input, output, errorText, approval: asked }),
  } as UIPart
}

function fileOf(fileUrl: FileUrl): (attachment: AttachmentInfo) => FileUIPart {
  return (attachment) => ({
    type: "file",
    mediaType: attachment.mediaType,
    filename: attachment.name,
    url: fileUrl(attachment),
  })
}

function textOf(content: Json): string {
  return typeof content === "string" ? content : JSON.stringify(content)
}
