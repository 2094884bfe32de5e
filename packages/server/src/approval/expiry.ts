import type { ApprovalDecision, ApprovalRow, Json, Principal } from "@rouse/protocol"
import type { Timer } from "@rouse/store"
import { isoTime } from "../core/control.ts"
import { newId } from "../core/id.ts"
import type { Plane } from "../plane.ts"
import { transactAndRouse } from "../rouse.ts"
import { armDeadline, type TimedApproval } from "./ask.ts"

const SYSTEM: Principal = { kind: "system", id: "rouse" }

/** The time to decide is over: others are asked, or the call is denied and its agent told. */
export async function fireApproval(plane: Plane, timer: Timer, { call }: TimedApproval): Promise<void> {
  const { url } = timer
  const { value: dueAtMs } = await transactAndRouse(plane, [url], async (planning) => {
    const { draft } = planning
    const entity = planning.entity(url)
    draft.guard({ kind: "timer", id: timer.id })
    const over = (): undefined => {
      draft.also({ op: "deleteTimer", id: timer.id })
    }
    const row = (await plane.transactor.row(url, "approval", call))?.value as unknown as ApprovalRow | undefined
    if (!entity || row?.status !== "waiting" || row.deadline === undefined) return over()
    const deadlineMs = Date.parse(row.deadline)
    if (deadlineMs > draft.nowMs) {
      armDeadline(entity, call, deadlineMs)
      return deadlineMs
    }
    if (row.escalateTo && row.escalatedAt === undefined) {
      const nextMs = draft.nowMs + (row.deadlineMs ?? 0)
      const asked = { from: row.escalateTo, escalatedAt: isoTime(draft.nowMs), deadline: isoTime(nextMs) }
      entity.update("approval", call, { ...row, ...asked })
      armDeadline(entity, call, nextMs)
      return nextMs
    }
    const note = "nobody decided in time"
    entity.update("approval", call, { ...row, status: "expired", note, decidedAt: isoTime(draft.nowMs) })
    const content: ApprovalDecision = { call, decision: "expire", note }
    entity.accept(
      { kind: "approval", from: SYSTEM, content: content as unknown as Json, mode: "steer" },
      newId(draft.nowMs, plane.random),
    )
    return over()
  })
  if (dueAtMs !== undefined) plane.dueAt(dueAtMs)
}
