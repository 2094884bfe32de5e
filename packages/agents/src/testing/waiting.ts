import { RouseError } from "@rouse/protocol"
import type { ApprovalRequest, Json, ToolCallRow, WorkRequest } from "@rouse/protocol"
import type { TestEntity } from "./entity.ts"

/** What waits for people and workers in the in-memory Rouse. */

export function askPeople(entity: TestEntity, requests: readonly ApprovalRequest[], at: string): void {
  for (const request of requests) entity.put("approval", request.call, { ...request, at, status: "waiting" })
}

export function askWorkers(entity: TestEntity, requests: readonly WorkRequest[], at: string): void {
  for (const { call, queue } of requests) {
    const tool = entity.rows.get("tool_call", call)?.name ?? ""
    entity.put("tool_work", call, { call, tool, queue, status: "queued", attempt: 0, at })
  }
}

/** Takes back what workers were asked for a run that is over. */
export function cancelWork(entity: TestEntity, at: string): void {
  for (const [call] of [...entity.rows.entries("tool_work")]) {
    const row = entity.rows.get("tool_call", call)
    if (row?.status === "waiting") entity.put("tool_call", call, { ...row, status: "cancelled", endedAt: at })
    entity.apply({ type: "tool_work", key: call, headers: { operation: "delete" } })
  }
}

/**
 * Ends a call that is with workers, as one of them would.
 *
 * @returns Whether it was the agent's last one out.
 * @throws {RouseError} `CONFLICT` when no worker has it.
 */
export function endCall(
  entity: TestEntity,
  call: string,
  outcome: { readonly output: Json } | { readonly error: string },
  at: string,
): boolean {
  const row = entity.rows.get("tool_call", call)
  const work = entity.rows.get("tool_work", call)
  if (!row || !work) throw new RouseError("CONFLICT", `the call ${call} does not wait for a worker`)
  const status: ToolCallRow["status"] = "output" in outcome ? "done" : "failed"
  entity.put("tool_call", call, { ...row, ...outcome, status, attempts: work.attempt + 1, endedAt: at })
  entity.apply({ type: "tool_work", key: call, headers: { operation: "delete" } })
  return entity.rows.size("tool_work") === 0
}
