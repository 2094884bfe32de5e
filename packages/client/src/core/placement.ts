import type { MessageRow, RunOutcome, RunRow, StepRow } from "@rouse/protocol"
import type { Draft } from "./draft.ts"
import { findItem, insertItem, openSteps, placeOf, putItem, takeItem } from "./draft.ts"
import type { Item, MessageItem, RunEndItem, StepItem } from "./items.ts"
import { itemId } from "./items.ts"
import { keptParts } from "./streaming.ts"

/**
 * Where messages, steps and ends of runs stand.
 *
 * 1. A message stands where it was accepted until a step takes it; then before that step, and nothing of a run between them.
 * 2. Messages still waiting stand after the step or the end of the run that did not take them.
 * 3. A row that is known keeps its place.
 */

export function putMessage(draft: Draft, key: string, row: MessageRow): void {
  const id = itemId("message", key)
  const known = findItem(draft, "message", id)
  const step = row.status === "accepted" ? undefined : known?.step
  putItem(draft, { kind: "message", id, key, row, ...(step !== undefined && { step }) })
  markPending(draft, key, isOpen(row))
  if (!isOpen(row) && step === undefined && row.run !== undefined) {
    const end = placeOf(draft, itemId("runEnd", row.run))
    if (end >= 0 && placeOf(draft, id) > end) insertItem(draft, takeItem(draft, placeOf(draft, id)), end)
  }
}

export function putStep(draft: Draft, key: string, row: StepRow): void {
  const id = itemId("step", key)
  const parts = keptParts(findItem(draft, "step", id)?.parts ?? [], row.status)
  const taken = row.messages.map((message) => itemId("message", message))
  placeStep(draft, { kind: "step", id, key, run: row.run, row, status: row.status, parts }, new Set(taken))
  for (const message of taken) placeBeforeStep(draft, message, id, key)
}

/** Puts a step: in its place, or if it is new before the messages that wait and it does not take. */
export function placeStep(draft: Draft, step: StepItem, taken: ReadonlySet<string> = NONE): void {
  const endId = itemId("runEnd", step.run)
  const known = placeOf(draft, step.id) >= 0
  const end = placeOf(draft, endId)
  if (known) putItem(draft, step)
  else {
    // The commit that ends a run may tell its end before its steps.
    const ended = end >= 0 ? takeItem(draft, end) : undefined
    const waiting = (item: MessageItem): boolean => item.step === undefined && isOpen(item.row) && !taken.has(item.id)
    floatBehind(draft, waiting, taken)
    const place = draft.items.length - trailing(draft.items, waiting)
    insertItem(draft, step, place)
    if (ended) insertItem(draft, ended, place + 1)
  }
  const ended = findItem(draft, "runEnd", endId)
  if (ended) putItem(draft, runEnd(draft, ended.key, ended.row, ended.outcome))
}

const NONE: ReadonlySet<string> = new Set()

/** The end of a run. What was left open in it is over too. */
export function putRunEnd(draft: Draft, key: string, row: RunRow, outcome: RunOutcome): void {
  closeSteps(draft, key)
  const waiting = trailing(draft.items, (item) => item.row.status === "accepted")
  const before = draft.items[draft.items.length - waiting - 1]
  const inRun = before?.kind === "step" && before.run === key
  putItem(draft, runEnd(draft, key, row, outcome), inRun ? draft.items.length - waiting : draft.items.length)
}

function runEnd(draft: Draft, key: string, row: RunRow, outcome: RunOutcome): RunEndItem {
  const { reply } = row
  const differs = reply !== undefined && reply !== null && reply !== lastTextOf(draft, key)
  return { kind: "runEnd", id: itemId("runEnd", key), key, run: key, row, outcome, ...(differs && { reply }) }
}

function closeSteps(draft: Draft, run: string): void {
  for (const step of openSteps(draft, run)) {
    if (step.status !== "running") continue
    putItem(draft, { ...step, status: "interrupted", parts: keptParts(step.parts, "interrupted") })
  }
}

function lastTextOf(draft: Draft, run: string): string | undefined {
  const parts = openSteps(draft, run).flatMap((step) => step.parts.toReversed())
  const part = parts.find((candidate) => candidate.kind === "text")
  return part?.kind === "text" ? part.text : undefined
}

/** Of the messages at the end, those that a new step does not take go behind those that it takes. */
function floatBehind(draft: Draft, waiting: (item: MessageItem) => boolean, taken: ReadonlySet<string>): void {
  const tail = trailing(draft.items, (item) => waiting(item) || taken.has(item.id))
  const start = draft.items.length - tail
  const moved = draft.items.slice(start)
  const stays = (item: Item): boolean => taken.has(item.id)
  const sorted = [...moved.filter(stays), ...moved.filter((item) => !stays(item))]
  if (sorted.every((item, index) => item === moved[index])) return
  for (let n = tail; n > 0; n--) takeItem(draft, start + n - 1)
  for (const [n, item] of sorted.entries()) insertItem(draft, item, start + n)
}

function placeBeforeStep(draft: Draft, id: string, stepId: string, stepKey: string): void {
  const from = placeOf(draft, id)
  const message = draft.items[from]
  if (message?.kind !== "message") return
  const step = placeOf(draft, stepId)
  const between = draft.items.slice(from + 1, step)
  const stands = from < step && !between.some((item) => item.kind === "step" || item.kind === "runEnd")
  if (!stands) {
    takeItem(draft, from)
    insertItem(draft, message, placeOf(draft, stepId))
  }
  if (message.step !== stepKey) putItem(draft, { ...message, step: stepKey })
}

/** How many items at the end are messages that pass `test`. */
function trailing(items: readonly Item[], test: (item: MessageItem) => boolean): number {
  const last = items.findLastIndex((item) => item.kind !== "message" || !test(item))
  return items.length - 1 - last
}

export function markPending(draft: Draft, key: string, pending: boolean): void {
  if (draft.pending.includes(key) === pending) return
  draft.pending = pending ? [...draft.pending, key] : draft.pending.filter((other) => other !== key)
}

function isOpen(row: MessageRow): boolean {
  return row.status === "accepted" || row.status === "taken"
}
