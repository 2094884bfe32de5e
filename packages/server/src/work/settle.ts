import { createHash } from "node:crypto"
import { cutOutput, resultLabel } from "@rouse/agents/runtime"
import type { Json, Principal, ToolCallRow, ToolWorkRow } from "@rouse/protocol"
import type { Timer, WorkRecord } from "@rouse/store"
import { keepText } from "../attachments/commit-attachments.ts"
import { isoTime } from "../core/control.ts"
import type { CommitDraft, EntityDraft } from "../core/draft.ts"
import { newId } from "../core/id.ts"
import { type AfterClaim, dueOf, payloadOf, type WorkPayload } from "../core/work-item.ts"
import type { Plane } from "../plane.ts"

/** How a call with workers ends. */
export type WorkOutcome = Pick<ToolCallRow, "status"> & Partial<Pick<ToolCallRow, "output" | "error" | "resolved">>

/** Writes an item and arms its timer, or takes it away, in a commit that is being planned. */
export function putItem(draft: CommitDraft, record: WorkRecord, payload: WorkPayload, open: boolean): void {
  const { version: _, ...item } = record
  const next = { ...item, open, payload: payload as unknown as Json }
  draft.also({ op: "putWork", item: next })
  const dueAtMs = dueOf(payload, open)
  if (dueAtMs === undefined) draft.also({ op: "deleteTimer", id: timerId(record.id) })
  else draft.also({ op: "putTimer", timer: workTimer(record.id, record.url, dueAtMs) })
}

export function workTimer(id: string, url: string, dueAtMs: number): Timer {
  return { id: timerId(id), dueAtMs, url, payload: { kind: "work", id } }
}

export function timerId(id: string): string {
  return `work:${id}`
}

/** Settles a call, and rouses its agent when no other is with workers: one commit. */
export async function settleCall(
  plane: Plane,
  draft: CommitDraft,
  entity: EntityDraft,
  record: WorkRecord,
  outcome: WorkOutcome,
  by: Principal,
): Promise<void> {
  const { call } = payloadOf(record)
  const row = await closeCall(plane, entity, record, outcome)
  entity.also({ op: "dropWork", id: record.id })
  entity.also({ op: "deleteTimer", id: timerId(record.id) })
  const left = Math.max(0, (entity.control.work ?? 0) - 1)
  entity.setControl({ work: left })
  // The step goes on when all of its calls have ended: an agent that has others out is not woken for each.
  if (left > 0 || row === undefined) return
  const content = { call, status: outcome.status }
  entity.accept({ kind: "toolResult", from: by, content, mode: "steer" }, newId(draft.nowMs, plane.random))
}

/** The rows of a call that has ended. */
async function closeCall(
  plane: Plane,
  entity: EntityDraft,
  record: WorkRecord,
  outcome: WorkOutcome,
): Promise<ToolCallRow | undefined> {
  const { call, claim } = payloadOf(record)
  const row = (await plane.transactor.row(entity.url, "tool_call", call))?.value as unknown as ToolCallRow | undefined
  const work = (await plane.transactor.row(entity.url, "tool_work", call))?.value as unknown as ToolWorkRow | undefined
  entity.delete("tool_work", call)
  if (row === undefined) return undefined
  const begun = work?.claimedAt === undefined ? {} : { startedAt: work.claimedAt }
  const worker = work?.worker === undefined ? {} : { worker: { name: work.worker, claim: claim ?? "" } }
  entity.update("tool_call", call, {
    ...row,
    ...outcome,
    ...(outcome.output === undefined ? {} : { output: kept(entity, row, outcome.output) }),
    attempts: work?.attempt ?? 0,
    ...begun,
    ...worker,
    endedAt: isoTime(entity.nowMs),
  })
  return row
}

/** A large output becomes an attachment and a preview, as one of an inline tool does. */
export function kept(entity: EntityDraft, row: ToolCallRow, output: Json): Json {
  const whole = typeof output === "string" ? output : JSON.stringify(output)
  const cut = cutOutput(whole)
  if (cut === undefined) return output
  const id = createHash("sha256").update(cut.text).digest("hex")
  const [name, mediaType] = resultLabel(row.name, output)
  const info = keepText(entity, { id, name, mediaType }, cut.text)
  entity.insert("attachment", id, { ...info, run: row.run, call: row.id, at: isoTime(entity.nowMs) })
  return cut.preview(id)
}

/** What a claim that ended without a result comes to. Returns the call's status then. */
export async function endClaim(
  plane: Plane,
  draft: CommitDraft,
  entity: EntityDraft,
  record: WorkRecord,
  after: AfterClaim,
  by: Principal,
): Promise<"queued" | "failed" | "unknown"> {
  if (after.kind === "failed") {
    await settleCall(plane, draft, entity, record, { status: "failed", error: after.error }, by)
    return "failed"
  }
  if (after.kind === "unknown") {
    await settleCall(plane, draft, entity, record, { status: "unknown", resolved: "unknown" }, by)
    return "unknown"
  }
  const payload = { ...after.payload, claim: null, opensAtMs: Math.ceil(draft.nowMs + after.delayMs) }
  putItem(draft, record, payload, after.delayMs <= 0)
  const row = (await plane.transactor.row(entity.url, "tool_work", payload.call))?.value as unknown as
    | ToolWorkRow
    | undefined
  if (row) entity.update("tool_work", payload.call, { ...row, status: "queued", error: after.error })
  return "queued"
}
