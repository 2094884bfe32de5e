import type { Item, Part, Timeline, ToolPart } from "@rouse/client"
import type {
  ApprovalDecision,
  ApprovalRow,
  BudgetRequest,
  ChangeNotice,
  ChildFinished,
  EntityUrl,
  MessageRow,
  ToolCallRow,
} from "@rouse/protocol"
import { duration } from "./relative-time.ts"
import { clip, printable, textOf } from "./text.ts"

/**
 * A timeline as lines of a terminal that only grow.
 *
 * Owns: nothing. `Shown` says what has been printed; `advance` gives what is to be printed now.
 * 1. What was printed is never printed again, except text that a new attempt wrote differently.
 * 2. Pieces with the same key go on where the last one ended; another key begins a line.
 */
export interface Piece {
  readonly kind: "text" | "reasoning" | "message" | "tool" | "note" | "warning" | "error"
  readonly key: string
  readonly text: string
}

/** What has been printed: by the key of a part or item, its text, or its status. */
export type Shown = ReadonlyMap<string, string>

export interface TranscriptOptions {
  readonly url: EntityUrl
  /** Whether text is given as it is written, or once it is whole. */
  readonly streaming: boolean
  /** Whether messages from outside are shown. */
  readonly messages: boolean
  /**
   * Whether the end of a run shows its reply, where that is not the text it wrote. Only for readers of whole commits.
   */
  readonly replies: boolean
}

const INPUT_COLUMNS_MAX = 120

/** What is new in `timeline` since `shown`, in order, and what is shown after it. */
export function advance(
  shown: Shown,
  timeline: Timeline,
  options: TranscriptOptions,
): readonly [Shown, readonly Piece[]] {
  const next = new Map(shown)
  const pieces: Piece[] = []
  for (const item of timeline.items) {
    if (next.get(item.id) === CLOSED) continue
    pieces.push(...piecesOf(item, timeline, next, options))
  }
  for (const [key, approval] of Object.entries(timeline.approvals)) {
    if (approval.kind === "budget")
      pieces.push(...once(next, `approval:${key}`, "shown", () => [budgetLine(key, approval, options)]))
  }
  return [next, pieces]
}

function budgetLine(key: string, { input }: ApprovalRow, { url }: TranscriptOptions): Piece {
  const { exhausted, extend } = input as unknown as BudgetRequest
  const more = Object.entries(extend).map(([name, amount]) => `--extend ${name}=${amount}`)
  return line(
    "warning",
    key,
    `⏸ its budget is used up (${exhausted.join(", ")}): rouse approve ${url} ${key} ${more.join(" ")}`,
  )
}

/** An item that can change no more. */
const CLOSED = "\u0000closed"

type Marks = Map<string, string>

function piecesOf(item: Item, timeline: Timeline, marks: Marks, options: TranscriptOptions): readonly Piece[] {
  switch (item.kind) {
    case "message":
      return once(marks, item.id, CLOSED, () => messagePieces(item.key, item.row, options))
    case "step": {
      const pieces = item.parts.flatMap((part) => partPieces(part, marks, options))
      if (item.status === "failed" && item.row?.error) {
        pieces.push(
          ...once(marks, `${item.id}:error`, "shown", () => [
            line("warning", item.id, `model: ${item.row?.error?.message ?? "failed"}`),
          ]),
        )
      }
      return pieces
    }
    case "runEnd":
      return once(marks, item.id, item.outcome, () => runEndPieces(item, timeline, options))
    case "child":
      return once(marks, item.id, CLOSED, () => [line("note", item.id, `spawned ${item.row.url}`)])
    case "error":
      return once(marks, item.id, "shown", () => [
        line(
          "warning",
          item.id,
          `attempt ${item.row.attempt} failed: ${item.row.message}${item.retried ? ", trying again" : ""}`,
        ),
      ])
    case "wake":
      return once(marks, item.id, item.row.outcome ?? "", () => [
        item.row.outcome === "dead"
          ? line("error", item.id, `dead-lettered${item.row.error === undefined ? "" : `: ${item.row.error}`}`)
          : line("note", item.id, "the lease was lost; another attempt follows"),
      ])
    case "signal":
      return once(marks, item.id, "shown", () => [line("note", item.id, `${item.row.name} by ${item.row.from.id}`)])
  }
}

function once(marks: Marks, key: string, mark: string, pieces: () => readonly Piece[]): readonly Piece[] {
  if (marks.get(key) === mark) return []
  marks.set(key, mark)
  return pieces()
}

function messagePieces(key: string, row: MessageRow, options: TranscriptOptions): readonly Piece[] {
  switch (row.kind) {
    case "message":
      return options.messages ? [line("message", key, `${senderOf(row)} › ${textOf(row.content)}`)] : []
    case "childFinished": {
      const child = row.content as unknown as ChildFinished
      const said = child.outcome === "completed" ? textOf(child.reply) : (child.error ?? "")
      return [
        line("note", key, `${child.url} ${child.outcome}${said === "" ? "" : `: ${clip(said, INPUT_COLUMNS_MAX)}`}`),
      ]
    }
    case "approval": {
      const decided = row.content as unknown as ApprovalDecision
      const word = { allow: "allowed", deny: "denied", expire: "not decided" }[decided.decision]
      return [line("note", key, `${word} by ${row.from.id}${decided.note ? `: ${decided.note}` : ""}`)]
    }
    case "toolResult":
      return []
    case "forked":
      return [line("note", key, "forked")]
    case "budget":
      return [line("note", key, `${row.from.id} has used up its budget`)]
    case "change":
      return [line("note", key, changeText(row))]
    case "signal":
    case "timeout":
      return [line("note", key, `${row.kind}: ${clip(textOf(row.content), INPUT_COLUMNS_MAX)}`)]
  }
}

function changeText(row: MessageRow): string {
  const { observation, count } = row.content as unknown as ChangeNotice
  return `${observation}: ${count} ${count === 1 ? "change" : "changes"}`
}

function senderOf(row: MessageRow): string {
  return row.from.kind === "user" ? "you" : row.from.id
}

function partPieces(part: Part, marks: Marks, options: TranscriptOptions): readonly Piece[] {
  if (part.kind === "tool") return once(marks, part.key, toolMark(part), () => toolPieces(part, options))
  if (part.gap || (part.streaming && !options.streaming)) return []
  const before = marks.get(part.key) ?? ""
  if (part.text === before) return []
  marks.set(part.key, part.text)
  if (part.text.startsWith(before))
    return [{ kind: part.kind, key: part.key, text: printable(part.text.slice(before.length)) }]
  return [
    line("note", `${part.key}:again`, "written again"),
    { kind: part.kind, key: part.key, text: printable(part.text) },
  ]
}

/** What of a call is shown once: how it stands, and which worker has it. */
function toolMark({ row, approval, work }: ToolPart): string {
  const isAsked = approval?.status === "waiting" || (row.status === "waiting" && !work)
  return `${row.status} ${work ? `${work.status} ${work.attempt}` : ""} ${isAsked ? "asked" : ""}`
}

function toolPieces({ key, row, approval, work }: ToolPart, { url }: TranscriptOptions): readonly Piece[] {
  const call = `${row.name} ${clip(textOf(row.input), INPUT_COLUMNS_MAX)}`
  switch (row.status) {
    case "intended":
      return []
    case "running":
      return [line("tool", key, `⚙ ${call}`)]
    case "waiting":
      if (work?.status === "claimed") return [line("tool", key, `⚙ ${call} with ${work.worker ?? "a worker"}`)]
      if (work) return [line("tool", key, `⏳ ${call} waits for a worker in the queue ${work.queue}`)]
      if (row.backend === "worker" && approval === undefined) return []
      if (approval?.kind === "question")
        return [line("warning", key, `⏸ ${approval.question ?? call} rouse approve ${url} ${key} --answer …`)]
      if (approval !== undefined && approval.status !== "waiting") return []
      return [line("warning", key, `⏸ ${call} waits for you: rouse approve ${url} ${key}`)]
    case "done":
      return [
        line("tool", key, `✓ ${row.name}${took(row)} → ${clip(textOf(row.output), INPUT_COLUMNS_MAX)}${resolved(row)}`),
      ]
    case "failed":
      return [line("warning", key, `✗ ${row.name}${took(row)}: ${clip(row.error ?? "failed", INPUT_COLUMNS_MAX)}`)]
    case "denied":
    case "cancelled":
      return [line("note", key, `✗ ${row.name} ${row.status}`)]
    case "unknown":
      return [line("warning", key, `? ${row.name}: nobody knows whether it took effect`)]
  }
}

function took(row: ToolCallRow): string {
  if (row.startedAt === undefined || row.endedAt === undefined) return ""
  return ` (${duration(Date.parse(row.endedAt) - Date.parse(row.startedAt))})`
}

function resolved(row: ToolCallRow): string {
  return row.resolved === undefined || row.resolved === "unknown"
    ? ""
    : ` (after a crash: ${row.resolved === "again" ? "ran again" : "reconciled"})`
}

type RunEnd = Extract<Item, { kind: "runEnd" }>

function runEndPieces(item: RunEnd, timeline: Timeline, options: TranscriptOptions): readonly Piece[] {
  if (item.outcome === "failed")
    return [line("error", item.id, `failed: ${item.row.error?.message ?? "no reason was given"}`)]
  if (item.outcome !== "completed") return [line("warning", item.id, `the run was ${item.outcome}`)]
  const reply = item.row.reply === undefined || item.row.reply === null ? "" : textOf(item.row.reply)
  return !options.replies || reply === "" || reply === lastText(timeline, item.run)
    ? []
    : [{ kind: "text", key: item.id, text: printable(reply) }]
}

/** The last text that a run has written so far. */
export function lastText(timeline: Timeline, run: string | undefined): string | undefined {
  const steps = timeline.items.flatMap((item) =>
    item.kind === "step" && (run === undefined || item.run === run) ? [item] : [],
  )
  const texts = steps.flatMap((step) => step.parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])))
  return texts.at(-1)
}

function line(kind: Piece["kind"], key: string, text: string): Piece {
  return { kind, key, text: `${printable(text)}\n` }
}
