import type { EntityUrl, LogEvent, Offset } from "@rouse/protocol"
import { HANDLER_COLLECTIONS, isControlEvent, RouseError, SERVER_COLLECTIONS } from "@rouse/protocol"
import type { Activity } from "../core/activity.ts"
import { statusOf } from "../core/activity.ts"
import type { Item } from "../core/items.ts"
import type { OutgoingItem } from "../core/outbox.ts"
import { shownOf, stillOutgoing } from "../core/outbox.ts"
import type { RowTables } from "../core/row-tables.ts"
import { applyRows } from "../core/row-tables.ts"
import type { Timeline } from "../core/timeline.ts"
import { applyChanges, emptyTimeline } from "../core/timeline.ts"
import type { LogBatch } from "../log.ts"

/** What is shown of one agent. */
export interface AgentState {
  readonly url: EntityUrl
  /** `loading` until the log was read to its end once; `failed` when it cannot be, with the `error`. */
  readonly phase: "loading" | "live" | "failed"
  /** False while the connection is lost: what is shown may be old. */
  readonly connected: boolean
  readonly timeline: Timeline
  /** The timeline's items, and behind them what was sent here and is not on the log yet. */
  readonly items: readonly (Item | OutgoingItem)[]
  readonly activity: Activity
  /** The author's rows, by collection. */
  readonly rows: RowTables
  /** Decisions on their way, by the approval's key. */
  readonly deciding: Readonly<Record<string, Decision>>
  readonly outbox: readonly OutgoingItem[]
  /** Up to where the log is shown. */
  readonly offset?: Offset
  readonly error?: RouseError
}

export type Decision = "allow" | "deny" | "answer"

export function initialAgent(url: EntityUrl): AgentState {
  const timeline = emptyTimeline()
  return {
    url,
    phase: "loading",
    connected: true,
    timeline,
    items: timeline.items,
    activity: statusOf(timeline),
    rows: {},
    deciding: {},
    outbox: [],
  }
}

/** The state when reading begins, also after it failed. */
export function begun(state: AgentState): AgentState {
  if (state.phase !== "failed") return state
  const { error: _, ...rest } = state
  return { ...rest, phase: "loading" }
}

/** The state after more of the log. */
export function withBatches(state: AgentState, batches: readonly LogBatch<LogEvent>[]): AgentState {
  const events = batches.flatMap((batch) => batch.events)
  const timeline = applyChanges(state.timeline, events)
  const { error: _, ...rest } = state
  return arranged({
    ...rest,
    phase: state.phase === "live" || batches.some((batch) => batch.upToDate) ? "live" : "loading",
    connected: true,
    timeline,
    activity: timeline === state.timeline ? state.activity : statusOf(timeline),
    rows: applyRows(state.rows, events, isAuthors),
    deciding: stillDeciding(state.deciding, events),
    offset: batches.at(-1)?.offset ?? state.offset!,
  })
}

/** The state with another outbox. */
export function withOutbox(state: AgentState, outbox: readonly OutgoingItem[]): AgentState {
  return arranged({ ...state, outbox })
}

/** The state after a failure. What is shown stays, and is the connection's to mend when there is another try. */
export function withFailure(state: AgentState, error: unknown, again: boolean): AgentState {
  const known = RouseError.is(error) ? error : new RouseError("INTERNAL", String(error), { cause: error })
  if (again) return { ...state, connected: false }
  return { ...state, connected: false, phase: "failed", error: known }
}

/** Puts together what is shown, with the same list when it is the same. */
function arranged(state: AgentState): AgentState {
  const { timeline } = state
  const outbox = stillOutgoing(state.outbox, shownOf(timeline.items, state.outbox))
  const before = state.items
  const count = timeline.items.length
  const same =
    before.length === count + outbox.length &&
    timeline.items.every((item, n) => item === before[n]) &&
    outbox.every((item, n) => item === before[count + n])
  const items = outbox.length === 0 ? timeline.items : [...timeline.items, ...outbox]
  return { ...state, outbox, items: same ? before : items }
}

function isAuthors(collection: string): boolean {
  return !BUILT_IN.has(collection)
}

const BUILT_IN: ReadonlySet<string> = new Set([...SERVER_COLLECTIONS, ...HANDLER_COLLECTIONS])

/** A decision is no longer on its way when the log tells of its approval. */
function stillDeciding(deciding: AgentState["deciding"], events: readonly LogEvent[]): AgentState["deciding"] {
  const told = new Set(
    events.flatMap((event) => (!isControlEvent(event) && event.type === "approval" ? [event.key] : [])),
  )
  const left = Object.entries(deciding).filter(([key]) => !told.has(key))
  return left.length === Object.keys(deciding).length ? deciding : Object.fromEntries(left)
}
