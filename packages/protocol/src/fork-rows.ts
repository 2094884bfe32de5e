import { type AskState, isWaitingMemo, PARKED_KEY } from "./ask.ts"
import type { ChangeEvent, Row } from "./change.ts"
import type { MessageRow } from "./collections.ts"
import type { EntityUrl } from "./entity.ts"
import type { Json } from "./json.ts"
import { isPast, SUMMARY_KEY, summaryOf } from "./live.ts"
import type { RunRow, StepRow, ToolCallRow } from "./run-rows.ts"

/** How a history is taken over. */
export interface ForkTerms {
  /** Who was forked: in its messages and errors. */
  readonly source: EntityUrl
  /** Whether the run that was open goes on; it ends as interrupted otherwise. */
  readonly keepRun: boolean
  /** Whether messages that waited go on waiting; they are cancelled otherwise. */
  readonly keepWaiting: boolean
  /** The wake that goes on: what it remembers stays. */
  readonly wake: string | undefined
  /** Who becomes whom. */
  readonly renamed: ReadonlyMap<EntityUrl, EntityUrl>
  /** ISO 8601. */
  readonly now: string
}

export interface ForkedRows {
  /** Rows that stay as the history has them. */
  readonly kept: readonly Row[]
  /** What the fork's own log says of the others. */
  readonly changes: readonly ChangeEvent[]
  /** The run that goes on. */
  readonly run: { readonly id: string; readonly messages: readonly string[] } | null
  /** Messages that wait. */
  readonly waiting: number
}

/** What becomes of a row: itself, another value, or nothing. */
type Fate = Json | undefined

const SETTLED: ReadonlySet<ToolCallRow["status"]> = new Set(["done", "failed", "denied", "unknown", "cancelled"])

/** Tools whose effect is part of a commit, whatever their class: what the original sent is not sent again. */
const DELIVERED: ReadonlySet<string> = new Set(["send", "spawn"])

/** What is the original's alone. The fork writes rows of its own of some. */
const LEFT_BEHIND: ReadonlySet<string> = new Set(["entity", "schedule", "subscription", "tool_work", "budget"])

/** Rows with addresses in them. */
const TEXTS: ReadonlySet<string> = new Set(["text", "reasoning", "run", "step", "attachment", "tag"])

/**
 * Decides what a fork makes of the rows that its history left. Pure.
 *
 * What was open at the point is closed so that nothing the original did, or will do, is done again: a call that may not run twice is
 * `unknown`, one that waited for a person or a worker is cancelled, and a pure or idempotent one may go on under the original's key.
 *
 * @param rows As the log at the point has them, sorted by collection and key; past ones too.
 * @see docs/fork.md
 */
export function forkRows(rows: readonly Row[], terms: ForkTerms): ForkedRows {
  const live = liveOf(rows)
  const open = openRun(live)
  const began = beganIn(live, open)
  const kept: Row[] = []
  const changes: ChangeEvent[] = []
  for (const row of live) {
    const value = row.collection === "memo" ? memoFate(row, began, terms) : fateOf(row, open, terms)
    const key = row.collection === "child" ? (terms.renamed.get(row.key) ?? row.key) : row.key
    if (value === row.value && key === row.key) kept.push(row)
    else changes.push(...changesOf(row, key, value))
  }
  return { kept, changes, ...goingOn(kept, changes, terms, open) }
}

/** Of all rows that a log has, those that its summary leaves live. */
export function liveOf(rows: readonly Row[]): readonly Row[] {
  const summary = summaryOf(rows.find((row) => row.collection === "context" && row.key === SUMMARY_KEY)?.value)
  return summary ? rows.filter((row) => !isPast(row.collection, row.key, row.value, summary)) : rows
}

function goingOn(
  kept: readonly Row[],
  changes: readonly ChangeEvent[],
  terms: ForkTerms,
  open: string | undefined,
): Pick<ForkedRows, "run" | "waiting"> {
  const messages = [
    ...kept.filter((row) => row.collection === "message").map(({ key, value }) => [key, value] as const),
    ...changes.filter((event) => event.type === "message").map(({ key, value }) => [key, value ?? null] as const),
  ] as unknown as readonly (readonly [string, MessageRow])[]
  const taken = messages.filter(([, row]) => row.status === "taken").map(([key]) => key)
  return {
    run: terms.keepRun && open !== undefined ? { id: open, messages: taken.sort() } : null,
    waiting: messages.filter(([, row]) => row.status === "accepted").length,
  }
}

function openRun(rows: readonly Row[]): string | undefined {
  const runs = rows.filter((row) => row.collection === "run")
  return runs.findLast(({ value }) => isOpen(value as unknown as RunRow))?.key
}

function isOpen({ status }: RunRow): boolean {
  return status === "running" || status === "suspended"
}

function changesOf({ collection, key }: Row, renamed: string, value: Fate): readonly ChangeEvent[] {
  const gone: ChangeEvent = { type: collection, key, headers: { operation: "delete" } }
  if (value === undefined) return [gone]
  if (renamed === key) return [{ type: collection, key, value, headers: { operation: "update" } }]
  return [gone, { type: collection, key: renamed, value, headers: { operation: "insert" } }]
}

function fateOf({ collection, key, value }: Row, open: string | undefined, terms: ForkTerms): Fate {
  if (LEFT_BEHIND.has(collection)) return undefined
  const { now } = terms
  switch (collection) {
    case "message":
      return renamedIn(messageFate(value, terms), terms)
    case "run":
      return key === open ? runFate(value, terms) : value
    case "step":
      return (value as unknown as StepRow).status === "running"
        ? amended(value, { status: "interrupted", endedAt: now })
        : value
    case "tool_call":
      return renamedIn(callFate(value, terms), terms)
    case "approval":
      return (value as { readonly status?: string }).status === "waiting"
        ? amended(value, { status: "cancelled" })
        : value
    case "child": {
      if (terms.renamed.has(key)) return renamedIn(value, terms)
      return (value as { readonly status?: string }).status === "running"
        ? amended(value, { status: "stopped" })
        : value
    }
    default:
      return TEXTS.has(collection) ? value : renamedIn(value, terms)
  }
}

/** The wake in which the handler of the open run began, when it waits for an answer or was just given one. */
function beganIn(rows: readonly Row[], open: string | undefined): string | undefined {
  const parked = rows.find(({ collection, key }) => collection === "memo" && key === PARKED_KEY)?.value
  const { run, wake } = (parked as { readonly value?: { readonly run?: string; readonly wake?: string } })?.value ?? {}
  return run !== undefined && run === open ? wake : undefined
}

/** What is remembered holds for the run that goes on. An answer that was waited for is told to the original, and to nobody else. */
function memoFate({ key, value }: Row, began: string | undefined, { keepRun, wake, source }: ForkTerms): Fate {
  const of = (value as { readonly wake?: string }).wake
  if (!keepRun || of === undefined || (of !== wake && of !== began)) return undefined
  if (!isWaitingMemo(key, value)) return value
  const failed: AskState = { status: "failed", code: "INTERRUPTED", error: `it waited when ${source} was forked` }
  return amended(value, { value: failed })
}

function messageFate(value: Json, { keepRun, keepWaiting, source }: ForkTerms): Json {
  const { status } = value as unknown as MessageRow
  if (status === "accepted" && !keepWaiting)
    return amended(value, { status: "cancelled", reason: `waited when ${source} was forked` })
  if (status === "taken" && !keepRun)
    return amended(value, { status: "cancelled", reason: `was worked on when ${source} was forked` })
  return value
}

function runFate(value: Json, { keepRun, now }: ForkTerms): Json {
  if (!keepRun) return amended(value, { status: "interrupted", endedAt: now })
  return (value as unknown as RunRow).status === "suspended" ? value : amended(value, { status: "suspended" })
}

function callFate(value: Json, { keepRun, source, now }: ForkTerms): Json {
  const call = value as unknown as ToolCallRow
  if (SETTLED.has(call.status)) return value
  const ended = { endedAt: now }
  if (call.status === "waiting") return amended(value, { status: "cancelled", ...ended })
  const isSafe = (call.effect === "pure" || call.effect === "idempotent") && !DELIVERED.has(call.name)
  if (isSafe) return keepRun ? value : amended(value, { status: "cancelled", ...ended })
  const error = `It was open when ${source} was forked: what came of it is ${source}'s.`
  return amended(value, { status: "unknown", resolved: "unknown", error, ...ended })
}

function amended(value: Json, fields: Readonly<Record<string, Json>>): Json {
  return { ...(value as Readonly<Record<string, Json>>), ...fields }
}

/** The value with each text that is a forked entity's address replaced by its fork's; the same object when there is none. */
export function renamedIn(value: Json, { renamed }: Pick<ForkTerms, "renamed">): Json {
  if (renamed.size === 0) return value
  const visit = (part: Json): Json => {
    if (typeof part === "string") return renamed.get(part) ?? part
    if (part === null || typeof part !== "object") return part
    if (Array.isArray(part)) {
      const next = part.map(visit)
      return next.every((item, index) => item === part[index]) ? part : next
    }
    const entries = Object.entries(part as Readonly<Record<string, Json>>)
    const next = entries.map(([name, item]) => [name, visit(item)] as const)
    return next.every(([, item], index) => item === entries[index]?.[1]) ? part : Object.fromEntries(next)
  }
  return visit(value)
}
