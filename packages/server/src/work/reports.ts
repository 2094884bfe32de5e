import type {
  EntityUrl,
  Principal,
  ToolCallRow,
  ToolFailBody,
  ToolHeartbeat,
  ToolProgressBody,
  ToolReleaseBody,
  ToolResultBody,
  ToolSettled,
  ToolWorkRow,
} from "@rouse/protocol"
import { RouseError } from "@rouse/protocol"
import type { WorkRecord } from "@rouse/store"
import { isoTime } from "../core/control.ts"
import { matchSchema } from "../core/match-schema.ts"
import { afterFailure, afterLoss, leaseUntil, payloadOf, workId } from "../core/work-item.ts"
import { need } from "../inbox.ts"
import type { Plane } from "../plane.ts"
import { transactAndRouse } from "../rouse.ts"
import type { Planning } from "../transactor.ts"
import { endClaim, putItem, settleCall, workTimer } from "./settle.ts"

/**
 * What workers say of calls that they claimed. Each function throws `NOT_FOUND` for a call that was never made, `INTERRUPTED` for one
 * that was cancelled, and `FENCED` for a claim that no longer holds.
 */

/** Which call of whom, and who says so. */
export interface Reporting {
  readonly url: EntityUrl
  readonly call: string
  readonly by: Principal
}

/** One of these a second is on the log. */
const PROGRESS_MS = 1_000
const TRIES_MAX = 10

/** Says that the worker lives. Touches neither the agent's record nor its log. */
export async function heartbeat(plane: Plane, { url, call }: Reporting, claim: string): Promise<ToolHeartbeat> {
  for (let attempt = 1; ; attempt++) {
    const record = await holder(plane, url, call, claim)
    const nowMs = plane.clock()
    const before = payloadOf(record)
    const leaseUntilMs = leaseUntil(before, before.claimedAtMs, nowMs)
    const { version, ...item } = record
    const payload = { ...item, payload: { ...(item.payload as object), leaseUntilMs } }
    try {
      await plane.store.commit({
        guards: [{ kind: "work", id: record.id, version }],
        ops: [
          { op: "putWork", item: payload },
          { op: "putTimer", timer: workTimer(record.id, url, leaseUntilMs) },
        ],
      })
      plane.dueAt(leaseUntilMs)
      return { leaseMs: Math.max(0, leaseUntilMs - nowMs) }
    } catch (error) {
      if (!RouseError.is(error, "CONFLICT") || attempt >= TRIES_MAX) throw error
    }
  }
}

/** A heartbeat that says how far the call is: on the log, once a second at most. */
export async function progress(plane: Plane, reporting: Reporting, body: ToolProgressBody): Promise<ToolHeartbeat> {
  const { claim, ...said } = body
  const { url, call } = reporting
  const { value } = await plane.transactor.transact([url], async (planning) => {
    const row = (await plane.transactor.row(url, "tool_work", call))?.value as unknown as ToolWorkRow | undefined
    const { nowMs } = planning.draft
    const lastMs = row?.progress === undefined ? 0 : Date.parse(row.progress.at)
    if (row === undefined || nowMs < lastMs + PROGRESS_MS) return undefined
    const { record } = await held(plane, planning, reporting, claim)
    const before = payloadOf(record)
    const payload = { ...before, leaseUntilMs: leaseUntil(before, before.claimedAtMs, nowMs) }
    putItem(planning.draft, record, payload, false)
    need(planning, url).update("tool_work", call, { ...row, progress: { at: isoTime(nowMs), ...said } })
    return { leaseMs: Math.max(0, payload.leaseUntilMs - nowMs), kept: true }
  })
  return value ?? { ...(await heartbeat(plane, reporting, claim)), kept: false }
}

/**
 * A result: the call is done and its agent is roused, in one commit. The same result again changes nothing.
 *
 * @throws {RouseError} `INVALID_ARGS` when it does not match the tool's output schema.
 */
export async function result(plane: Plane, reporting: Reporting, body: ToolResultBody): Promise<ToolSettled> {
  return settled(plane, reporting, body.claim, async ({ draft }, entity, record) => {
    const { output } = payloadOf(record)
    if (output) matchSchema(output, body.output, "output")
    const resolved = body.reconciled === true ? ({ resolved: "reconciled" } as const) : again(record)
    await settleCall(plane, draft, entity, record, { status: "done", output: body.output, ...resolved }, reporting.by)
    return "done"
  })
}

function again(record: WorkRecord): Pick<ToolCallRow, "resolved"> {
  return payloadOf(record).losses > 0 ? { resolved: "again" } : {}
}

/** A failure: the call is tried again as its tool allows, or has failed. */
export async function fail(plane: Plane, reporting: Reporting, body: ToolFailBody): Promise<ToolSettled> {
  return settled(plane, reporting, body.claim, async ({ draft }, entity, record) => {
    const { error, retryable = true, unknown = false } = body
    const after = unknown
      ? ({ kind: "unknown" } as const)
      : afterFailure(payloadOf(record), error, retryable, plane.random())
    return endClaim(plane, draft, entity, record, after, reporting.by)
  })
}

/** A worker gives a call back. One that it had begun is resolved as when the worker is lost. */
export async function release(plane: Plane, reporting: Reporting, body: ToolReleaseBody): Promise<ToolSettled> {
  return settled(plane, reporting, body.claim, async ({ draft }, entity, record) => {
    const payload = payloadOf(record)
    const error = "its worker shut down"
    const after = body.begun ? afterLoss(payload, error) : ({ kind: "again", payload, delayMs: 0, error } as const)
    return endClaim(plane, draft, entity, record, after, reporting.by)
  })
}

type Settle = (
  planning: Planning,
  entity: ReturnType<typeof need>,
  record: WorkRecord,
) => Promise<ToolSettled["status"]>

async function settled(plane: Plane, reporting: Reporting, claim: string, settle: Settle): Promise<ToolSettled> {
  const { value, draft } = await transactAndRouse(plane, [reporting.url], async (planning): Promise<ToolSettled> => {
    const found = await held(plane, planning, reporting, claim, true)
    if ("repeated" in found) return { status: found.repeated, applied: false }
    return { status: await settle(planning, need(planning, reporting.url), found.record), applied: true }
  })
  if (value.status === "queued") {
    plane.work.notify()
    // It may open after a pause: the ticker looks when.
    plane.dueAt(draft.nowMs)
  }
  return value
}

/** The item of a claim that holds, guarded; or how the call ended by this very claim. */
async function held(
  plane: Plane,
  planning: Planning,
  reporting: Reporting,
  claim: string,
): Promise<{ readonly record: WorkRecord }>
async function held(
  plane: Plane,
  planning: Planning,
  reporting: Reporting,
  claim: string,
  mayRepeat: true,
): Promise<{ readonly record: WorkRecord } | { readonly repeated: ToolSettled["status"] }>
async function held(
  plane: Plane,
  planning: Planning,
  { url, call }: Reporting,
  claim: string,
  mayRepeat = false,
): Promise<{ readonly record: WorkRecord } | { readonly repeated: ToolSettled["status"] }> {
  const record = await plane.store.work(workId(url, call))
  if (planning.entity(url) && record && payloadOf(record).claim === claim) {
    planning.draft.guard({ kind: "work", id: record.id, version: record.version })
    return { record }
  }
  const row = await callRow(plane, url, call)
  const status = row?.worker?.claim === claim ? row.status : undefined
  if (mayRepeat && (status === "done" || status === "failed")) return { repeated: status }
  throw refusal(call, row)
}

/** The item of a claim that holds, read without a plan. */
async function holder(plane: Plane, url: EntityUrl, call: string, claim: string): Promise<WorkRecord> {
  const record = await plane.store.work(workId(url, call))
  if (record && payloadOf(record).claim === claim) return record
  throw refusal(call, await callRow(plane, url, call))
}

async function callRow(plane: Plane, url: EntityUrl, call: string): Promise<ToolCallRow | undefined> {
  return (await plane.store.row(url, "tool_call", call))?.value as unknown as ToolCallRow | undefined
}

function refusal(call: string, row: ToolCallRow | undefined): RouseError {
  if (row === undefined) return new RouseError("NOT_FOUND", `there is no tool call ${call}`)
  if (row.status === "cancelled" || (row.status === "unknown" && row.resolved === undefined))
    return new RouseError("INTERRUPTED", `the call ${call} was cancelled: its run is over`)
  return new RouseError("FENCED", `the claim of ${call} no longer holds: the call is ${row.status}`)
}
