import { checkRule, checkScheduleName, dueNow, firstDueAtMs } from "@rouse/agents/runtime"
import {
  type EntityUrl,
  type Json,
  RouseError,
  type Row,
  type ScheduleInfo,
  type ScheduleRequest,
  type ScheduleRow,
} from "@rouse/protocol"
import type { Timer } from "@rouse/store"
import { canonicalJson } from "./core/canonical.ts"
import { isoTime } from "./core/control.ts"
import type { CommitDraft, EntityDraft } from "./core/draft.ts"
import { deliver, need, needLive, type TimedSend } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { transactAndRouse } from "./rouse.ts"
import type { Planning } from "./transactor.ts"

/**
 * Schedules: a row on the entity's log, and one timer in the store for the next occurrence.
 *
 * Invariants:
 * 1. A schedule's row and its timer change in one commit, and have the same due time.
 * 2. An occurrence's messages, the row's next due time and the next timer are one commit: each occurrence is sent once.
 * 3. What a timer does is read from the row: a timer whose row is gone, or due at another time, does nothing.
 */

/** Schedules of one entity. */
const SCHEDULES_MAX = 1_000

type SetRequest = Exclude<ScheduleRequest, { remove: true }>

/** What a schedule's timer holds. */
export interface TimedSchedule {
  readonly kind: "schedule"
  readonly name: string
}

/**
 * Sets a schedule from outside; the same definition again changes nothing.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the field; `UNKNOWN_ENTITY`; `STOPPED`; `RATE_LIMITED` when there are too many.
 */
export async function setSchedule(
  plane: Plane,
  url: EntityUrl,
  request: SetRequest,
  onPlan: (draft: CommitDraft, made: ScheduleInfo) => void,
): Promise<ScheduleInfo> {
  checkScheduleName(request.name)
  checkRule(request.rule, plane.clock())
  const { value } = await plane.transactor.transact([url], async (planning) => {
    const entity = needLive(planning, url)
    const info = infoOf({ key: request.name, value: await planSet(plane, planning, entity, request) })
    onPlan(planning.draft, info)
    return info
  })
  plane.dueAt(Date.parse(value.dueAt))
  return value
}

/**
 * Removes a schedule, or a message that was sent for later.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY`; `NOT_FOUND`.
 */
export async function removeSchedule(
  plane: Plane,
  url: EntityUrl,
  name: string,
  onPlan: (draft: CommitDraft) => void,
): Promise<void> {
  await plane.transactor.transact([url], async (planning) => {
    const entity = need(planning, url)
    if (!(await planRemove(plane, planning, entity, name)))
      throw new RouseError("NOT_FOUND", `${url} has no schedule ${name}`)
    onPlan(planning.draft)
  })
}

/** An entity's schedules and messages for later, earliest first. */
export async function schedulesOf(plane: Plane, url: EntityUrl): Promise<readonly ScheduleInfo[]> {
  const rows = (await plane.transactor.rows(url, "schedule")) as unknown as readonly Row<ScheduleRow>[]
  return rows.map(infoOf).sort((a, b) => (a.dueAt < b.dueAt ? -1 : a.dueAt > b.dueAt ? 1 : 0))
}

/** Adds what a handler does to its schedules to a commit that is being planned. */
export async function planSchedules(
  plane: Plane,
  planning: Planning,
  self: EntityDraft,
  requests: readonly ScheduleRequest[],
): Promise<void> {
  for (const request of newest(requests)) {
    if ("remove" in request) await planRemove(plane, planning, self, request.name)
    else await planSet(plane, planning, self, request)
  }
}

/** @throws {RouseError} `INVALID_ARGS` naming the field. */
export function checkSchedules(requests: readonly ScheduleRequest[]): void {
  for (const request of requests) {
    checkScheduleName(request.name)
    if (!("remove" in request)) checkRule(request.rule)
  }
}

/** Ends the schedules of an entity that stops, and what it sent itself for later. */
export async function endSchedules(plane: Plane, planning: Planning, entity: EntityDraft): Promise<void> {
  const rows = (await plane.transactor.rows(entity.url, "schedule")) as unknown as readonly Row<ScheduleRow>[]
  for (const { key, value } of rows) {
    // A delayed message was accepted: it comes to its end when it is due.
    if (value.to === entity.url && value.rule) drop(planning.draft, entity, key, value)
  }
}

/** Fires a schedule: its messages, its row and its next timer in one commit. */
export async function fireSchedule(plane: Plane, timer: Timer, { name }: TimedSchedule): Promise<void> {
  const { url } = timer
  const { value: nextMs } = await transactAndRouse(plane, [url], async (planning) => {
    const { draft } = planning
    draft.guard({ kind: "timer", id: timer.id })
    const entity = planning.entity(url)
    const row = (await plane.transactor.row(url, "schedule", name))?.value as unknown as ScheduleRow | undefined
    if (!entity || !row?.rule || entity.record.status === "stopped") {
      draft.also({ op: "deleteTimer", id: timer.id })
      return undefined
    }
    const dueAtMs = Date.parse(row.dueAt)
    if (dueAtMs > draft.nowMs) {
      // It was set anew after this timer was read: what is armed now comes later.
      arm(draft, url, name, dueAtMs)
      return dueAtMs
    }
    const { sends, nextMs } = dueNow(row.rule, row.catchUp ?? "once", dueAtMs, draft.nowMs)
    for (const ms of sends) occur(plane, entity, name, row.content, ms)
    if (nextMs === undefined) drop(draft, entity, name, row)
    else {
      const fired = sends.length > 0 ? { firedAt: isoTime(draft.nowMs) } : {}
      entity.update("schedule", name, { ...row, dueAt: isoTime(nextMs), ...fired })
      arm(draft, url, name, nextMs)
    }
    return nextMs
  })
  if (nextMs !== undefined) plane.dueAt(nextMs)
}

/** Sends one occurrence. An inbox that is full has enough to do: the occurrence is passed over. */
function occur(plane: Plane, entity: EntityDraft, name: string, content: Json, dueAtMs: number): void {
  const from = { kind: "schedule", id: name } as const
  const schedule = { name, dueAt: isoTime(dueAtMs) }
  try {
    deliver(plane, entity, { kind: "message", from, content, mode: "queue", schedule })
  } catch (error) {
    if (!RouseError.is(error, "RATE_LIMITED")) throw error
    plane.log.warn("a schedule's message found no room", { url: entity.url, schedule: name })
  }
}

async function planSet(
  plane: Plane,
  planning: Planning,
  entity: EntityDraft,
  { name, rule, content, catchUp = "once", anew }: SetRequest,
): Promise<ScheduleRow> {
  const { draft } = planning
  const known = (await plane.transactor.row(entity.url, "schedule", name))?.value as unknown as ScheduleRow | undefined
  if (known && !known.rule) throw new RouseError("ALREADY_EXISTS", `name: ${name} is a message that was sent for later`)
  const same = known && definitionOf(known) === definitionOf({ rule, content, catchUp })
  if (same && !anew) return known
  if (!known && (await plane.transactor.rows(entity.url, "schedule")).length >= SCHEDULES_MAX)
    throw new RouseError("RATE_LIMITED", `${entity.url} has ${SCHEDULES_MAX} schedules; remove one first`)
  const dueAtMs = firstDueAtMs(rule, draft.nowMs)
  const row: ScheduleRow = { to: entity.url, content, dueAt: isoTime(dueAtMs), rule, catchUp }
  if (known) entity.update("schedule", name, row)
  else entity.insert("schedule", name, row)
  arm(draft, entity.url, name, dueAtMs)
  return row
}

async function planRemove(plane: Plane, planning: Planning, entity: EntityDraft, name: string): Promise<boolean> {
  const row = (await plane.transactor.row(entity.url, "schedule", name))?.value as unknown as ScheduleRow | undefined
  if (row) drop(planning.draft, entity, name, row)
  return row !== undefined
}

function drop(draft: CommitDraft, entity: EntityDraft, key: string, row: ScheduleRow): void {
  entity.delete("schedule", key)
  draft.also({ op: "deleteTimer", id: row.rule ? timerId(entity.url, key) : key })
}

function arm(draft: CommitDraft, url: EntityUrl, name: string, dueAtMs: number): void {
  const payload: TimedSchedule = { kind: "schedule", name }
  draft.also({
    op: "putTimer",
    timer: { id: timerId(url, name), dueAtMs, url, payload: payload as unknown as Json },
  })
}

/** Arms the timer of a schedule, or of a message for later, whose row came from elsewhere. */
export function rearm(entity: EntityDraft, key: string, { rule, to, content, dueAt }: ScheduleRow): void {
  const { url } = entity
  const dueAtMs = Date.parse(dueAt)
  const later: TimedSend = { to, from: { kind: "system", id: "import" }, content, mode: "steer", owner: url }
  const payload = (rule ? { kind: "schedule", name: key } : later) as unknown as Json
  entity.also({ op: "putTimer", timer: { id: rule ? timerId(url, key) : key, dueAtMs, url, payload } })
}

/** What a schedule is, as text to compare. */
function definitionOf({ rule, content, catchUp }: Partial<ScheduleRow>): string {
  return canonicalJson({ rule, content, catchUp })
}

function timerId(url: EntityUrl, name: string): string {
  return `schedule:${url}:${name}`
}

/** The last request for each name; one that follows a removal begins anew. */
function newest(requests: readonly ScheduleRequest[]): Iterable<ScheduleRequest> {
  const byName = new Map<string, ScheduleRequest>()
  for (const request of requests) {
    const before = byName.get(request.name)
    const isAnew = before && ("remove" in before || before.anew === true)
    byName.set(request.name, isAnew && !("remove" in request) ? { ...request, anew: true } : request)
  }
  return byName.values()
}

function infoOf({ key, value }: Pick<Row<ScheduleRow>, "key" | "value">): ScheduleInfo {
  return { name: key, ...value }
}
