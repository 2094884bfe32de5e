import type { Cause, EntityStatus, EntitySummary, EntityUrl, ForkPoint, JsonObject, UsageSum } from "@rouse/protocol"
import { entityStreamPath } from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import type { Rate } from "./breaker.ts"
import type { BudgetState } from "@rouse/protocol/budget"
import { addSums, NO_USAGE, totals, type UsageBook } from "./usage-book.ts"
import { dueAtMs, NEW_WAKE_STATE, type WakeState } from "./wake-state.ts"

/** What the control plane keeps of an entity beside its public facts. It is the record's `control`. */
export interface Control {
  readonly wake: WakeState
  /** The open run: its key, and the keys of the messages that it holds. */
  readonly run: OpenRun | null
  /** What the wake under way took with its first commit: every further attempt is shown that and no more. Null before it. */
  readonly taken: readonly string[] | null
  /** Whether the parent is woken when a run ends. */
  readonly notify: boolean
  /** How many parents are above it. */
  readonly depth: number
  /** Wakes finished. */
  readonly wakes: number
  /** Messages ever accepted: the last one's number. */
  readonly accepted: number
  /** Why the last attempt failed; null after one that did not. */
  readonly reason: string | null
  /** The top of its tree; absent when it is that itself. */
  readonly root?: EntityUrl
  readonly budget?: BudgetState
  /** What its own model calls used. */
  readonly usage?: UsageBook
  /** Children it ever made. */
  readonly children?: number
  /** What made the messages that it works on. */
  readonly cause?: Cause | null
  /** What made those of the run that closed last. */
  readonly lastCause?: Cause | null
  /** Wakes of late, where they are bounded. */
  readonly rate?: Rate | null
  /**
   * The run under way is to end, and why; a further attempt ends it at once. `quiet`: with the parent's, so its end does not rouse the parent.
   */
  readonly interrupting?: { readonly reason: string; readonly quiet: boolean } | null
  /** Of a lease whose handler is not in the server's process: when it last committed. Such a lease outlives the process. */
  readonly remote?: { readonly progressAtMs: number } | null
  /** Of a lease, where several processes serve the store: whose it is. What it says of an entity that is not running means nothing. */
  readonly replica?: string
  /** The schema that the author's rows are of, where their type counts them. */
  readonly schema?: number
  /** Of a fork: whose history it began with. */
  readonly forkedFrom?: ForkPoint
  /** Messages that are dead-lettered. */
  readonly dead?: number
  /** Messages that others asked and wait for, and who. */
  readonly asked?: Readonly<Record<string, { readonly by: EntityUrl; readonly ask: string }>>
  /** Tool calls that are with workers. */
  readonly work?: number
}

export interface OpenRun {
  readonly id: string
  readonly messages: readonly string[]
  /** The version of the handler that it began with, where there is one. */
  readonly version?: string
}

/** The control of an entity that was just made. */
export function newControl(depth: number, notify: boolean): Control {
  return { wake: NEW_WAKE_STATE, run: null, taken: null, notify, depth, wakes: 0, accepted: 0, reason: null }
}

/** The control that a record holds. Only this package writes it, so its shape is known. */
export function controlOf(record: EntityRecord): Control {
  return record.control as unknown as Control
}

/** The record with another control: its status, epoch and due time follow from it. */
export function withControl<R extends Omit<EntityRecord, "version">>(record: R, control: Control): R {
  return {
    ...record,
    status: control.wake.phase.kind,
    epoch: control.wake.epoch,
    dueAtMs: dueAtMs(control.wake),
    control: control as unknown as JsonObject,
  }
}

export interface NewEntity {
  readonly url: EntityUrl
  readonly type: string
  readonly id: string
  readonly args: JsonObject
  readonly tags: Readonly<Record<string, string>>
  readonly parent: EntityUrl | null
  readonly nowMs: number
}

/** The record of a new entity. */
export function newRecord(entity: NewEntity, control: Control): Omit<EntityRecord, "version"> {
  const { url, type, id, args, tags, parent, nowMs } = entity
  const status: EntityStatus = "idle"
  const base = {
    url,
    type,
    id,
    args,
    tags,
    parent,
    status,
    epoch: 0,
    createdAtMs: nowMs,
    activeAtMs: nowMs,
    dueAtMs: null,
  }
  return withControl({ ...base, control: {} }, control)
}

/** The public facts of an entity. */
export function summaryOf(record: Omit<EntityRecord, "version">): EntitySummary {
  const control = record.control as unknown as Control
  const { phase, pending } = control.wake
  const attempt = phase.kind === "queued" || phase.kind === "running" ? phase.wake.attempt : undefined
  const reason = phase.kind === "dead" || phase.kind === "stopped" ? phase.reason : (control.reason ?? undefined)
  return {
    url: record.url,
    type: record.type,
    id: record.id,
    status: record.status,
    args: record.args,
    tags: record.tags,
    parent: record.parent,
    createdAt: isoTime(record.createdAtMs),
    activeAt: isoTime(record.activeAtMs),
    pending: pending + (control.run?.messages.length ?? 0),
    stream: entityStreamPath(record.url),
    ...(attempt === undefined ? {} : { attempt }),
    ...(reason === undefined ? {} : { reason }),
    ...(control.usage ? { usage: usageOf(control.usage) } : {}),
    ...(control.budget ? { budget: { limits: control.budget.limits, spent: control.budget.spent } } : {}),
    ...(control.forkedFrom ? { forkedFrom: control.forkedFrom } : {}),
  }
}

function usageOf(book: UsageBook): UsageSum {
  return [...totals(book).values()].reduce(addSums, NO_USAGE)
}

/** ISO 8601 in UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
