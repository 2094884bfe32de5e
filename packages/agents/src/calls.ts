import { RouseError, partKey } from "@rouse/protocol"
import type { ApprovalRequest, AskRequest, Json, JsonObject, ToolCallRow, WorkRequest } from "@rouse/protocol"
import { askOf, isAskTool } from "./ask-tool.ts"
import { requestOf } from "./approval.ts"
import { attachmentsOf } from "./attachments.ts"
import { redactedMessage } from "./failure.ts"
import type { RecordedPart } from "./core/recorder.ts"
import { validate } from "./core/validate.ts"
import type { Session } from "./session.ts"
import type { Tool, ToolContext } from "./tool.ts"
import { toolkitOf } from "./toolkit.ts"
import { handOver } from "./hand-over.ts"
import { isWorkerTool } from "./worker-tool.ts"

/** The calls of a step, and what is asked of people and workers for them, in the commit that holds them. */
export interface Intents {
  readonly rows: readonly ToolCallRow[]
  readonly approvals: readonly ApprovalRequest[]
  readonly work: readonly WorkRequest[]
  readonly asks: readonly AskRequest[]
}

interface Intent {
  readonly row: ToolCallRow
  readonly approval?: ApprovalRequest
  readonly work?: WorkRequest
  readonly ask?: AskRequest
}

/**
 * Turns what the model asked for into tool call rows: the intents. A call that cannot be made is failed at once, with words that the
 * model can act on. Those that begin right away are written as `running`, so that no further commit is needed before they run.
 */
export async function intents(
  session: Session,
  step: string,
  parts: readonly RecordedPart[],
  tools: ReadonlyMap<string, Tool>,
): Promise<Intents> {
  const calls = parts.filter((part) => part.kind === "call")
  const made = await Promise.all(calls.map((part) => intent(session, step, part, tools)))
  const alone = made.some(({ row }) => row.status === "intended" && tools.get(row.name)?.parallel === false)
  return {
    rows: made.map(({ row }) => (row.status === "intended" && !alone ? begun(session, row) : row)),
    approvals: made.flatMap(({ approval }) => approval ?? []),
    work: made.flatMap(({ work }) => work ?? []),
    asks: made.flatMap(({ ask }) => ask ?? []),
  }
}

/** The row of a call that begins now. */
export function begun(session: Session, row: ToolCallRow): ToolCallRow {
  session.begun.add(row.id)
  return { ...row, status: "running", attempts: row.attempts + 1, startedAt: session.now() }
}

async function intent(
  session: Session,
  step: string,
  part: Extract<RecordedPart, { kind: "call" }>,
  tools: ReadonlyMap<string, Tool>,
): Promise<Intent> {
  const tool = tools.get(part.name)
  const parsed = parse(part.input)
  const id = partKey(step, part.index)
  const row: ToolCallRow = {
    id,
    run: session.run,
    step,
    index: part.index,
    callId: part.callId,
    name: part.name,
    input: parsed === undefined ? part.input : parsed,
    effect: tool?.effect ?? "pure",
    ...(tool?.backend ? { backend: tool.backend } : {}),
    idempotencyKey: idempotencyKey(session, id),
    status: "intended",
    attempts: 0,
    ...(part.metadata ? { providerMetadata: part.metadata } : {}),
  }
  const failed = (error: string): Intent => ({ row: { ...row, status: "failed", error, endedAt: session.now() } })
  if (tool === undefined) return failed(`There is no tool ${JSON.stringify(part.name)}. ${listed(tools)}`)
  if (parsed === undefined) return failed("The input was not valid JSON. Call the tool again with valid JSON.")
  try {
    const input = await validate(tool.input, parsed, "input")
    const approval = await requestOf(session, tool, row, input, contextOf(session, row, session.signal, 0))
    if (approval) return { row: { ...row, status: "waiting" }, approval }
    if (isAskTool(tool)) return { row: { ...row, status: "waiting" }, ask: askOf(row, tool, input) }
    return isWorkerTool(tool) ? { row: { ...row, status: "waiting" }, work: handOver(row, tool) } : { row }
  } catch (error) {
    return failed(
      RouseError.is(error, "INVALID_ARGS")
        ? `The input is not valid. ${error.message}`
        : redactedMessage(session, error),
    )
  }
}

/** The same for every attempt, and of no other call ever: also not of an entity made again at the same address. */
function idempotencyKey(session: Session, call: string): string {
  const { url, createdAt } = session.entity
  return `${url.slice(1)}@${createdAt.replace(/[^0-9]/g, "")}/${call}`
}

/** What a tool is told about a call. */
export function contextOf(session: Session, row: ToolCallRow, signal: AbortSignal, attempt: number): ToolContext {
  const attachments = attachmentsOf(session, { call: row.id })
  const { idempotencyKey } = row
  return { idempotencyKey, signal, attempt, entity: session.entity, attachments, ...toolkitOf(session) }
}

function parse(input: string): Json | undefined {
  if (input.trim() === "") return {} satisfies JsonObject
  try {
    return JSON.parse(input) as Json
  } catch {
    // Not JSON: the caller tells the model.
    return undefined
  }
}

function listed(tools: ReadonlyMap<string, Tool>): string {
  return tools.size === 0 ? "There are no tools." : `The tools are: ${[...tools.keys()].join(", ")}.`
}
