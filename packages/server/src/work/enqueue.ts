import { type HandlerCommit, type Json, RouseError, type ToolCallRow, type WorkRequest } from "@rouse/protocol"
import { workRequest } from "@rouse/protocol/work-schemas"
import { isoTime } from "../core/control.ts"
import type { EntityDraft } from "../core/draft.ts"
import { dueOf, positionOf, workId, type WorkPayload } from "../core/work-item.ts"
import { parseValue } from "../http/body.ts"
import type { Plane } from "../plane.ts"
import { timerId, workTimer } from "./settle.ts"

/**
 * Hands tool calls to workers, in the commit that holds their intent. A call that is there already stays as it is.
 *
 * @param open False when the run ends with this very commit: nobody is asked any more.
 * @throws {RouseError} `INVALID_ARGS` for a call that does not wait, or terms out of bounds.
 */
export async function planWork(
  plane: Plane,
  self: EntityDraft,
  requests: NonNullable<HandlerCommit["work"]>,
  open: boolean,
): Promise<void> {
  for (const value of requests) {
    const request = parseValue(value, workRequest, "work")
    const row = await callOf(plane, self, request.call)
    if (row?.status !== "waiting")
      throw new RouseError("INVALID_ARGS", `work: ${request.call} is not a tool call that waits`)
    if (!open) self.update("tool_call", row.id, { ...row, status: "cancelled", endedAt: isoTime(self.nowMs) })
    else if (!(await isWithWorkers(plane, self, row.id))) enqueue(self, row, request)
  }
}

function enqueue(self: EntityDraft, row: ToolCallRow, request: WorkRequest): void {
  const { queue, call, expiresMs, ...terms } = request
  const ahead = self.control.work ?? 0
  const { nowMs, url } = self
  const payload: WorkPayload = {
    call,
    ...terms,
    effect: row.effect,
    claim: null,
    claimedAtMs: 0,
    leaseUntilMs: 0,
    opensAtMs: nowMs,
    expiresAtMs: expiresMs === undefined ? null : nowMs + expiresMs,
    losses: 0,
    fails: 0,
    reconcile: false,
  }
  const id = workId(url, call)
  const position = positionOf(nowMs, ahead)
  const item = { id, queue: queueOf(queue), name: row.name, url, open: true, position }
  self.also({ op: "putWork", item: { ...item, payload: payload as unknown as Json } })
  const dueAtMs = dueOf(payload, true)
  if (dueAtMs !== undefined) self.also({ op: "putTimer", timer: workTimer(id, url, dueAtMs) })
  self.insert("tool_work", call, { call, tool: row.name, queue, status: "queued", attempt: 0, at: isoTime(nowMs) })
  self.setControl({ work: ahead + 1 })
}

/** Queues of workers, apart from those of people. */
export function queueOf(queue: string): string {
  return `tool:${queue}`
}

/** Ends what the open run has with workers: it is over. A claim that is held learns of it at its next word. */
export async function cancelWork(plane: Plane, self: EntityDraft): Promise<void> {
  if (!self.control.work) return
  for (const { key, value } of await plane.transactor.rows(self.url, "tool_work")) {
    const work = value as unknown as { readonly status: string; readonly attempt: number; readonly worker?: string }
    const row = await callOf(plane, self, key)
    self.delete("tool_work", key)
    self.also({ op: "dropWork", id: workId(self.url, key) })
    self.also({ op: "deleteTimer", id: timerId(workId(self.url, key)) })
    if (row?.status !== "waiting") continue
    // What has begun and may not begin again is not called cancelled.
    const status = work.status === "claimed" && row.effect === "once" ? "unknown" : "cancelled"
    self.update("tool_call", key, { ...row, status, attempts: work.attempt, endedAt: isoTime(self.nowMs) })
  }
  self.setControl({ work: 0 })
}

async function callOf(plane: Plane, self: EntityDraft, call: string): Promise<ToolCallRow | undefined> {
  const planned = self.planned("tool_call", call)
  const value = planned ?? (await plane.transactor.row(self.url, "tool_call", call))?.value
  return value as unknown as ToolCallRow | undefined
}

async function isWithWorkers(plane: Plane, self: EntityDraft, call: string): Promise<boolean> {
  if (self.planned("tool_work", call) !== undefined) return true
  return (await plane.transactor.row(self.url, "tool_work", call)) !== undefined
}
