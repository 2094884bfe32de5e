import { RouseError } from "@rouse/protocol"
import type {
  AskRequest,
  ChildFinished,
  EntityUrl,
  FailureInfo,
  Json,
  MessageRow,
  Principal,
  RunOutcome,
  WakeOutcome,
} from "@rouse/protocol"
import { answerAsk, answerOf } from "./asks.ts"
import type { Answer } from "./asks.ts"
import { chargeWall, closeBudget } from "./budgets.ts"
import type { TestEntity } from "./entity.ts"
import { cancelWork } from "./waiting.ts"

/** What the end of a wake needs of the plane. */
export interface Ground {
  readonly entities: ReadonlyMap<EntityUrl, TestEntity>
  readonly clock: () => number
  now(): string
  parentOf(entity: TestEntity): TestEntity | undefined
  deliver(
    to: EntityUrl,
    content: Json,
    options: {
      readonly id?: string
      readonly kind: MessageRow["kind"]
      readonly from?: Principal
      readonly mode?: MessageRow["mode"]
    },
  ): string
}

/** Answers an ask once: the asker goes on with it. */
export function tellAsker(plane: Ground, asker: TestEntity, ask: AskRequest, answer: Answer): void {
  if (answerAsk(asker, ask.id, ask.kind, answer, plane.now()))
    plane.deliver(asker.url, { ask: ask.id }, { kind: "toolResult", mode: "queue" })
}

/** Changes a message, and tells who asked by it when it ends. */
export function settleMessage(
  plane: Ground,
  entity: TestEntity,
  key: string,
  fields: Partial<MessageRow>,
  reply: Json = null,
): void {
  const row = entity.rows.get("message", key)
  if (row) entity.put("message", key, { ...row, ...fields })
  const asked = entity.asked.get(key)
  if (asked === undefined || fields.status === undefined || fields.status === "taken") return
  entity.asked.delete(key)
  const asker = plane.entities.get(asked.by)
  if (asker) tellAsker(plane, asker, asked.ask, answerOf(fields.status, reply, fields.reason, entity.url))
}

/** Ends a wake as its handler says. */
export function finishWake(plane: Ground, entity: TestEntity, run: string | undefined, finish: WakeOutcome): void {
  // No wake of this plane has a deadline.
  if (finish.kind === "sliced") throw new RouseError("INVALID_ARGS", "finish: a wake without a deadline was sliced")
  chargeWall(entity, plane.clock() - entity.leasedAtMs)
  if (finish.kind === "suspended") return entity.release("suspended", finish.left)
  entity.release("idle")
  const reason =
    finish.kind === "failed" ? finish.error.message : finish.kind === "interrupted" ? finish.reason : undefined
  const status = finish.kind === "completed" ? "processed" : finish.kind === "failed" ? "dead" : "cancelled"
  close(plane, entity, run, status, reason, finish.kind === "completed" ? finish.reply : null)
  tellParent(plane, entity, run, finish.kind, finish.kind === "completed" ? finish.reply : null, reason)
}

/** Ends a wake whose attempts are used up. */
export function deadLetter(plane: Ground, entity: TestEntity, error: FailureInfo): void {
  const run = entity.rows.list("run").findLast((row) => row.status === "running" || row.status === "suspended")
  if (run) entity.put("run", run.id, { ...run, status: "failed", endedAt: plane.now(), error })
  for (const { key } of entity.inbox()) settleMessage(plane, entity, key, { status: "dead", reason: error.message })
  entity.release("dead")
  entity.reason = error.message
  close(plane, entity, run?.id, "dead", error.message)
  tellParent(plane, entity, run?.id, "failed", null, error.message)
}

function close(
  plane: Ground,
  entity: TestEntity,
  run: string | undefined,
  status: MessageRow["status"],
  reason: string | undefined,
  reply: Json = null,
): void {
  for (const [key, row] of [...entity.rows.entries("message")]) {
    if (row.status === "taken" && row.run === run)
      settleMessage(plane, entity, key, { status, ...(reason ? { reason } : {}) }, reply)
  }
  for (const [key, row] of [...entity.rows.entries("approval")]) {
    if (row.status === "waiting") entity.put("approval", key, { ...row, status: "cancelled" })
  }
  closeBudget(entity, plane.parentOf(entity), plane.now())
  cancelWork(entity, plane.now())
}

function tellParent(
  plane: Ground,
  entity: TestEntity,
  run: string | undefined,
  outcome: RunOutcome,
  reply: Json,
  error: string | undefined,
): void {
  const parent = plane.parentOf(entity)
  const child = parent?.rows.get("child", entity.url)
  if (parent === undefined || child === undefined) return
  parent.put("child", entity.url, { ...child, status: outcome, reply })
  if (child.wake === "never") return
  const content: ChildFinished = { url: entity.url, outcome, reply, ...(error ? { error } : {}) }
  plane.deliver(parent.url, content as unknown as Json, {
    id: `${entity.url.slice(1).replace("/", ".")}.${run ?? "r"}`,
    kind: "childFinished",
    from: { kind: "agent", id: entity.url },
  })
}
