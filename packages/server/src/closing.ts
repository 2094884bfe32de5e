import { interruptedStatus, isSettled } from "@rouse/agents/runtime"
import type {
  ApprovalRow,
  Cause,
  ChildFinished,
  EntityUrl,
  Json,
  MessageRow,
  RunOutcome,
  RunRow,
  StepRow,
  ToolCallRow,
} from "@rouse/protocol"
import { causeAfter, noteCause } from "./breakers.ts"
import { closeBudget } from "./budgets.ts"
import { returnedCause } from "./core/breaker.ts"
import { isoTime } from "./core/control.ts"
import type { EntityDraft } from "./core/draft.ts"
import { newId } from "./core/id.ts"
import type { Plane } from "./plane.ts"
import type { Planning } from "./transactor.ts"
import { cancelWork } from "./work/enqueue.ts"

/** How a run closes: what its messages become, and what a parent is told. */
export interface Closing {
  readonly outcome: RunOutcome
  readonly messages: "processed" | "cancelled" | "dead"
  readonly reply: Json
  readonly reason?: string
}

/** The parent that must be part of a plan which may close a run of this entity. */
export async function parentToTell(plane: Plane, url: EntityUrl): Promise<readonly EntityUrl[]> {
  const record = await plane.transactor.record(url)
  return record?.parent ? [record.parent] : []
}

/**
 * Settles the messages that the open run holds, and tells the parent. Part of a commit that is being planned, so a run closes
 * exactly once: `control.run` is what says that it is open.
 */
export async function closeRun(plane: Plane, planning: Planning, entity: EntityDraft, closing: Closing): Promise<void> {
  const run = entity.control.run
  for (const key of run?.messages ?? []) await settle(plane, entity, key, closing, run?.id)
  await closeBudget(plane, planning, entity)
  await cancelWork(plane, entity)
  const { interrupting } = entity.control
  const isQuiet = interrupting?.quiet === true && closing.outcome === "interrupted"
  const cause = returnedCause(entity.control.cause)
  const { cause: was, lastCause } = entity.control
  const next = was ? { cause: await causeAfter(plane, entity), lastCause: was } : lastCause ? { lastCause: null } : {}
  entity.setControl({ run: null, taken: null, ...(interrupting ? { interrupting: null } : {}), ...next })
  tellParent(plane, planning, entity, closing, { cause, isQuiet })
}

/** Closes a run that no handler is in. */
export async function closeFromOutside(
  plane: Plane,
  planning: Planning,
  entity: EntityDraft,
  closing: Closing,
): Promise<void> {
  await closeRunRow(plane, entity, closing, planning.draft.nowMs)
  await closeRun(plane, planning, entity, closing)
}

/** Closes the run of an entity at rest that is to be interrupted. */
export async function closeInterrupted(
  plane: Plane,
  planning: Planning,
  entity: EntityDraft,
  reason: string,
): Promise<void> {
  await closeFromOutside(plane, planning, entity, {
    outcome: "interrupted",
    messages: "cancelled",
    reply: null,
    reason,
  })
  const { nowMs } = planning.draft
  entity.wake({ kind: "closeRun", wakeId: newId(nowMs, plane.random), nowMs })
}

/** Settles every message that still waits, run or no run: the entity will not come to them. */
export async function settlePending(plane: Plane, entity: EntityDraft, closing: Closing): Promise<void> {
  const rows = await plane.transactor.rows(entity.url, "message")
  for (const row of rows) {
    if ((row.value as unknown as MessageRow).status === "accepted")
      await settle(plane, entity, row.key, closing, undefined)
  }
}

/** Closes the row of a run whose handler will not: it died, was stopped, or the run was suspended. */
export async function closeRunRow(plane: Plane, entity: EntityDraft, closing: Closing, nowMs: number): Promise<void> {
  const key = entity.control.run?.id
  const value =
    key === undefined
      ? undefined
      : (entity.planned("run", key) ?? (await plane.transactor.row(entity.url, "run", key))?.value)
  if (key === undefined || value === undefined) return
  const run = value as unknown as RunRow
  const error =
    closing.reason === undefined ? {} : { error: { code: "HANDLER_FAILED" as const, message: closing.reason } }
  entity.update("run", key, { ...run, status: closing.outcome, endedAt: isoTime(nowMs), ...error })
  await cancelWork(plane, entity)
  await settleCalls(plane, entity, key, nowMs)
  await cancelApprovals(plane, entity)
}

/** Takes back what a person was asked for a run that is over. */
export async function cancelApprovals(plane: Plane, entity: EntityDraft): Promise<void> {
  for (const approval of await plane.transactor.rows(entity.url, "approval")) {
    const value = (entity.planned("approval", approval.key) ?? approval.value) as unknown as ApprovalRow
    if (value.status === "waiting") entity.update("approval", approval.key, { ...value, status: "cancelled" })
  }
}

/** Gives each call and step of the run that its handler left open the end that an interrupt would. */
async function settleCalls(plane: Plane, entity: EntityDraft, run: string, nowMs: number): Promise<void> {
  const endedAt = isoTime(nowMs)
  for (const { key, value } of await plane.transactor.rows(entity.url, "tool_call")) {
    const call = value as unknown as ToolCallRow
    if (call.run !== run || isSettled(call) || entity.planned("tool_call", key) !== undefined) continue
    entity.update("tool_call", key, { ...call, status: interruptedStatus(call), endedAt })
  }
  for (const { key, value } of await plane.transactor.rows(entity.url, "step")) {
    const step = value as unknown as StepRow
    if (step.run === run && step.status === "running")
      entity.update("step", key, { ...step, status: "interrupted", endedAt })
  }
}

async function settle(
  plane: Plane,
  entity: EntityDraft,
  key: string,
  closing: Closing,
  run: string | undefined,
): Promise<void> {
  const row = await plane.transactor.row(entity.url, "message", key)
  if (!row) return
  const why = closing.messages === "processed" || closing.reason === undefined ? {} : { reason: closing.reason }
  entity.settle(row.value as unknown as MessageRow, {
    message: key,
    status: closing.messages,
    reply: closing.reply,
    ...(run === undefined ? {} : { run }),
    ...why,
  })
}

function tellParent(
  plane: Plane,
  planning: Planning,
  entity: EntityDraft,
  closing: Closing,
  { cause, isQuiet }: { readonly cause: Cause | undefined; readonly isQuiet: boolean },
): void {
  const { parent } = entity.record
  if (!parent || !entity.control.notify) return
  const above = planning.entity(parent)
  if (!above || above.record.status === "stopped") return
  const { outcome, reply, reason } = closing
  const finished: ChildFinished = {
    url: entity.url,
    outcome,
    reply,
    ...(reason === undefined ? {} : { error: reason }),
  }
  const { type, createdAtMs } = entity.record
  above.update("child", entity.url, {
    url: entity.url,
    type,
    at: isoTime(createdAtMs),
    wake: "finished",
    status: outcome,
    reply,
  })
  if (isQuiet) return
  const from = { kind: "agent", id: entity.url } as const
  // Past the inbox's limit too: a parent is always told.
  above.accept(
    { kind: "childFinished", from, content: finished as unknown as Json, mode: "steer", ...(cause ? { cause } : {}) },
    newId(plane.clock(), plane.random),
  )
  if (cause) noteCause(plane, above, cause)
}
