import type {
  ApprovalDecision,
  BudgetRequest,
  ChangeNotice,
  ChildFinished,
  Json,
  JsonObject,
  MessageRow,
  ObservedChange,
  ObserveSource,
} from "@rouse/protocol"

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
    case "change":
      return renderChange(fields as unknown as ChangeNotice)
    case "forked":
      return "This is a fork."
    case "timeout":
      return typeof fields["observation"] === "string"
        ? `Nothing was observed by ${fields["observation"]} (${sourceText(fields["source"])}) for ${renderJson(fields["timeout"] ?? "")} ms.`
        : `A timeout was reached.${row.content === null ? "" : ` ${renderJson(row.content)}`}`
  }
}

function renderChange({ observation, source, count, changes }: ChangeNotice): string {
  const head = `Observed by ${observation} (${sourceText(source)}): ${count} ${count === 1 ? "change" : "changes"}.`
  const rest = count > changes.length ? [`… and ${count - changes.length} more.`] : []
  return [head, ...changes.map(renderObserved), ...rest].join("\n")
}

function renderObserved({ collection, key, operation, row }: ObservedChange): string {
  const what = [operation, collection, key].filter((part) => part !== undefined).join(" ")
  return `- ${what}${row === undefined ? "" : `${what === "" ? "" : ": "}${renderJson(row)}`}`
}

function sourceText(source: Json | ObserveSource | undefined): string {
  return typeof source === "string" ? source : `set ${JSON.stringify(source)}`
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
