import { type EntityRow, type EntityUrl, type Json, type Principal, RouseError, type Signal } from "@rouse/protocol"
import { thaw } from "./breakers.ts"
import { type Closing, closeFromOutside, closeInterrupted, parentToTell, settlePending } from "./closing.ts"
import { isoTime } from "./core/control.ts"
import type { CommitDraft, EntityDraft } from "./core/draft.ts"
import { entityRow } from "./core/entity-row.ts"
import { newId } from "./core/id.ts"
import { deliver, need } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { endObservations } from "./observations.ts"
import { transactAndRouse } from "./rouse.ts"
import { endSchedules } from "./schedules.ts"
import type { Planning } from "./transactor.ts"
import { isForTree, planTree } from "./tree-signals.ts"

export interface SignalInput {
  readonly to: EntityUrl
  readonly from: Principal
  readonly name: string
  readonly payload?: Json
  /** The parent that it comes from, on its way down a tree. What does not apply here then goes on to the children all the same. */
  readonly parent?: EntityUrl
}

type Planned = (plane: Plane, planning: Planning, entity: EntityDraft, input: SignalInput) => Promise<void> | void

const BUILT_IN: Readonly<Record<Signal, Planned>> = { interrupt, pause, resume, kill }

/** What a signal that aborts gives the handler as its reason. */
const ABORTS: Readonly<Record<string, (input: SignalInput) => RouseError>> = {
  interrupt: (input) => new RouseError("INTERRUPTED", interruptedBy(input)),
  kill: () => new RouseError("STOPPED", "the entity was stopped"),
}

function interruptedBy({ parent }: SignalInput): string {
  return `the run was interrupted ${parent === undefined ? "by a signal" : `with its parent ${parent}`}`
}

/**
 * Gives an entity a signal. `interrupt` aborts its run, `pause` holds it back after the wake under way, `resume` lets it go on,
 * `kill` stops it for good; any other name is a message of kind `signal` to its handler. With `{ tree: true }` as its payload, each of the
 * four goes on to the children, and theirs.
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
  const reason = ABORTS[input.name]?.(input)
  if (reason) plane.abort(input.to, reason)
  if (value.dueAtMs !== null) plane.dueAt(value.dueAtMs)
  if (isForTree(input.payload)) plane.dueAt(plane.clock())
  return value.key
}

async function planSignal(plane: Plane, planning: Planning, entity: EntityDraft, input: SignalInput): Promise<string> {
  const { name, from, payload } = input
  const key = newId(planning.draft.nowMs, plane.random)
  const content = { name, ...(payload === undefined ? {} : { payload }) }
  if (!Object.hasOwn(BUILT_IN, name)) return deliver(plane, entity, { kind: "signal", from, content, mode: "steer" })
  const isStopped = entity.record.status === "stopped"
  if (isStopped && name !== "kill" && input.parent === undefined)
    throw new RouseError("STOPPED", `${entity.url} is stopped`)
  if (!isStopped || input.parent === undefined)
    entity.insert("signal", key, { ...content, from, at: isoTime(planning.draft.nowMs) })
  await apply(plane, planning, entity, input)
  if (isForTree(payload)) await planTree(plane, planning.draft, entity, name as Signal, from)
  return key
}

async function apply(plane: Plane, planning: Planning, entity: EntityDraft, input: SignalInput): Promise<void> {
  try {
    await BUILT_IN[input.name as Signal](plane, planning, entity, input)
  } catch (error) {
    if (input.parent === undefined || !RouseError.is(error, "CONFLICT", "STOPPED")) throw error
  }
}

/** A run that a handler is in is aborted there; one that no handler is in is closed here. */
async function interrupt(plane: Plane, planning: Planning, entity: EntityDraft, input: SignalInput): Promise<void> {
  const { phase, runOpen } = entity.control.wake
  if (phase.kind !== "running" && !runOpen) return
  const reason = interruptedBy(input)
  entity.setControl({ interrupting: { reason, quiet: input.parent !== undefined } })
  if (phase.kind !== "running") await closeInterrupted(plane, planning, entity, reason)
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
  const by = input.parent === undefined ? `by ${input.from.id}` : `with its parent ${input.parent}`
  const reason = typeof input.payload === "string" ? input.payload : `stopped ${by}`
  const closing: Closing = { outcome: "stopped", messages: "cancelled", reply: null, reason }
  await settlePending(plane, entity, closing)
  await closeFromOutside(plane, planning, entity, closing)
  await endSchedules(plane, planning, entity)
  await endObservations(plane, planning, entity)
  entity.wake({ kind: "stop", reason })
  markEntity(entity, "stopped", reason)
}

function markEntity(entity: EntityDraft, status: EntityRow["status"], reason?: string): void {
  entity.update("entity", entity.url, entityRow(entity.record, status, reason))
}
