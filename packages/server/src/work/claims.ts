import type { EntityUrl, ToolCallRow, ToolClaim, ToolClaimBody, ToolWorkRow } from "@rouse/protocol"
import type { WorkRecord } from "@rouse/store"
import { isoTime } from "../core/control.ts"
import { newId } from "../core/id.ts"
import { leaseUntil, payloadOf, type WorkPayload } from "../core/work-item.ts"
import type { Plane } from "../plane.ts"
import { queueOf } from "./enqueue.ts"
import { putItem } from "./settle.ts"

const QUEUE = "default"

/** Claims what waits and the worker has room for: over all its queues and tools, those that have waited longest in their turn. */
export async function takeCalls(plane: Plane, body: ToolClaimBody): Promise<readonly ToolClaim[]> {
  const { queues = [QUEUE], tools, capacity, worker } = body
  const pairs = queues.flatMap((queue) =>
    Object.entries(tools).map(([tool, room]) => [queueOf(queue), tool, room] as const),
  )
  const found = await Promise.all(
    pairs.map(([queue, tool, room]) => openCalls(plane, queue, tool, Math.min(room, capacity))),
  )
  const inOrder = found.flat().sort((a, b) => a.position - b.position || (a.id < b.id ? -1 : 1))
  const left = new Map(Object.entries(tools))
  const chosen: WorkRecord[] = []
  for (const record of inOrder) {
    const room = left.get(record.name) ?? 0
    if (chosen.length >= capacity || room <= 0) continue
    left.set(record.name, room - 1)
    chosen.push(record)
  }
  const claims = await Promise.all(chosen.map((record) => claimOne(plane, record, worker)))
  return claims.filter((claim) => claim !== undefined)
}

async function openCalls(plane: Plane, queue: string, tool: string, room: number): Promise<readonly WorkRecord[]> {
  if (room <= 0) return []
  const open = await plane.store.openWork(queue, tool, room)
  const first = open[0] && payloadOf(open[0])
  if (first?.concurrency === undefined) return open
  return open.slice(0, Math.max(0, first.concurrency - (await plane.store.closedWork(queue, tool))))
}

/** One claim: who has it, on the log; its token and its lease, beside it. Undefined when another was first. */
async function claimOne(plane: Plane, { id, url }: WorkRecord, worker: string): Promise<ToolClaim | undefined> {
  const { value } = await plane.transactor.transact([url], async (planning) => {
    const { draft } = planning
    const self = planning.entity(url)
    const record = await plane.store.work(id)
    if (!self || !record?.open) return undefined
    draft.guard({ kind: "work", id, version: record.version })
    const before = payloadOf(record)
    const call = (await plane.transactor.row(url, "tool_call", before.call))?.value as unknown as
      | ToolCallRow
      | undefined
    const row = (await plane.transactor.row(url, "tool_work", before.call))?.value as unknown as ToolWorkRow | undefined
    if (!call || !row) return undefined
    const { nowMs } = draft
    const payload: WorkPayload = {
      ...before,
      claim: newId(nowMs, plane.random),
      claimedAtMs: nowMs,
      leaseUntilMs: leaseUntil(before, nowMs, nowMs),
    }
    putItem(draft, record, payload, false)
    const { error: _, progress: __, ...rest } = row
    const attempt = row.attempt + 1
    self.update("tool_work", before.call, { ...rest, status: "claimed", attempt, worker, claimedAt: isoTime(nowMs) })
    return { payload, claim: claimOf(url, call, row, payload, attempt, nowMs) }
  })
  if (value) plane.dueAt(value.payload.leaseUntilMs)
  return value?.claim
}

function claimOf(
  url: EntityUrl,
  call: ToolCallRow,
  row: ToolWorkRow,
  payload: WorkPayload,
  attempt: number,
  nowMs: number,
): ToolClaim {
  return {
    entity: url,
    call: call.id,
    claim: payload.claim ?? "",
    tool: call.name,
    queue: row.queue,
    input: call.edited ?? call.input,
    effect: call.effect,
    idempotencyKey: call.idempotencyKey,
    attempt,
    reconcile: payload.reconcile,
    leaseMs: payload.leaseUntilMs - nowMs,
    ...(payload.timeoutMs === undefined ? {} : { timeoutMs: payload.timeoutMs }),
  }
}
