import type {
  ApprovalRow,
  BuiltInCollection,
  BuiltInRows,
  ChangeEvent,
  ChildRow,
  EntityRow,
  LogEvent,
  RunRow,
  ScheduleRow,
  WakeRow,
} from "@rouse/protocol"
import { isControlEvent } from "@rouse/protocol"
import type { Draft } from "./draft.ts"
import { closeDraft, findItem, openDraft, openSteps, placeOf, putItem, takeItem } from "./draft.ts"
import type { Item } from "./items.ts"
import { itemId } from "./items.ts"
import { dropToolWork, putApproval, putDelta, putText, putToolCall, putToolWork, stopStreaming } from "./parts.ts"
import { markPending, putMessage, putRunEnd, putStep } from "./placement.ts"

/**
 * What a page or a terminal shows of an entity, projected from its log.
 *
 * Immutable: a change gives a new timeline that shares every item it did not touch, and the same timeline when it shows nothing new.
 */
export interface Timeline {
  readonly items: readonly Item[]
  /** The entity's own row: its arguments, and whether it is live, paused or stopped. */
  readonly entity?: EntityRow
  readonly tags: Readonly<Record<string, string>>
  /** The newest run. */
  readonly run?: RunRow
  /** The newest wake. */
  readonly wake?: WakeRow
  /** Keys of the messages that are not settled yet, in the order of their acceptance. */
  readonly pending: readonly string[]
  /** Approvals that wait for a person, by the tool call's key. */
  readonly approvals: Readonly<Record<string, ApprovalRow>>
  /** Children by key. */
  readonly children: Readonly<Record<string, ChildRow>>
  /** Messages to be sent later, by key. */
  readonly schedules: Readonly<Record<string, ScheduleRow>>
}

/** The timeline of a log that has not been read yet. */
export function emptyTimeline(): Timeline {
  return { items: [], tags: {}, pending: [], approvals: {}, children: {}, schedules: {} }
}

/**
 * The timeline after one more change of the log. Changes of collections that it does not show leave it as it is.
 *
 * @example
 * let timeline = emptyTimeline()
 * for await (const { events } of client.observe("/assistant/one")) timeline = applyChanges(timeline, events)
 */
export function applyChange(timeline: Timeline, event: LogEvent): Timeline {
  return applyChanges(timeline, [event])
}

/** The same as applying the changes one by one, with one copy of the list for all of them. */
export function applyChanges(timeline: Timeline, events: readonly LogEvent[]): Timeline {
  const anew = events.findLastIndex(beginsAnew)
  const base = anew < 0 ? timeline : emptyTimeline()
  const draft = openDraft(base)
  for (const event of events.slice(anew + 1)) if (!isControlEvent(event)) change(draft, event)
  return closeDraft(base, draft)
}

/** A snapshot's rows are all there is, and a reset voids what was told. */
function beginsAnew(event: LogEvent): boolean {
  return isControlEvent(event) && event.headers.control !== "snapshot-end"
}

function change(draft: Draft, { type, key, value, headers }: ChangeEvent): void {
  if (headers.operation === "delete") return REMOVE[type]?.(draft, key)
  const isRow = typeof value === "object" && value !== null && !Array.isArray(value)
  if (isRow && Object.hasOwn(PUT, type)) (PUT[type as BuiltInCollection] as Put<unknown>)(draft, key, value)
}

type Put<T> = (draft: Draft, key: string, row: T) => void

const ignore = (): void => undefined

/** What an insert or an update of each built-in collection does. */
const PUT: { readonly [K in BuiltInCollection]: Put<BuiltInRows[K]> } = {
  entity: (draft, _, row) => {
    draft.entity = row
  },
  message: putMessage,
  wake: putWake,
  child: (draft, key, row) => {
    draft.children = { ...draft.children, [key]: row }
    putItem(draft, { kind: "child", id: itemId("child", key), key, row })
  },
  signal: (draft, key, row) => {
    if (SIGNALS_SHOWN.has(row.name)) putItem(draft, { kind: "signal", id: itemId("signal", key), key, row })
  },
  schedule: (draft, key, row) => {
    draft.schedules = { ...draft.schedules, [key]: row }
  },
  approval: (draft, key, row) => {
    draft.approvals = row.status === "waiting" ? { ...draft.approvals, [key]: row } : without(draft.approvals, key)
    putApproval(draft, key, row)
  },
  tag: (draft, key, row) => {
    draft.tags = { ...draft.tags, [key]: row.value }
  },
  run: putRun,
  step: putStep,
  text: (draft, key, row) => putText(draft, "text", key, row),
  reasoning: (draft, key, row) => putText(draft, "reasoning", key, row),
  delta: putDelta,
  tool_call: putToolCall,
  tool_work: putToolWork,
  memo: ignore,
  budget: ignore,
  subscription: ignore,
  context: ignore,
  attachment: ignore,
  error: (draft, key, row) => {
    const retried = draft.wake !== undefined && wasRetried(draft.wake, row)
    putItem(draft, { kind: "error", id: itemId("error", key), key, row, retried })
  },
}

/** Custom signals arrive as messages, and are shown as such. */
const SIGNALS_SHOWN: ReadonlySet<string> = new Set(["interrupt", "pause", "resume", "kill"])

const REMOVE: Readonly<Record<string, ((draft: Draft, key: string) => void) | undefined>> = {
  message: (draft, key) => {
    markPending(draft, key, false)
    const place = placeOf(draft, itemId("message", key))
    if (place >= 0) takeItem(draft, place)
  },
  schedule: (draft, key) => {
    draft.schedules = without(draft.schedules, key)
  },
  approval: (draft, key) => {
    draft.approvals = without(draft.approvals, key)
  },
  tool_work: dropToolWork,
  tag: (draft, key) => {
    draft.tags = without(draft.tags, key)
  },
}

function putRun(draft: Draft, key: string, row: RunRow): void {
  if (draft.run === undefined || row.id >= draft.run.id) draft.run = row
  if (row.status !== "running" && row.status !== "suspended") putRunEnd(draft, key, row, row.status)
}

function putWake(draft: Draft, key: string, row: WakeRow): void {
  draft.wake = row
  const failed = draft.items.findLast((item) => item.kind === "error" || item.kind === "runEnd")
  if (failed?.kind === "error" && !failed.retried && wasRetried(row, failed.row)) {
    putItem(draft, { ...failed, retried: true })
  }
  if (row.endedAt === undefined) return
  const [step] = openSteps(draft)
  if (step) stopStreaming(draft, step)
  if (row.outcome !== "dead" && row.outcome !== "lost") return
  const id = itemId("wake", `${key}#${row.attempt}`)
  const known = findItem(draft, "wake", id)
  putItem(draft, known ? { ...known, row } : { kind: "wake", id, key, row })
}

function wasRetried(wake: WakeRow, error: { readonly wake: string; readonly attempt: number }): boolean {
  if (wake.id !== error.wake) return false
  return wake.attempt > error.attempt || (wake.attempt === error.attempt && wake.outcome === "retry")
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  if (!Object.hasOwn(record, key)) return record
  const { [key]: _, ...rest } = record
  return rest
}
