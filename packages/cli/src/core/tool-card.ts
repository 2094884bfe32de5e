import type { ToolPart } from "@rouse/client"
import type { ApprovalRow, Json, ToolCallRow } from "@rouse/protocol"
import { lengthBetween, lengthText } from "./length.ts"
import { laid, plainLine } from "./plain.ts"
import type { View } from "./view.ts"
import { cut, folded, hung, wrapped } from "./wrap.ts"

const INPUT_LINES_MAX = 8
const OUTPUT_LINES_MAX = 12
/** What is laid out of a value: the rest would not be shown. */
const VALUE_CHARACTERS_MAX = 4_000

/** A tool call: its name, effect class, state, duration and attempts; its arguments; its result, or what is wanted of a person. */
export function toolCard(part: ToolPart, view: View): readonly string[] {
  const { row } = part
  const inside: View = { ...view, columns: view.columns - 4 }
  const input = valueLines(row.edited ?? row.input, INPUT_LINES_MAX, inside)
  const result = resultLines(part, inside)
  const bar = `  ${view.color.dim(view.glyphs.bar)} `
  const corner = `  ${view.color.dim(view.glyphs.corner)} `
  const all = [
    ...input.map((line) => bar + view.color.dim(line)),
    ...result.map((line, at) => (at === 0 ? corner : "    ") + line),
  ]
  return [...headLines(part, view), ...all]
}

/** The calls that change no more. */
const ENDED: ReadonlySet<ToolCallRow["status"]> = new Set(["done", "failed", "denied", "unknown", "cancelled"])

/** Whether a call will not look otherwise. */
export function isEnded({ row }: ToolPart): boolean {
  return ENDED.has(row.status)
}

function headLines(part: ToolPart, view: View): readonly string[] {
  const { row } = part
  const { color, glyphs } = view
  const facts = [row.effect, ...(row.backend ? [row.backend] : []), ...stateOf(part, view)]
  const head = `${color.bold(plainLine(row.name))} ${color.dim(`${glyphs.dot} ${facts.join(` ${glyphs.dot} `)}`)}`
  return hung(head, view.columns, `${markOf(part, view)} `, "  ")
}

function markOf({ row }: ToolPart, { color, glyphs, nowMs }: View): string {
  switch (row.status) {
    case "done":
      return color.green(glyphs.done)
    case "failed":
      return color.red(glyphs.failed)
    case "denied":
    case "cancelled":
      return color.dim(glyphs.failed)
    case "unknown":
      return color.yellow(glyphs.unknown)
    case "waiting":
      return color.yellow(glyphs.waiting)
    case "intended":
    case "running":
      return color.cyan(frameOf(glyphs.spinner, nowMs))
  }
}

const FRAME_MS = 100

/** The spinner's frame at a time. */
export function frameOf(frames: readonly string[], nowMs: number): string {
  return frames[Math.floor(nowMs / FRAME_MS) % frames.length] ?? ""
}

function stateOf({ row, approval, work }: ToolPart, { nowMs }: View): readonly string[] {
  const took = lengthBetween(row.startedAt, row.endedAt, nowMs)
  const isShort = row.status === "intended" || row.status === "waiting"
  const resolved = { again: "ran again after a crash", reconciled: "reconciled after a crash", unknown: undefined }
  return [
    ...(row.status === "denied" || row.status === "cancelled" ? [row.status] : []),
    ...(row.status === "waiting" && work === undefined && approval?.status !== "waiting" ? ["waiting"] : []),
    ...(work
      ? [work.worker === undefined ? `in queue ${plainLine(work.queue)}` : `with ${plainLine(work.worker)}`]
      : []),
    ...(took === undefined || isShort ? [] : [lengthText(took)]),
    ...(row.attempts > 1 ? [`${row.attempts} attempts`] : []),
    ...(row.edited === undefined ? [] : ["arguments edited by a person"]),
    ...(row.resolved && resolved[row.resolved] ? [resolved[row.resolved] ?? ""] : []),
    ...(approval?.by && row.status !== "denied" ? [`${approval.status} by ${plainLine(approval.by.id)}`] : []),
  ]
}

function resultLines(part: ToolPart, view: View): readonly string[] {
  const { row, approval } = part
  const { color, glyphs } = view
  if (approval?.status === "waiting") return askLines(approval, view)
  switch (row.status) {
    case "done":
      return row.output === undefined
        ? []
        : marked(
            valueLines(row.output, OUTPUT_LINES_MAX, { ...view, columns: view.columns - 2 }),
            color.dim(glyphs.arrow),
          )
    case "failed":
      return wrapped(laid(row.error ?? "it failed"), view.columns)
        .slice(0, OUTPUT_LINES_MAX)
        .map(color.red)
    case "denied":
      return wrapped(`denied${by(approval)}`, view.columns)
    case "unknown":
      return wrapped("nobody knows whether it took effect; it is not run again", view.columns).map(color.yellow)
    case "intended":
    case "running":
    case "waiting":
    case "cancelled":
      return []
  }
}

function by(approval: ApprovalRow | undefined): string {
  if (approval?.by === undefined) return ""
  return ` by ${plainLine(approval.by.id)}${approval.note === undefined ? "" : `: ${plainLine(approval.note)}`}`
}

/** What a person is asked, and how to answer. */
export function askLines(approval: ApprovalRow, view: View): readonly string[] {
  const { color } = view
  const asked = laid(
    approval.question ?? (approval.kind === "budget" ? "Its budget is used up." : "It waits for your approval."),
  )
  const others = approval.from === undefined ? [] : [`for ${approval.from.map(plainLine).join(", ")}`]
  const quorum =
    approval.quorum === undefined || approval.quorum < 2
      ? []
      : [`${allowed(approval)} of ${approval.quorum} have allowed it`]
  const terms = [...others, ...quorum].join(", ")
  return [
    ...wrapped(color.yellow(color.bold(asked)), view.columns),
    ...(terms === "" ? [] : wrapped(color.dim(terms), view.columns)),
    ...wrapped(color.dim(howTo(approval, view)), view.columns),
  ]
}

function allowed({ votes = [] }: ApprovalRow): number {
  return votes.filter((vote) => vote.decision === "allow").length
}

function howTo({ kind, call }: ApprovalRow, { answering, url }: View): string {
  if (answering)
    return kind === "question"
      ? "type your answer"
      : kind === "budget"
        ? "y give more, n deny"
        : "y allow, n deny, e edit"
  return `rouse approve ${url} ${plainLine(call)}${kind === "question" ? " --answer …" : " (or --deny)"}`
}

function marked(lines: readonly string[], mark: string): readonly string[] {
  return lines.map((line, at) => `${at === 0 ? mark : " "} ${line}`)
}

/** A value on as few lines as show it: text as it is, an object by its fields. */
export function valueLines(
  value: Json,
  linesMax: number,
  { columns, glyphs }: { readonly columns: number; readonly glyphs: View["glyphs"] },
): readonly string[] {
  const lines = layOut(value, columns)
  if (lines.length <= linesMax) return lines
  const rest = lines.length - linesMax + 1
  return [...lines.slice(0, linesMax - 1), cut(`${glyphs.more} ${rest} more lines`, columns, glyphs.more)]
}

function layOut(value: Json, columns: number): readonly string[] {
  if (typeof value === "string") return folded(laid(value.slice(0, VALUE_CHARACTERS_MAX)).trimEnd(), columns)
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value)
  if (isObject && Object.keys(value).length === 0) return []
  const short = plainLine(JSON.stringify(value).slice(0, VALUE_CHARACTERS_MAX))
  if (!isObject) return folded(short, columns)
  return Object.entries(value).flatMap(([name, field]) => {
    const text = typeof field === "string" ? field : JSON.stringify(field)
    return folded(laid(`${name}: ${text.slice(0, VALUE_CHARACTERS_MAX)}`), columns)
  })
}
