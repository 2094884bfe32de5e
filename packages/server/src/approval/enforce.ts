import type { ApprovalRow, HandlerCommit, MessageRow, Principal, ToolCallRow } from "@rouse/protocol"
import { RouseError, ruleFor } from "@rouse/protocol"
import type { EntityDraft } from "../core/draft.ts"
import type { Plane } from "../plane.ts"

/** What a call may be before it is allowed. */
const HARMLESS: ReadonlySet<ToolCallRow["status"]> = new Set(["waiting", "failed", "denied", "cancelled"])

/**
 * Holds a handler to the server's policy: a call that a rule asks an approval of does not begin without one, whatever the handler says.
 *
 * @throws {RouseError} `FORBIDDEN`.
 */
export async function enforcePolicy(plane: Plane, self: EntityDraft, commit: HandlerCommit): Promise<void> {
  if (plane.policy.length === 0) return
  const handed = new Set((commit.work ?? []).map(({ call }) => call))
  for (const { type, value } of commit.events) {
    if (type !== "tool_call" || value === undefined) continue
    const call = value as unknown as ToolCallRow
    if (!HARMLESS.has(call.status) || handed.has(call.id)) await check(plane, self, call)
  }
}

async function check(plane: Plane, self: EntityDraft, call: ToolCallRow): Promise<void> {
  const approval = (await plane.transactor.row(self.url, "approval", call.id))?.value as unknown as
    | ApprovalRow
    | undefined
  if (approval?.status === "allowed" || approval?.status === "answered") return
  const found = ruleFor(plane.policy, {
    tool: call.name,
    effect: call.effect,
    backend: call.backend,
    type: self.record.type,
    tags: self.record.tags,
    askedBy: await askersOf(plane, self),
    input: call.input,
  })
  if (found)
    throw new RouseError(
      "FORBIDDEN",
      `events: the call ${call.id} of ${call.name} began without the approval that the rule "${found.rule}" asks for`,
    )
}

async function askersOf(plane: Plane, self: EntityDraft): Promise<readonly Principal[]> {
  const keys = self.control.run?.messages ?? []
  const rows = await Promise.all(keys.map((key) => plane.transactor.row(self.url, "message", key)))
  return rows.flatMap((row) => (row ? [(row.value as unknown as MessageRow).from] : []))
}
