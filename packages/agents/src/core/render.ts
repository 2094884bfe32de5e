import type { ApprovalDecision, BudgetRequest, ChildFinished, Json, JsonObject, MessageRow } from "@rouse/protocol"

/** How a message reads to the model: one stable text a row, never blank. */
export function renderMessage(row: MessageRow): string {
  const text = renderKind(row)
  if (text.trim() === "" && row.attachments?.length) return "(no text)"
  return text.trim() === "" ? "(empty message)" : text
}

function renderKind(row: MessageRow): string {
  const fields = (typeof row.content === "object" && row.content !== null ? row.content : {}) as JsonObject
  switch (row.kind) {
    case "message":
      return row.from.kind === "agent"
        ? `Message from ${row.from.id}:\n${renderJson(row.content)}`
        : renderJson(row.content)
    case "childFinished":
      return renderChild(fields)
    case "approval": {
      const { call, decision, note } = fields as unknown as Partial<ApprovalDecision>
      return `Tool call ${call ?? ""} was ${decision === "allow" ? "allowed" : decision === "expire" ? "not decided in time" : "denied"}.${note ? ` Note: ${note}` : ""}`
    }
    case "toolResult":
      return `Tool call ${renderJson(fields["call"] ?? "")} has ended.`
    case "signal": {
      const payload = fields["payload"]
      const tail = payload === undefined || payload === null ? "" : ` Payload: ${renderJson(payload)}`
      return `Signal ${renderJson(fields["name"] ?? "")} from ${row.from.id}.${tail}`
    }
    case "budget": {
      const { entity, exhausted, call } = fields as unknown as Partial<BudgetRequest>
      return `Child ${entity ?? ""} has used up its budget (${(exhausted ?? []).join(", ")}) and waits for more, or for a person. Its request is ${call ?? ""}.`
    }
    case "forked":
      return "This is a fork."
    case "timeout":
      return `A timeout was reached.${row.content === null ? "" : ` ${renderJson(row.content)}`}`
  }
}

function renderChild(child: Partial<ChildFinished>): string {
  const head = `Child ${child.url ?? ""} ${child.outcome ?? "ended"}.`
  const error = child.error === undefined ? "" : ` Error: ${child.error}`
  const reply = child.reply === undefined || child.reply === null ? "" : ` Reply:\n${renderJson(child.reply)}`
  return head + error + reply
}

function renderJson(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value)
}
