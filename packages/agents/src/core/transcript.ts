import { summaryOf, SUMMARY_KEY, isRunAfter } from "@rouse/protocol"
import type { Json, StepRow, ToolCallRow } from "@rouse/protocol"
import { labelOf } from "./files.ts"
import { renderMessage } from "./render.ts"
import type { LiveRows } from "./rows.ts"

/** How much of a conversation a transcript shows, in UTF-16 code units. */
export interface TranscriptSize {
  readonly charsMax: number
  /** Of one message, answer or result. */
  readonly entryCharsMax: number
}

/** A summary made without a model: about 900 tokens, and with its row just under 4 KiB, which every wake reads. */
export const DIGEST_SIZE: TranscriptSize = { charsMax: 3_600, entryCharsMax: 300 }

const CUT = "…"

/**
 * The runs up to `through`, with what was summarised before them, as plain text: a line or more for each message, answer and tool call,
 * oldest first. Pure: the same rows give the same text. What is too much is left out at the beginning.
 */
export function transcript(rows: LiveRows, through: string, size: TranscriptSize): string {
  const earlier = summaryOf(rows.get("context", SUMMARY_KEY))?.text ?? ""
  const lines = earlier === "" ? [] : earlier.split("\n")
  const parts = partsOf(rows, through, size.entryCharsMax)
  for (const [key, step] of rows.entries("step")) {
    if (isRunAfter(step.run, through) || step.purpose !== undefined) continue
    lines.push(...inputOf(rows, step, size.entryCharsMax), ...(parts.get(key) ?? []))
  }
  return newest(lines, size.charsMax)
}

function inputOf(rows: LiveRows, step: StepRow, charsMax: number): readonly string[] {
  const texts = step.messages.flatMap((key) => {
    const row = rows.get("message", key)
    return row === undefined ? [] : [renderMessage(row), ...(row.attachments ?? []).map(labelOf)]
  })
  return [...texts, ...(step.prompt === undefined ? [] : [step.prompt])].map((text) => `user: ${clip(text, charsMax)}`)
}

function partsOf(rows: LiveRows, through: string, charsMax: number): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, { readonly index: number; readonly line: string }[]>()
  const add = (step: string, index: number, line: string): void => {
    const list = found.get(step)
    if (list === undefined) found.set(step, [{ index, line }])
    else list.push({ index, line })
  }
  for (const row of rows.values("text")) {
    if (!isRunAfter(row.run, through) && row.text.trim() !== "")
      add(row.step, row.index, `assistant: ${clip(row.text, charsMax)}`)
  }
  for (const row of rows.values("tool_call")) {
    if (!isRunAfter(row.run, through)) add(row.step, row.index, callLine(row, charsMax))
  }
  const sorted = [...found].map(([step, list]) => {
    return [step, list.sort((a, b) => a.index - b.index).map(({ line }) => line)] as const
  })
  return new Map(sorted)
}

function callLine(row: ToolCallRow, charsMax: number): string {
  const result = row.status === "done" ? ` → ${clip(textOf(row.output ?? null), charsMax)}` : ` (${row.status})`
  return `tool ${row.name} ${clip(textOf(row.input), charsMax)}${result}`
}

/** The last lines that fit, with a word on what does not. */
function newest(lines: readonly string[], charsMax: number): string {
  let chars = 0
  let from = lines.length
  while (from > 0 && chars + (lines[from - 1] as string).length < charsMax)
    chars += (lines[--from] as string).length + 1
  return (from === 0 ? lines : [CUT, ...lines.slice(from)]).join("\n")
}

/** At most `chars` of a text, on one line. Never half a character. */
function clip(text: string, chars: number): string {
  const line = text.trim().replace(/\s*\n\s*/g, " ⏎ ")
  if (line.length <= chars) return line
  const end = isHighSurrogate(line, chars - 1) ? chars - 1 : chars
  return `${line.slice(0, end)}${CUT}`
}

function isHighSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0xd800 && code <= 0xdbff
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value)
}
