import { entityUrl, type HandlerCommit, type OutgoingMessage } from "@rouse/protocol"
import type { Loans } from "./attachments/lend.ts"
import { nextCause } from "./core/breaker.ts"
import type { EntityDraft } from "./core/draft.ts"
import type { HeldLease } from "./handler-commit.ts"
import { deliver, need, schedule } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { planSpawn, type SpawnInput } from "./spawn.ts"
import type { Planning } from "./transactor.ts"

/** Plans the children and messages of a handler's commit, with the files that they bring. */
export async function planOutgoing(
  plane: Plane,
  planning: Planning,
  self: EntityDraft,
  { spawns, sends }: { readonly spawns: readonly SpawnInput[]; readonly sends: readonly OutgoingMessage[] },
  loans: Loans,
): Promise<void> {
  const given = new Set<string>()
  for (const child of spawns) {
    const { url, created } = await planSpawn(plane, planning, child)
    if (created && child.attachments) {
      const ids = child.attachments.map(({ id }) => id)
      await loans.give(need(planning, url), ids, given)
    }
  }
  for (const message of sends) {
    if (message.attachments?.length) await loans.give(need(planning, message.to), message.attachments, given)
    planSend(plane, planning, self, message, loans)
  }
}

function planSend(plane: Plane, planning: Planning, self: EntityDraft, message: OutgoingMessage, loans: Loans): void {
  const from = { kind: "agent", id: self.url } as const
  const { to, content, mode, dueAtMs } = message
  const files = loans.of(to, message.attachments)
  if (dueAtMs !== undefined) schedule(planning.draft, self, message.id, { to, from, content, mode, dueAtMs, ...files })
  else {
    const cause = nextCause(self.control.cause, self.url)
    deliver(plane, need(planning, to), { kind: "message", from, content, mode, cause, ...files })
  }
}

/** A child as a handler asks for it. */
export function spawnInput(
  lease: HeldLease,
  child: NonNullable<HandlerCommit["spawns"]>[number],
  loans: Loans,
): SpawnInput {
  const { type, id, args, tags, wake, message, budget } = child
  const from = { kind: "agent", id: lease.url } as const
  return {
    type,
    id,
    args,
    tags: tags ?? {},
    wake,
    parent: lease.url,
    from,
    ...(message ? { message: message.content, ...loans.of(entityUrl(type, id), message.attachments) } : {}),
    ...(budget ? { budget } : {}),
  }
}
