import { SUMMARY_KEY, attachmentsIn, partKey, summaryOf } from "@rouse/protocol"
import type {
  AttachmentInfo,
  Json,
  JsonObject,
  ReasoningRow,
  SourceRow,
  StepRow,
  TextRow,
  ToolCallRow,
} from "@rouse/protocol"
import { labelOf } from "./files.ts"
import { renderMessage } from "./render.ts"
import type { LiveRows } from "./rows.ts"
import { bySource, renderSource } from "./source.ts"

/**
 * The projection of an entity's rows to a conversation (P3): pure, and the same rows give the same bytes (P4).
 *
 * For any rows, also those of a log cut anywhere:
 * 1. It begins with a user turn, and ends with a user or tool turn.
 * 2. No turn is empty, and no text is blank. User turns do not follow each other, nor do assistant turns.
 * 3. Each tool call has exactly one result, in the tool turn right after it. Call ids are unique.
 * 4. More rows only add to the end, except that a call's result replaces the word that it has none yet, that a message which is
 *    tried again in another run moves there, and that a new summary takes the place of the runs it covers.
 */
export type Turn = UserTurn | AssistantTurn | ToolTurn

export interface UserTurn {
  readonly role: "user"
  readonly texts: readonly string[]
  /** Files, each right behind the text that names it. */
  readonly files?: readonly { readonly after: number; readonly file: AttachmentInfo }[]
  /** The first of the texts is a summary of what came before. */
  readonly summary?: true
}

export interface AssistantTurn {
  readonly role: "assistant"
  readonly parts: readonly AssistantPart[]
}

export type AssistantPart =
  | { readonly kind: "text" | "reasoning"; readonly text: string; readonly metadata?: JsonObject }
  | {
      readonly kind: "call"
      readonly id: string
      readonly name: string
      readonly input: JsonObject
      readonly metadata?: JsonObject
    }

export interface ToolTurn {
  readonly role: "tool"
  readonly results: readonly CallResult[]
}

export interface CallResult {
  readonly id: string
  readonly name: string
  readonly outcome:
    | { readonly kind: "value"; readonly value: Json }
    | { readonly kind: "error"; readonly text: string }
    | { readonly kind: "denied"; readonly note: string }
  /** That the output refers to. */
  readonly files?: readonly AttachmentInfo[]
}

/** What the model is told when there is nothing new to answer. */
export const CONTINUE: string = "Continue."

/** What stands before a summary in the prompt. */
export const SUMMARY_HEAD: string = "Summary of the conversation up to here; what it covers is not shown any more:\n\n"

export function conversation(rows: LiveRows): readonly Turn[] {
  const parts = partsByStep(rows)
  const lastShown = new Map<string, string>()
  for (const step of rows.values("step")) for (const message of step.messages) lastShown.set(message, step.id)
  const summary = summaryOf(rows.get("context", SUMMARY_KEY))?.text ?? ""
  const turns: Turn[] = summary === "" ? [] : [{ role: "user", texts: [SUMMARY_HEAD + summary], summary: true }]
  const sources = sourcesByStep(rows)
  const callIds = new Set<string>()
  for (const [key, step] of rows.entries("step")) {
    const answer = parts.get(key) ?? []
    // A message that got no answer and was tried again in another run is shown there alone.
    const messages = step.messages.filter((message) => answer.length > 0 || lastShown.get(message) === step.id)
    addUser(turns, [...(sources.get(key) ?? []), ...inputOf({ ...step, messages }, rows)])
    addStep(turns, step, answer, callIds)
  }
  if (turns.at(-1)?.role !== "user" && turns.at(-1)?.role !== "tool") addUser(turns, [CONTINUE])
  return turns
}

type PartRow =
  | { readonly kind: "text"; readonly row: TextRow }
  | { readonly kind: "reasoning"; readonly row: ReasoningRow }
  | { readonly kind: "call"; readonly key: string; readonly row: ToolCallRow }

function partsByStep(rows: LiveRows): Map<string, PartRow[]> {
  const parts = new Map<string, PartRow[]>()
  const add = (step: string, part: PartRow): void => {
    const list = parts.get(step)
    if (list === undefined) parts.set(step, [part])
    else list.push(part)
  }
  for (const row of rows.values("reasoning")) add(row.step, { kind: "reasoning", row })
  for (const row of rows.values("text")) add(row.step, { kind: "text", row })
  for (const [key, row] of rows.entries("tool_call")) add(row.step, { kind: "call", key, row })
  for (const list of parts.values()) list.sort((a, b) => a.row.index - b.row.index)
  return parts
}

/** What sources said when a step began: by priority, and then by name. */
function sourcesByStep(rows: LiveRows): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, SourceRow[]>()
  for (const row of rows.values("context")) {
    if (row.kind !== "source") continue
    const list = found.get(row.step)
    if (list === undefined) found.set(row.step, [row])
    else list.push(row)
  }
  const texts = [...found].map(([step, list]) => [step, list.sort(bySource).map(renderSource)] as const)
  return new Map(texts)
}

function inputOf(step: StepRow, rows: LiveRows): readonly (string | AttachmentInfo)[] {
  const texts = step.messages.flatMap((key): readonly (string | AttachmentInfo)[] => {
    const row = rows.get("message", key)
    return row === undefined ? [] : [renderMessage(row), ...(row.attachments ?? [])]
  })
  return step.prompt === undefined ? texts : [...texts, orBlank(step.prompt)]
}

function addUser(turns: Turn[], items: readonly (string | AttachmentInfo)[]): void {
  if (items.length === 0) return
  const last = turns.at(-1)
  const before: UserTurn = last?.role === "user" ? last : { role: "user", texts: [] }
  const texts = [...before.texts]
  const files = [...(before.files ?? [])]
  for (const item of items) {
    texts.push(typeof item === "string" ? item : labelOf(item))
    if (typeof item !== "string") files.push({ after: texts.length - 1, file: item })
  }
  const turn: UserTurn = { ...before, texts, ...(files.length > 0 ? { files } : {}) }
  if (last?.role === "user") turns[turns.length - 1] = turn
  else turns.push(turn)
}

function addStep(turns: Turn[], step: StepRow, rows: readonly PartRow[], callIds: Set<string>): void {
  const parts: AssistantPart[] = []
  const results: CallResult[] = []
  for (const part of rows) {
    if (part.kind === "call") {
      const id = callId(part.key, part.row, callIds)
      parts.push({ kind: "call", id, name: part.row.name, input: objectOf(part.row.input), ...metadataOf(part.row) })
      const files = part.row.status === "done" ? attachmentsIn(part.row.output) : []
      results.push({ id, name: part.row.name, outcome: outcomeOf(part.row), ...(files.length > 0 ? { files } : {}) })
    } else if (isKept(part, step)) {
      parts.push({ kind: part.kind, text: part.row.text, ...(step.status === "done" ? metadataOf(part.row) : {}) })
    }
  }
  if (!parts.some((part) => part.kind !== "reasoning")) return
  if (turns.length === 0 || turns.at(-1)?.role === "assistant") addUser(turns, [CONTINUE])
  turns.push({ role: "assistant", parts })
  if (results.length > 0) turns.push({ role: "tool", results })
}

/** Blank text is refused by providers; reasoning is only of use whole, with the provider's seal. */
function isKept(part: Exclude<PartRow, { kind: "call" }>, step: StepRow): boolean {
  if (part.kind === "text") return part.row.text.trim() !== ""
  return step.status === "done" && (part.row.text !== "" || part.row.providerMetadata !== undefined)
}

const CALL_ID = /^[A-Za-z0-9_-]{1,64}$/

/** The model's id for a call, or the row's key where that is missing, repeated, or not what every provider accepts. */
function callId(key: string, row: ToolCallRow, seen: Set<string>): string {
  const id = CALL_ID.test(row.callId) && !seen.has(row.callId) ? row.callId : key || partKey(row.step, row.index)
  seen.add(id)
  return id
}

function outcomeOf(row: ToolCallRow): CallResult["outcome"] {
  switch (row.status) {
    case "done":
      return { kind: "value", value: row.edited === undefined ? (row.output ?? null) : withEdit(row) }
    case "denied":
      return { kind: "denied", note: row.error ?? "" }
    case "failed":
      return { kind: "error", text: orBlank(row.error ?? "The tool failed.") }
    case "unknown":
      return { kind: "error", text: UNKNOWN_OUTCOME }
    case "cancelled":
      return { kind: "error", text: "The call was cancelled before it ended." }
    case "intended":
    case "waiting":
    case "running":
      return { kind: "error", text: "The call was interrupted: it has no result." }
  }
}

/** The model must know what it was that ran. */
function withEdit({ edited, output }: ToolCallRow): Json {
  return { note: "A person changed the input before allowing the call.", input: edited ?? null, output: output ?? null }
}

/** What the model is told of a `once` call that a crash left open. */
export const UNKNOWN_OUTCOME: string =
  "The outcome of this call is unknown: it was cut off while it ran, and running it again is not safe. " +
  "It may or may not have taken effect. Find out with another tool if you can, or tell the person. Do not just call it again."

function objectOf(input: Json): JsonObject {
  return typeof input === "object" && input !== null && !Array.isArray(input) ? (input as JsonObject) : {}
}

function metadataOf(row: { readonly providerMetadata?: JsonObject }): { readonly metadata?: JsonObject } {
  return row.providerMetadata === undefined ? {} : { metadata: row.providerMetadata }
}

function orBlank(text: string): string {
  return text.trim() === "" ? "(empty)" : text
}
