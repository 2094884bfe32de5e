import type { Item, Part, StepItem, TextPart, Timeline } from "@rouse/client"
import type { ApprovalDecision, ChangeNotice, ChildFinished, Json, MessageRow } from "@rouse/protocol"
import { lengthBetween, lengthText } from "./length.ts"
import { blockLines, markdownBlocks, spoken } from "./markdown.ts"
import { laid, plainLine } from "./plain.ts"
import { usageText } from "./spend.ts"
import { askLines, frameOf, isEnded, toolCard } from "./tool-card.ts"
import type { Block, View } from "./view.ts"
import { cut, hung } from "./wrap.ts"

const NOTE_CHARACTERS_MAX = 2_000
/** Lines of reasoning that are shown while it is written. */
const THINKING_LINES_MAX = 3
/** What is looked at of reasoning that is folded. */
const THINKING_CHARACTERS_MAX = 2_000

/** An item of a timeline as blocks of lines. @see docs/terminal.md */
export function itemBlocks(item: Item, view: View): readonly Block[] {
  switch (item.kind) {
    case "message":
      return messageBlocks(item.id, item.row, item.step !== undefined, view)
    case "step":
      return stepBlocks(item, view)
    case "runEnd":
      return runEndBlocks(item, view)
    case "child":
      return [note(item.id, `spawned ${item.row.url}`, view)]
    case "error":
      return [
        note(
          item.id,
          `attempt ${item.row.attempt} failed: ${laid(item.row.message)}${item.retried ? ", trying again" : ""}`,
          view,
          view.color.yellow,
        ),
      ]
    case "wake":
      return [
        item.row.outcome === "dead"
          ? note(item.id, `dead-lettered: ${laid(item.row.error ?? "no reason was given")}`, view, view.color.red)
          : note(item.id, "the lease was lost; another attempt follows", view, view.color.yellow),
      ]
    case "signal":
      return [note(item.id, `${plainLine(item.row.name)} by ${plainLine(item.row.from.id)}`, view)]
  }
}

/** Approvals that belong to no tool call of the timeline: a budget that is used up. */
export function budgetBlocks(timeline: Timeline, view: View): readonly Block[] {
  return Object.entries(timeline.approvals).flatMap(([key, approval]) => {
    if (approval.kind !== "budget") return []
    const { exhausted } = approval.input as unknown as { readonly exhausted: readonly string[] }
    const asked = { ...approval, question: `Its budget is used up: ${exhausted.map(plainLine).join(", ")}.` }
    const lines = askLines(asked, { ...view, columns: view.columns - 2 })
    const marks = lines.map((line, at) => `${at === 0 ? view.color.yellow(view.glyphs.waiting) : " "} ${line}`)
    return [{ key: `approval:${key}`, lines: marks, settled: false }]
  })
}

function note(key: string, text: string, view: View, paint: (text: string) => string = view.color.dim): Block {
  const lines = hung(laid(text.slice(0, NOTE_CHARACTERS_MAX)), view.columns, `${view.glyphs.note} `, "  ")
  return { key, lines: lines.map((line) => paint(line)), settled: true, tight: true }
}

function messageBlocks(key: string, row: MessageRow, isPlaced: boolean, view: View): readonly Block[] {
  const settled = row.status !== "accepted" && (isPlaced || row.status !== "taken")
  if (row.kind !== "message") {
    const text = noticeText(row)
    return text === undefined ? [] : [{ ...note(key, text, view), settled }]
  }
  const { color, glyphs } = view
  const isPerson = row.from.kind === "user"
  const who = color.dim(`${plainLine(row.from.id)}${waitsText(row)}`)
  const said = spoken(textOf(row.content), color.cyan(glyphs.person), view, isPerson ? color.bold : (line) => line)
  const files = (row.attachments ?? []).map((file) => color.dim(`  + ${plainLine(file.name)}`))
  return [{ key, lines: [`${color.dim(glyphs.dot)} ${who}`, ...said, ...files], settled }]
}

function waitsText({ status, mode, reason }: MessageRow): string {
  if (status === "accepted") return mode === "steer" ? ", waiting" : `, waiting (${mode})`
  if (status === "cancelled" || status === "dead")
    return `, ${status === "dead" ? "given up" : status}${reason === undefined ? "" : `: ${plainLine(reason)}`}`
  return ""
}

function noticeText({ kind, content, from }: MessageRow): string | undefined {
  switch (kind) {
    case "message":
    case "toolResult":
      return undefined
    case "childFinished": {
      const child = content as unknown as ChildFinished
      const said = child.outcome === "completed" ? textOf(child.reply) : (child.error ?? "")
      return `${child.url} ${child.outcome}${said === "" ? "" : `: ${plainLine(said)}`}`
    }
    case "approval": {
      const { decision, note: why } = content as unknown as ApprovalDecision
      const word = { allow: "allowed", deny: "denied", expire: "not decided" }[decision]
      return `${word} by ${from.id}${why === undefined ? "" : `: ${why}`}`
    }
    case "forked":
      return "forked"
    case "budget":
      return `${from.id} has used up its budget`
    case "change": {
      const { observation, count } = content as unknown as ChangeNotice
      return `${observation}: ${count} ${count === 1 ? "change" : "changes"}`
    }
    case "signal":
    case "timeout":
      return `${kind}: ${plainLine(textOf(content))}`
  }
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value)
}

function stepBlocks(item: StepItem, view: View): readonly Block[] {
  const parts = item.parts.flatMap((part) => partBlocks(part, item.status, view))
  const error = item.status === "failed" ? item.row?.error : undefined
  if (error === undefined) return parts
  return [...parts, note(`${item.id}:error`, `model: ${laid(error.message)}`, view, view.color.yellow)]
}

function partBlocks(part: Part, status: StepItem["status"], view: View): readonly Block[] {
  const isCut = status === "failed" || status === "interrupted"
  if (part.kind === "tool")
    return [{ key: part.key, lines: toolCard(part, view), settled: isCut || isEnded(part), tight: true }]
  const isOver = status !== "running"
  return part.kind === "text" ? textBlocks(part, isOver, view) : reasoningBlocks(part, isOver, view)
}

/** Text by its outermost blocks: all but the last of one that is still written are settled. */
function textBlocks(part: TextPart, isOver: boolean, view: View): readonly Block[] {
  const all = markdownBlocks(part.text)
  const isWhole = isOver && !part.streaming
  return all.map((block, at) => ({
    key: `${part.key}:${at}`,
    // Asked for only while the block is not printed: of a long text, that is its end.
    get lines(): readonly string[] {
      return blockLines(block, view)
    },
    settled: (isWhole || at < all.length - 1) && !part.gap,
    source: block.source.trimEnd(),
  }))
}

function reasoningBlocks(part: TextPart, isOver: boolean, view: View): readonly Block[] {
  const { color, glyphs } = view
  const text = laid(part.text).trim()
  if (text === "") return []
  const isWhole = (isOver || !part.streaming) && !part.gap
  const faint = (line: string): string => color.dim(color.italic(line))
  const block = { key: part.key, settled: isWhole, source: text }
  if (view.reasoning) return [{ ...block, lines: hung(text, view.columns, `${glyphs.thought} `, "  ").map(faint) }]
  if (isWhole) {
    const count = ` (${text.length} characters)`
    const first = cut(plainLine(text.slice(0, THINKING_CHARACTERS_MAX)), view.columns - count.length - 2, glyphs.more)
    return [{ ...block, lines: [faint(`${glyphs.thought} ${first}${count}`)] }]
  }
  const tail = hung(text.slice(-THINKING_CHARACTERS_MAX), view.columns, "  ").slice(-THINKING_LINES_MAX)
  return [{ ...block, lines: [faint(`${glyphs.thought} thinking${glyphs.more}`), ...tail.map(faint)] }]
}

type RunEnd = Extract<Item, { readonly kind: "runEnd" }>

function runEndBlocks(item: RunEnd, view: View): readonly Block[] {
  const { row, outcome, id } = item
  const { color } = view
  const took = lengthBetween(row.startedAt, row.endedAt, view.nowMs)
  const facts = [
    ...(took === undefined ? [] : [lengthText(took)]),
    ...(row.usage === undefined ? [] : [usageText(row.usage, view.glyphs)]),
  ]
  const end = (text: string, paint: (text: string) => string): Block => ({
    ...note(id, [text, ...facts].join(` ${view.glyphs.dot} `), view, paint),
    tight: false,
  })
  const reply = item.reply === undefined || item.reply === null ? [] : replyBlocks(item, textOf(item.reply), view)
  if (outcome === "completed") return [...reply, end("completed", color.dim)]
  if (outcome === "failed") return [end(`failed: ${laid(row.error?.message ?? "no reason was given")}`, color.red)]
  return [end(`the run was ${outcome}`, color.yellow)]
}

/** A reply that the run did not write as text. */
function replyBlocks({ id }: RunEnd, reply: string, view: View): readonly Block[] {
  return markdownBlocks(reply).map((block, at) => ({
    key: `${id}:reply:${at}`,
    lines: blockLines(block, view),
    settled: true,
    source: block.source,
  }))
}

/** What stands at the left of a status: a spinner while something works. */
export function pulse(busy: boolean, { glyphs, nowMs, color }: View): string {
  return busy ? color.cyan(frameOf(glyphs.spinner, nowMs)) : color.dim(glyphs.agent)
}
