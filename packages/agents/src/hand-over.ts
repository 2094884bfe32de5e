import type { Json, ToolCallRow, ToolWorkRow, WorkRequest } from "@rouse/protocol"
import type { Session } from "./session.ts"
import type { WorkerTool } from "./worker-tool.ts"

/** What workers are asked for a call. */
export function handOver(call: ToolCallRow, tool: WorkerTool): WorkRequest {
  return { call: call.id, ...tool.work }
}

/** Hands a call to workers, in the commit that is being gathered. From then on the control plane settles it. */
export function enqueue(session: Session, work: WorkRequest): void {
  session.writer.batch.work.push(work)
  const { call, queue } = work
  const row: ToolWorkRow = {
    call,
    tool: session.rows.get("tool_call", call)?.name ?? "",
    queue,
    status: "queued",
    attempt: 0,
    at: session.now(),
  }
  session.rows.put("tool_work", call, row as unknown as Json)
}

/** Whether the call is the workers', and so the control plane's to settle. */
export function isWithWorkers(session: Session, call: ToolCallRow): boolean {
  return session.rows.get("tool_work", call.id) !== undefined
}
