import type { ApprovalRow, EntityUrl, Json } from "@rouse/protocol"
import type { Op } from "@rouse/store"

/** The queue that approvals wait in. Nobody claims from it: it is there to be listed. */
export const APPROVALS = "approval"

/** What a change of an approval's row does to the list of those that wait. */
export function approvalOp(url: EntityUrl, key: string, value: Json | undefined): Op {
  const id = `${APPROVALS} ${url} ${key}`
  const row = value as unknown as ApprovalRow | null | undefined
  if (row?.status !== "waiting") return { op: "dropWork", id }
  const payload: Json = { call: key, from: row.from ?? null }
  const position = Date.parse(row.at)
  return { op: "putWork", item: { id, queue: APPROVALS, name: row.tool, url, open: false, position, payload } }
}
