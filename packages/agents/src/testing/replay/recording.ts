import { RouseError } from "@rouse/protocol"
import type {
  BuiltInRows,
  ChangeEvent,
  EntityUrl,
  Json,
  JsonObject,
  MessageRow,
  RunRow,
  StepRow,
  ToolCallRow,
  Usage,
} from "@rouse/protocol"

/** A session as it went: plain JSON, to be kept beside the tests. Secrets are never on a log, and so never in it. */
export interface SessionRecording {
  readonly recording: "rouse-session"
  readonly version: 1
  readonly url: EntityUrl
  readonly args: JsonObject
  readonly tags: Readonly<Record<string, string>>
  readonly startedAt: string
  readonly runs: readonly RecordedRun[]
  /** What `ctx.step` returned, by name, in order. */
  readonly memos: Readonly<Record<string, readonly Json[]>>
}

export interface RecordedRun {
  readonly id: string
  readonly status: RunRow["status"]
  readonly reply: Json
  readonly messages: readonly RecordedMessage[]
  readonly steps: readonly RecordedStep[]
}

export type RecordedMessage = Pick<MessageRow, "kind" | "from" | "content" | "schedule">

export interface RecordedStep {
  readonly model: string
  readonly text: string
  readonly reasoning: string
  readonly calls: readonly RecordedCall[]
  readonly usage?: Usage
}

export interface RecordedCall extends Pick<ToolCallRow, "callId" | "name" | "input" | "status" | "effect"> {
  readonly output?: Json
  readonly error?: string
}

/** Messages that are answers of calls, or the platform's own: a replay answers calls itself. */
const PLATFORMS: ReadonlySet<string> = new Set(["approval", "toolResult", "budget", "forked"])

/**
 * Makes a recording of an agent's log, from its beginning. Pure.
 *
 * @throws {RouseError} `BAD_REQUEST` when the log is no agent's.
 */
export function recordSession(events: Iterable<ChangeEvent>): SessionRecording {
  const rows = new Map<string, Map<string, Json>>()
  const memos: Record<string, Json[]> = {}
  for (const { type, key, value, headers } of events) {
    if (type === "memo" && headers.operation === "insert") remember(memos, key, value)
    const collection = rows.get(type) ?? new Map<string, Json>()
    rows.set(type, collection)
    if (headers.operation === "delete") collection.delete(key)
    else collection.set(key, value ?? null)
  }
  const list: List = <C extends keyof BuiltInRows>(name: C) =>
    [...(rows.get(name) ?? [])]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, value]) => value as unknown as BuiltInRows[C])
  const [entity] = list("entity")
  if (!entity) throw new RouseError("BAD_REQUEST", "the log is no agent's: it does not say whose it is")
  const tags = Object.fromEntries([...(rows.get("tag") ?? [])].map(([name, row]) => [name, tagOf(row)]))
  return {
    recording: "rouse-session",
    version: 1,
    url: entity.url,
    args: entity.args,
    tags,
    startedAt: entity.createdAt,
    runs: list("run").map((run) => runOf(run, list)),
    memos,
  }
}

type List = <C extends keyof BuiltInRows>(name: C) => readonly BuiltInRows[C][]

function runOf({ id, status, reply }: RunRow, list: List): RecordedRun {
  const messages = list("message").filter((row) => row.run === id && !PLATFORMS.has(row.kind))
  const steps = list("step").filter((row) => row.run === id && row.purpose === undefined && row.status === "done")
  return {
    id,
    status,
    reply: reply ?? null,
    messages: messages.map(({ kind, from, content, schedule }) => ({
      kind,
      from,
      content,
      ...(schedule ? { schedule } : {}),
    })),
    steps: steps.map((step) => stepOf(step, list)),
  }
}

function stepOf({ id, model, usage }: StepRow, list: List): RecordedStep {
  const said = (name: "text" | "reasoning"): string =>
    list(name)
      .filter((part) => part.step === id)
      .map((part) => part.text)
      .join("")
  return {
    model,
    text: said("text"),
    reasoning: said("reasoning"),
    calls: list("tool_call")
      .filter((call) => call.step === id)
      .map(callOf),
    ...(usage ? { usage } : {}),
  }
}

function callOf({ callId, name, input, edited, status, effect, output, error }: ToolCallRow): RecordedCall {
  return {
    ...{ callId, name, input: edited ?? input, status, effect },
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
  }
}

function remember(memos: Record<string, Json[]>, key: string, value: Json | undefined): void {
  const [, name] = /^[^:]*:step:(.*)$/.exec(key) ?? []
  if (name === undefined) return
  const { value: memo } = (value ?? {}) as { readonly value?: { readonly result?: Json } }
  ;(memos[name] ??= []).push(memo?.result ?? null)
}

function tagOf(row: Json): string {
  const { value } = (row ?? {}) as { readonly value?: Json }
  return typeof value === "string" ? value : ""
}
