import type { ApprovalPage, ApprovalQuery, ApprovalRow, WaitingApproval } from "@rouse/protocol"
import type { WorkRecord } from "@rouse/store"
import { APPROVALS } from "../core/approval-list.ts"
import type { Plane } from "../plane.ts"

/** Entries of a page when nobody says. */
const PAGE = 100
/** Pages that are read to fill one, when few are for whom it is. */
const READS_MAX = 20

/** Approvals that wait, of all entities, the oldest first. */
export async function waitingApprovals(plane: Plane, query: ApprovalQuery): Promise<ApprovalPage> {
  const { type, tool, for: who, limit = PAGE } = query
  const found: WorkRecord[] = []
  let after = query.after
  for (let reads = 0; reads < READS_MAX; reads++) {
    const page = await plane.store.workPage({
      queue: APPROVALS,
      limit: limit - found.length,
      ...(tool === undefined ? {} : { name: tool }),
      ...(type === undefined ? {} : { urlPrefix: `/${type}/` }),
      ...(after === undefined ? {} : { after }),
    })
    found.push(...page.items.filter((item) => who === undefined || isFor(item, who)))
    after = page.next
    if (after === undefined || found.length >= limit) break
  }
  const approvals = await Promise.all(found.map((item) => entryOf(plane, item)))
  return {
    approvals: approvals.filter((entry) => entry !== undefined),
    ...(after === undefined ? {} : { next: after }),
  }
}

function isFor({ payload }: WorkRecord, who: string): boolean {
  const { from } = payload as { readonly from: readonly string[] | null }
  return from === null || from.includes(who)
}

async function entryOf(plane: Plane, { url, payload }: WorkRecord): Promise<WaitingApproval | undefined> {
  const { call } = payload as { readonly call: string }
  const row = await plane.store.row(url, "approval", call)
  return row === undefined ? undefined : { entity: url, approval: row.value as unknown as ApprovalRow }
}
