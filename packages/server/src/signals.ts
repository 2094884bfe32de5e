import { type EntityUrl, type Json, type Principal, RouseError, type Signal } from "@rouse/protocol"
import { thaw } from "./breakers.ts"
import { type Closing, closeRun, closeRunRow, parentToTell, settlePending } from "./closing.ts"
import { isoTime } from "./core/control.ts"
import type { CommitDraft, EntityDraft } from "./core/draft.ts"
import { newId } from "./core/id.ts"
import { deliver, need } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { transactAndRouse } from "./rouse.ts"
import type { Planning } from "./transactor.ts"
import { retryDead } from "./wake-end.ts"

export interface SignalInput {
  readonly to: EntityUrl
  readonly from: Principal
  readonly name: string
  readonly payload?: Json
}

type Planned = (plane: Plane, planning: Planning, entity: EntityDraft, input: SignalInput) => Promise<void> | void

const BUILT_IN: Readonly<Record<Signal, Planned>> = { interrupt, pause, resume, kill }

/** What a signal that aborts gives the handler as its reason. */
const ABORTS: Readonly<Record<string, () => RouseError>> = {
  interrupt: () => new RouseError("INTERRUPTED", "the run was interrupted by a signal"),
  kill: () => new RouseError("STOPPED", "the entity was stopped"),
}

/**
 * Gives an entity a signal. `interrupt` aborts its run, `pause` holds it back after the wake under way, `resume` lets it go on,
 * `kill` stops it for good; any other name is a message of kind `signal` to its handler.
 *
 * @returns The key of the signal on the log.
 * @throws {RouseError} `UNKNOWN_ENTITY`; `STOPPED`; `CONFLICT` when the signal does not apply now.
 */
export async function signal(
  plane: Plane,
  input: SignalInput,
  onPlan: (draft: CommitDraft, key: string) => void,
): Promise<string> {
  const urls = [input.to, ...(await parentToTell(plane, input.to))]
  const { value } = await transactAndRouse(plane, urls, async (planning) => {
    const entity = need(planning, input.to)
    const key = await planSignal(plane, planning, entity, input)
    onPlan(planning.draft, key)
    return { key, dueAtMs: entity.record.dueAtMs }
  })
  const reason = ABORTS[input.name]?.()
  if (reason) plane.abort(input.to, reason)
  if (value.dueAtMs !== null) plane.dueAt(value.dueAtMs)
  return value.key
}

async function planSignal(plane: Plane, planning: Planning, entity: EntityDraft, input: SignalInput): Promise<string> {
  const { name, from, payload } = input
  const key = newId(planning.draft.nowMs, plane.random)
  const content = { name, ...(payload === undefined ? {} : { payload }) }
  if (!Object.hasOwn(BUILT_IN, name)) return deliver(plane, entity, { kind: "signal", from, content, mode: "steer" })
  if (entity.record.status === "stopped" && name !== "kill") throw new RouseError("STOPPED", `${entity.url} is stopped`)
  entity.insert("signal", key, { ...content, from, at: isoTime(planning.draft.nowMs) })
  await BUILT_IN[name as Signal](plane, planning, entity, input)
  return key
}

/** A run that a handler is in is aborted there; one that no handler is in is closed here. */
async function interrupt(plane: Plane, planning: Planning, entity: EntityDraft): Promise<void> {
  const { wake } = entity.control
  if (wake.phase.kind === "running" || !wake.runOpen) return
  await closeFromOutside(plane, planning, entity, {
    outcome: "interrupted",
    messages: "cancelled",
    reply: null,
    reason: "interrupted by a signal",
  })
  entity.wake({ kind: "closeRun" })
}

function pause(_plane: Plane, _planning: Planning, entity: EntityDraft): void {
  entity.wake({ kind: "pause" })
  if (entity.record.status === "paused") markEntity(entity, "paused")
}

function resume(plane: Plane, planning: Planning, entity: EntityDraft): void {
  const { nowMs } = planning.draft
  const before = entity.record.status
  entity.wake({ kind: "resume", wakeId: newId(nowMs, plane.random), nowMs })
  thaw(entity)
  if (before === "paused") markEntity(entity, "live")
}

async function kill(plane: Plane, planning: Planning, entity: EntityDraft, input: SignalInput): Promise<void> {
  if (entity.record.status === "stopped") return
  const reason = typeof input.payload === "string" ? input.payload : `stopped by ${input.from.id}`
  const closing: Closing = { outcome: "stopped", messages: "cancelled", reply: null, reason }
  await settlePending(plane, entity, closing)
  await closeFromOutside(plane, planning, entity, closing)
  entity.wake({ kind: "stop", reason })
  markEntity(entity, "stopped", reason)
}

async function closeFromOutside(
  plane: Plane,
  planning: Planning,
  entity: EntityDraft,
  closing: Closing,
): Promise<void> {
  await closeRunRow(plane, entity, closing, planning.draft.nowMs)
  await closeRun(plane, planning, entity, closing)
}

function markEntity(entity: EntityDraft, status: "live" | "paused" | "stopped", reason?: string): void {
  const { url, type, id, args, parent, createdAtMs } = entity.record
  const why = reason === undefined ? {} : { reason }
  entity.update("entity", url, { url, type, id, args, parent, createdAt: isoTime(createdAtMs), status, ...why })
}

/**
 * Accepts an entity's dead messages again.
 *
 * @returns How many.
 * @throws {RouseError} `UNKNOWN_ENTITY`; `CONFLICT` when it is stopped.
 */
export async function retry(plane: Plane, url: EntityUrl): Promise<number> {
  const { value } = await transactAndRouse(plane, [url], async (planning) => {
    const entity = need(planning, url)
    const { nowMs } = planning.draft
    const count = await retryDead(plane, url, entity, newId(nowMs, plane.random), nowMs)
    return { count, dueAtMs: entity.record.dueAtMs }
  })
  if (value.dueAtMs !== null) plane.dueAt(value.dueAtMs)
  return value.count
}
