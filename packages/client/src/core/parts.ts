import type { ApprovalRow, DeltaRow, TextRow, ToolCallRow, ToolWorkRow } from "@rouse/protocol"
import type { Draft } from "./draft.ts"
import { findItem, lastStep, putItem } from "./draft.ts"
import type { Part, StepItem, TextPart, ToolPart } from "./items.ts"
import { itemId } from "./items.ts"
import { placeStep } from "./placement.ts"
import { isStreaming, stopped } from "./streaming.ts"

/** How the parts of steps change: text and reasoning as they stream and settle, tool calls and their approvals. */

/** A settled text or reasoning replaces what was streamed of it. */
export function putText(draft: Draft, kind: TextPart["kind"], key: string, row: TextRow): void {
  const { index, text } = row
  putPart(draft, row, { kind, key, index, text, streaming: false, gap: false, end: text.length })
}

/** Adds a delta to what is known of its part. One at 0 begins the part anew: the step is being tried again. */
export function putDelta(draft: Draft, key: string, row: DeltaRow): void {
  const { kind, index, at } = row
  const known = partOf(stepOf(draft, row), key)
  const before = known !== undefined && known.kind !== "tool" && at > 0 ? known : { text: "", gap: false, end: 0 }
  const follows = at === before.end || (at < before.end && !before.gap)
  const text = (follows ? before.text.slice(0, at < before.end ? at : undefined) : before.text) + row.text
  putPart(draft, row, {
    kind,
    key,
    index,
    text,
    streaming: true,
    gap: before.gap || !follows,
    end: at + row.text.length,
  })
}

export function putToolCall(draft: Draft, key: string, row: ToolCallRow): void {
  const known = partOf(stepOf(draft, row), key)
  const approval = draft.approvals[key] ?? (known?.kind === "tool" ? known.approval : undefined)
  const work = known?.kind === "tool" ? known.work : undefined
  putPart(draft, row, {
    kind: "tool",
    key,
    index: row.index,
    row,
    ...(approval && { approval }),
    ...(work && { work }),
  })
}

/** Shows on a tool call what a person is asked or has decided. */
export function putApproval(draft: Draft, key: string, approval: ApprovalRow): void {
  changeTool(draft, key, (part) => ({ ...part, approval }))
}

/** Shows on a tool call which worker has it and how far it is. */
export function putToolWork(draft: Draft, key: string, work: ToolWorkRow): void {
  changeTool(draft, key, (part) => ({ ...part, work }))
}

/** The call is with workers no more: its row says how it ended. */
export function dropToolWork(draft: Draft, key: string): void {
  changeTool(draft, key, ({ work: _work, ...part }) => part)
}

function changeTool(draft: Draft, key: string, change: (part: ToolPart) => ToolPart): void {
  const step = lastStep(draft, (candidate) => partOf(candidate, key)?.kind === "tool")
  const part = partOf(step, key)
  if (step && part?.kind === "tool") putItem(draft, withPart(step, change(part)))
}

/** Nothing streams any more: the wake or the run is over. */
export function stopStreaming(draft: Draft, step: StepItem): void {
  if (step.parts.some(isStreaming)) putItem(draft, { ...step, parts: step.parts.map(stopped) })
}

function stepOf(draft: Draft, row: { readonly run: string; readonly step: string }): StepItem {
  const id = itemId("step", row.step)
  const known = findItem(draft, "step", id)
  return known ?? { kind: "step", id, key: row.step, run: row.run, status: "running", parts: [] }
}

function putPart(draft: Draft, row: { readonly run: string; readonly step: string }, part: Part): void {
  placeStep(draft, withPart(stepOf(draft, row), part))
}

function partOf(step: StepItem | undefined, key: string): Part | undefined {
  return step?.parts.findLast((part) => part.key === key)
}

function withPart(step: StepItem, part: Part): StepItem {
  const known = step.parts.findIndex((candidate) => candidate.key === part.key)
  if (known >= 0) return { ...step, parts: step.parts.with(known, part) }
  const before = step.parts.findLastIndex((candidate) => candidate.index <= part.index)
  return { ...step, parts: step.parts.toSpliced(before + 1, 0, part) }
}
