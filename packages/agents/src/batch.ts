import type {
  ApprovalRequest,
  AskRequest,
  BudgetDecision,
  ChangeEvent,
  ForkRequest,
  HandlerCommit,
  ModelReservation,
  ObserveRequest,
  OutgoingMessage,
  ScheduleRequest,
  SpawnRequest,
  WorkRequest,
} from "@rouse/protocol"

/** Changes that will be one commit. */
export interface Batch {
  readonly events: ChangeEvent[]
  /** That these changes were made, for a retried wake. Left out of the finishing commit, which ends the wake. */
  readonly memos: ChangeEvent[]
  readonly take: string[]
  readonly sends: OutgoingMessage[]
  readonly spawns: SpawnRequest[]
  readonly attachments: NonNullable<HandlerCommit["attachments"]>[number][]
  readonly forks: ForkRequest[]
  readonly schedules: ScheduleRequest[]
  readonly observes: ObserveRequest[]
  readonly tags: Record<string, string | null>
  /** The newest one counts. */
  readonly reserves: ModelReservation[]
  readonly budgets: BudgetDecision[]
  readonly approvals: ApprovalRequest[]
  readonly work: WorkRequest[]
  readonly asks: AskRequest[]
}

export function emptyBatch(): Batch {
  return {
    events: [],
    memos: [],
    take: [],
    sends: [],
    spawns: [],
    forks: [],
    schedules: [],
    observes: [],
    attachments: [],
    tags: {},
    approvals: [],
    work: [],
    asks: [],
    reserves: [],
    budgets: [],
  }
}

export function isEmpty(batch: Batch): boolean {
  const { tags, ...lists } = batch
  return Object.values(lists).every((list) => list.length === 0) && Object.keys(tags).length === 0
}

/** Adds `later` behind what `batch` holds. */
export function append(batch: Batch, later: Batch): void {
  batch.events.push(...later.events)
  batch.memos.push(...later.memos)
  batch.take.push(...later.take)
  batch.sends.push(...later.sends)
  batch.spawns.push(...later.spawns)
  batch.forks.push(...later.forks)
  batch.schedules.push(...later.schedules)
  batch.observes.push(...later.observes)
  batch.approvals.push(...later.approvals)
  batch.work.push(...later.work)
  batch.asks.push(...later.asks)
  batch.reserves.push(...later.reserves)
  batch.budgets.push(...later.budgets)
  batch.attachments.push(...later.attachments)
  Object.assign(batch.tags, later.tags)
}

/** The fields of a commit, without the empty ones. */
export function toCommit(batch: Batch): Omit<HandlerCommit, "seq" | "run" | "finish"> {
  const reserve = batch.reserves.at(-1)
  return {
    events: [...batch.events, ...batch.memos],
    ...(batch.take.length > 0 ? { take: batch.take } : {}),
    ...(batch.sends.length > 0 ? { sends: batch.sends } : {}),
    ...(batch.spawns.length > 0 ? { spawns: batch.spawns } : {}),
    ...(batch.forks.length > 0 ? { forks: batch.forks } : {}),
    ...(batch.schedules.length > 0 ? { schedules: batch.schedules } : {}),
    ...(batch.observes.length > 0 ? { observes: batch.observes } : {}),
    ...(Object.keys(batch.tags).length > 0 ? { tags: batch.tags } : {}),
    ...(batch.attachments.length > 0 ? { attachments: batch.attachments } : {}),
    ...(batch.approvals.length > 0 ? { approvals: batch.approvals } : {}),
    ...(batch.work.length > 0 ? { work: batch.work } : {}),
    ...(batch.asks.length > 0 ? { asks: batch.asks } : {}),
    ...(reserve ? { reserve } : {}),
    ...(batch.budgets.length > 0 ? { budgets: batch.budgets } : {}),
  }
}

export function change(type: string, key: string, operation: "insert" | "update", value: unknown): ChangeEvent {
  return { type, key, value: value as NonNullable<ChangeEvent["value"]>, headers: { operation } }
}

export function removal(type: string, key: string): ChangeEvent {
  return { type, key, headers: { operation: "delete" } }
}
