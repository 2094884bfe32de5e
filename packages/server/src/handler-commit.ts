import {
  type ChangeEvent,
  type CommitReply,
  entityStreamPath,
  entityUrl,
  type EntityUrl,
  type HandlerCommit,
  type Json,
  type MessageRow,
  type OutgoingMessage,
  parseEntityUrl,
  RouseError,
  type WakeInfo,
  type WakeOutcome,
} from "@rouse/protocol"
import { frameJson } from "@rouse/store"
import { planAsks } from "./asks.ts"
import { planApprovals } from "./approval/ask.ts"
import { enforcePolicy } from "./approval/enforce.ts"
import { planAttachments } from "./attachments/commit-attachments.ts"
import { Loans } from "./attachments/lend.ts"
import { planDecisions } from "./budget-answers.ts"
import { budgetUrls, chargeCommit, planReserve } from "./budgets.ts"
import { cancelApprovals, type Closing, closeInterrupted, closeRun, parentToTell } from "./closing.ts"
import { checkBudgetParts } from "./core/budget-input.ts"
import type { EntityDraft } from "./core/draft.ts"
import { entityRow } from "./core/entity-row.ts"
import { checkEvents, checkSize } from "./core/handler-events.ts"
import { newId } from "./core/id.ts"
import { changeTags } from "./core/tags.ts"
import { endedWakeRow } from "./core/wake-row.ts"
import { planOwnFork, readFork } from "./fork/fork.ts"
import type { ForkNode } from "./fork/tree.ts"
import { pendingMessages } from "./inbox.ts"
import { leaseMsOf } from "./limits.ts"
import { checkObserves, planObserves } from "./observations.ts"
import { planOutgoing, spawnInput } from "./outgoing.ts"
import { planPast } from "./past.ts"
import type { Plane } from "./plane.ts"
import { transactAndRouse } from "./rouse.ts"
import { checkSchedules, planSchedules } from "./schedules.ts"
import { checkWrites } from "./shared/agent.ts"
import { planShared } from "./shared/writes.ts"
import { checkSpawn, type SpawnInput } from "./spawn.ts"
import type { Planning } from "./transactor.ts"
import { planWork } from "./work/enqueue.ts"

/** Whose wake a commit belongs to. */
export interface HeldLease {
  readonly url: EntityUrl
  readonly type: string
  readonly wake: WakeInfo
  /** When the lease was taken. */
  readonly atMs: number
}

/**
 * Applies one commit of a handler, under its lease: all of it or nothing (P2, P6).
 *
 * @throws {RouseError} `FENCED` when the lease is no longer held; `INVALID_ARGS` for a value that is refused; and as sends and spawns do.
 */
export async function applyHandlerCommit(plane: Plane, lease: HeldLease, commit: HandlerCommit): Promise<CommitReply> {
  checkEvents(commit.events, plane.types.get(lease.type, lease.wake.version)?.state ?? {})
  const { events, sends, spawns: asked, schedules, observes, attachments, shared } = commit
  const { approvals, work, asks } = commit
  checkSize(
    [events, sends, asked, commit.forks, schedules, observes, attachments, shared, approvals, work, asks],
    plane.limits.commitBytesMax,
  )
  if (shared) checkWrites(shared)
  if (schedules) checkSchedules(schedules)
  if (observes) checkObserves(observes, lease.url)
  checkBudgetParts(commit)
  if (isOnlyDeltas(commit)) return appendDeltas(plane, lease, commit)
  const loans = await Loans.find(plane, lease.url, commit)
  const spawns = await Promise.all(
    (commit.spawns ?? []).map((child) => checkSpawn(plane, spawnInput(lease, child, loans))),
  )
  const told = commit.finish ? await parentToTell(plane, lease.url) : []
  const urls = [
    ...new Set([lease.url, ...touched(lease, commit), ...told, ...(await budgetUrls(plane, lease, commit))]),
  ]
  const forks = await Promise.all((commit.forks ?? []).map((own) => readFork(plane, lease.url, lease.type, own)))
  let granted: boolean | undefined
  const { value, result } = await transactAndRouse(plane, urls, async (planning) => {
    planning.draft.guard({ kind: "lease", url: lease.url, epoch: lease.wake.epoch, seq: commit.seq })
    chargeCommit(planning, lease, commit)
    const pending = await planCommit(plane, planning, lease, commit, spawns, loans)
    for (const [i, own] of (commit.forks ?? []).entries())
      await planOwnFork(plane, planning, forks[i] as ForkNode, own, own.budget)
    await planDecisions(plane, planning, lease.url, commit.budgets ?? [])
    if (commit.reserve && staysOpen(commit)) granted = planReserve(plane, planning, lease, commit.reserve)
    // What arrives while the entity is being paused does not join its run any more.
    return isPausing(planning, lease.url) ? 0 : pending
  })
  for (const send of commit.sends ?? []) if (send.dueAtMs !== undefined) plane.dueAt(send.dueAtMs)
  if (commit.work) plane.work.notify()
  if (commit.work || commit.approvals) plane.dueAt(plane.clock())
  // What was armed may be due before all that was known: the ticker looks.
  if (commit.schedules || commit.asks) plane.dueAt(plane.clock())
  // More is pending than the run took: the entity was queued again as it finished.
  if (commit.finish && (value > 0 || commit.finish.kind === "sliced")) plane.dueAt(plane.clock())
  const offset = result?.streams[entityStreamPath(lease.url)]?.next
  const answer = await reply(plane, lease, value, offset ?? (await tail(plane, lease.url)))
  return granted === undefined ? answer : { ...answer, granted }
}

function isPausing(planning: Planning, url: EntityUrl): boolean {
  const phase = planning.entity(url)?.control.wake.phase
  return phase?.kind === "running" && phase.pausing
}

/** The model's words as they stream: nothing but the log changes, so nothing needs to be read. */
async function appendDeltas(plane: Plane, lease: HeldLease, commit: HandlerCommit): Promise<CommitReply> {
  const path = entityStreamPath(lease.url)
  const guard = { kind: "lease", url: lease.url, epoch: lease.wake.epoch, seq: commit.seq } as const
  const append = { op: "append", path, data: frameJson(commit.events), nowMs: plane.clock() } as const
  const { streams } = await plane.store.commit({ guards: [guard], ops: [append] })
  const record = await plane.transactor.record(lease.url)
  const pending = record ? (record.control as { wake?: { pending?: number } }).wake?.pending : 0
  return reply(plane, lease, pending ?? 0, streams[path]?.next ?? (await tail(plane, lease.url)))
}

async function reply(
  plane: Plane,
  lease: HeldLease,
  pending: number,
  offset: CommitReply["offset"],
): Promise<CommitReply> {
  return { offset, inbox: pending > 0 ? await pendingMessages(plane, lease.url) : [] }
}

async function tail(plane: Plane, url: EntityUrl): Promise<CommitReply["offset"]> {
  const info = await plane.store.stream(entityStreamPath(url))
  if (!info) throw new RouseError("UNKNOWN_ENTITY", `${url} was deleted`)
  return info.next
}

/** Plans everything in the commit. Returns how many messages still wait. */
async function planCommit(
  plane: Plane,
  planning: Planning,
  lease: HeldLease,
  commit: HandlerCommit,
  spawns: readonly SpawnInput[],
  loans: Loans,
): Promise<number> {
  const self = planning.entity(lease.url)
  if (!self) throw new RouseError("FENCED", `${lease.url} was deleted`)
  const { epoch } = lease.wake
  const { nowMs } = planning.draft
  const expiresAtMs = nowMs + leaseMsOf(plane.limits, Boolean(self.control.remote))
  self.wake({ kind: "renew", epoch, expiresAtMs, progress: true })
  if (self.control.remote) self.setControl({ remote: { progressAtMs: nowMs } })
  for (const event of commit.events) self.change(event)
  if (commit.schema !== undefined && commit.schema !== self.control.schema) {
    self.setControl({ schema: commit.schema })
    self.update("entity", self.url, entityRow(self.record, "live"))
  }
  await takeMessages(plane, self, lease, commit)
  await planPast(plane, self, self.control.run?.id, commit.events)
  planAttachments(self, commit.attachments ?? [])
  changeTags(self, commit.tags ?? {})
  await enforcePolicy(plane, self, commit)
  if (staysOpen(commit)) planApprovals(self, commit.approvals ?? [])
  await planWork(plane, self, commit.work ?? [], staysOpen(commit))
  await planOutgoing(plane, planning, self, { spawns, sends: commit.sends ?? [] }, loans)
  // After what was spawned and sent: a handler may ask whom it has just made.
  if (commit.asks) await planAsks(plane, planning, self, commit.asks, staysOpen(commit))
  if (commit.schedules) await planSchedules(plane, planning, self, commit.schedules)
  if (commit.observes) await planObserves(plane, planning, self, commit.observes)
  for (const write of commit.shared ?? [])
    await planShared(plane, planning.draft, { ...write, by: lease.url, owner: lease.url })
  if (commit.finish) await planFinish(plane, planning, self, lease, commit.finish)
  return self.control.wake.pending
}

async function takeMessages(plane: Plane, self: EntityDraft, lease: HeldLease, commit: HandlerCommit): Promise<void> {
  const take = commit.take ?? []
  if (self.control.taken === null) self.setControl({ taken: take })
  const open = self.control.run
  if (commit.run !== undefined && open?.id !== commit.run) {
    if (open) throw new RouseError("INVALID_ARGS", `run: ${commit.run} cannot begin while ${open.id} is open`)
    const { version } = lease.wake
    self.setControl({ run: { id: commit.run, messages: [], ...(version === undefined ? {} : { version }) } })
  }
  if (take.length === 0) return
  const run = self.control.run
  if (!run) throw new RouseError("INVALID_ARGS", "take: messages are taken by a run; run names it")
  self.wake({ kind: "take", epoch: lease.wake.epoch, count: take.length })
  self.setControl({ run: { ...run, messages: [...run.messages, ...take] } })
  // What closes in this very commit is settled there, in one event.
  if (commit.finish && isClosing(commit.finish)) return
  for (const key of take) {
    const row = await plane.transactor.row(self.url, "message", key)
    if (!row) throw new RouseError("INVALID_ARGS", `take: there is no message ${key}`)
    self.update("message", key, { ...(row.value as unknown as MessageRow), status: "taken", run: run.id })
  }
}

/** Whether the run goes on after the commit: only then is anybody asked for it. */
function staysOpen({ finish }: HandlerCommit): boolean {
  return finish === undefined || !isClosing(finish)
}

/** Whether the run is over with this, and not to be continued. */
function isClosing(finish: WakeOutcome): finish is Exclude<WakeOutcome, { kind: "suspended" | "sliced" }> {
  return finish.kind !== "suspended" && finish.kind !== "sliced"
}

const MESSAGES_BECOME = { completed: "processed", failed: "dead", interrupted: "cancelled" } as const

async function planFinish(
  plane: Plane,
  planning: Planning,
  self: EntityDraft,
  lease: HeldLease,
  finish: WakeOutcome,
): Promise<void> {
  const { nowMs } = planning.draft
  const { id, epoch } = lease.wake
  const error = finish.kind === "failed" ? finish.error.message : undefined
  const why = finish.kind === "interrupted" ? finish.reason : error
  if (isClosing(finish)) {
    const reply: Json = finish.kind === "completed" ? finish.reply : null
    const closing: Closing = {
      outcome: finish.kind,
      messages: MESSAGES_BECOME[finish.kind],
      reply,
      ...(why === undefined ? {} : { reason: why }),
    }
    await closeRun(plane, planning, self, closing)
    if (finish.kind !== "completed") await cancelApprovals(plane, self)
  }
  if (finish.kind === "sliced") self.wake({ kind: "slice", epoch, nowMs })
  else endWake(plane, self, epoch, finish, nowMs)
  const { interrupting } = self.control
  // The interrupt came while the handler was suspending.
  if (finish.kind === "suspended" && interrupting) await closeInterrupted(plane, planning, self, interrupting.reason)
  self.update("wake", id, endedWakeRow(lease, finish.kind, why, nowMs))
}

function endWake(
  plane: Plane,
  self: EntityDraft,
  epoch: number,
  finish: Exclude<WakeOutcome, { kind: "sliced" }>,
  nowMs: number,
): void {
  const error = finish.kind === "failed" ? finish.error.message : undefined
  const end =
    finish.kind === "failed"
      ? ({ kind: "failed", reason: finish.error.message } as const)
      : finish.kind === "suspended"
        ? ({ kind: "suspended", left: finish.left ?? 0 } as const)
        : ({ kind: "over" } as const)
  self.wake({ kind: "finish", epoch, end, wakeId: newId(nowMs, plane.random), nowMs })
  self.setControl({ wakes: self.control.wakes + 1, taken: null, reason: error ?? null })
}

function isOnlyDeltas(commit: HandlerCommit): boolean {
  const { finish, tags, reserve, take, sends, spawns, forks, asks, schedules } = commit
  const { observes, approvals, attachments, budgets, work, shared } = commit
  const lists = [take, sends, spawns, forks, asks, schedules, observes, approvals, attachments, budgets, work, shared]
  const more = finish ?? tags ?? reserve ?? lists.find((list) => list !== undefined && list.length > 0)
  return !more && commit.events.length > 0 && commit.events.every((event: ChangeEvent) => event.type === "delta")
}

/** The entities, beside its own, that a commit delivers to or makes. */
function touched(lease: HeldLease, commit: HandlerCommit): EntityUrl[] {
  // The files of one that comes later are given now.
  const isNow = ({ dueAtMs, attachments }: OutgoingMessage): boolean =>
    dueAtMs === undefined || (attachments?.length ?? 0) > 0
  const now = (commit.sends ?? []).filter(isNow).map((message) => message.to)
  for (const to of now)
    if (!parseEntityUrl(to)) throw new RouseError("INVALID_ARGS", `to: "${to}" must look like /type/id`)
  const children = (commit.spawns ?? []).map((child) => entityUrl(child.type, child.id))
  const forks = (commit.forks ?? []).map((own) => entityUrl(lease.type, own.id))
  const asked = (commit.asks ?? []).map(({ to }) => to)
  for (const to of asked)
    if (!parseEntityUrl(to)) throw new RouseError("INVALID_ARGS", `asks: "${to}" must look like /type/id`)
  return [...now, ...children, ...forks, ...asked].filter((url) => url !== lease.url)
}
