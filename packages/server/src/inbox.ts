import {
  type Cause,
  type EntityUrl,
  type Json,
  type MessageMode,
  type MessageRow,
  type Principal,
  RouseError,
  type Row,
} from "@rouse/protocol"
import { noteCause } from "./breakers.ts"
import { isoTime } from "./core/control.ts"
import type { CommitDraft, EntityDraft } from "./core/draft.ts"
import { newId } from "./core/id.ts"
import type { Plane } from "./plane.ts"
import { transactAndRouse } from "./rouse.ts"
import type { Planning } from "./transactor.ts"

/** A message on its way to an inbox. */
export interface Delivery {
  readonly kind: MessageRow["kind"]
  readonly from: Principal
  readonly content: Json
  readonly attachments?: NonNullable<MessageRow["attachments"]>
  readonly mode: MessageMode
  readonly cause?: Cause
  /** The schedule that sends it. */
  readonly schedule?: NonNullable<MessageRow["schedule"]>
}

/**
 * Puts a message into an entity's inbox, as part of a commit that is being planned.
 *
 * @returns The message's key.
 * @throws {RouseError} `STOPPED`; `RATE_LIMITED` when the inbox is full.
 */
export function deliver(plane: Plane, entity: EntityDraft, message: Delivery): string {
  const { pendingMax } = plane.limits
  if (entity.control.wake.pending >= pendingMax) {
    throw new RouseError("RATE_LIMITED", `${entity.url} has ${pendingMax} messages waiting; send again later`)
  }
  const key = entity.accept(message, newId(plane.clock(), plane.random))
  if (message.cause) noteCause(plane, entity, message.cause)
  return key
}

/** @throws {RouseError} `OVERLOADED` when more entities wait for a wake than the server lets wait. */
export function checkQueue(plane: Plane): void {
  const { queuedMax } = plane.limits
  if (plane.transactor.queued >= queuedMax)
    throw new RouseError("OVERLOADED", `${queuedMax} agents wait for their turn here; send again later`)
}

/** The draft of an entity that must exist. */
export function need(planning: Planning, url: EntityUrl): EntityDraft {
  const entity = planning.entity(url)
  if (!entity) throw new RouseError("UNKNOWN_ENTITY", `there is no entity ${url}; spawn it first`)
  return entity
}

/**
 * The draft of an entity that must exist and be there still.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY`; `STOPPED`.
 */
export function needLive(planning: Planning, url: EntityUrl): EntityDraft {
  const entity = need(planning, url)
  if (entity.record.status === "stopped") throw new RouseError("STOPPED", `${url} is stopped`)
  return entity
}

export interface SendInput {
  readonly to: EntityUrl
  readonly from: Principal
  readonly content: Json
  readonly attachments?: NonNullable<MessageRow["attachments"]>
  readonly mode: MessageMode
  /** Deliver then, not now. */
  readonly dueAtMs?: number
}

/** Where a message went: its key, or the schedule's. */
export interface Sent {
  readonly message: string
  readonly dueAtMs?: number
}

/**
 * Sends one message from outside. It is on disk when this resolves (P1). An interrupting one aborts the run under way first.
 *
 * @param onPlan Adds to the same commit: a receipt.
 */
export async function send(
  plane: Plane,
  input: SendInput,
  onPlan: (draft: CommitDraft, sent: Sent) => void,
): Promise<Sent> {
  checkQueue(plane)
  const { value } = await transactAndRouse(plane, [input.to], (planning) => {
    const { dueAtMs } = input
    const sent =
      dueAtMs === undefined
        ? now(plane, need(planning, input.to), input)
        : later(plane, planning.draft, needLive(planning, input.to), { ...input, dueAtMs })
    onPlan(planning.draft, sent)
    return sent
  })
  if (value.dueAtMs !== undefined) plane.dueAt(value.dueAtMs)
  else if (input.mode === "interrupt")
    plane.abort(input.to, new RouseError("INTERRUPTED", "a message interrupted the run"))
  return value
}

function now(plane: Plane, target: EntityDraft, input: SendInput): Sent {
  const { from, content, attachments, mode } = input
  if (mode === "interrupt" && target.control.wake.phase.kind === "running")
    target.setControl({ interrupting: { reason: "a message interrupted the run", quiet: false } })
  return {
    message: deliver(plane, target, { kind: "message", from, content, mode, ...(attachments ? { attachments } : {}) }),
  }
}

type LaterInput = SendInput & { readonly dueAtMs: number }

function later(plane: Plane, draft: CommitDraft, target: EntityDraft, input: LaterInput): Sent {
  const id = newId(plane.clock(), plane.random)
  schedule(draft, target, id, input)
  return { message: id, dueAtMs: input.dueAtMs }
}

/** What a timer that sends holds. */
export interface TimedSend {
  readonly to: EntityUrl
  readonly from: Principal
  readonly content: Json
  readonly attachments?: NonNullable<MessageRow["attachments"]>
  readonly mode: MessageMode
  /** Whose `schedule` row announces it. */
  readonly owner: EntityUrl
}

/** Arms a timer that sends, with its row on the owner's log. A timer of this id is replaced by itself: arming twice is arming once. */
export function schedule(draft: CommitDraft, owner: EntityDraft, id: string, input: LaterInput): void {
  const { to, from, content, attachments, mode, dueAtMs } = input
  const payload: TimedSend = { to, from, content, mode, owner: owner.url, ...(attachments ? { attachments } : {}) }
  draft.also({ op: "putTimer", timer: { id, dueAtMs, url: owner.url, payload: payload as unknown as Json } })
  owner.insert("schedule", id, { to, content, dueAt: isoTime(dueAtMs) })
}

/** Messages accepted and not yet taken, in the order they arrived. */
export async function pendingMessages(plane: Plane, url: EntityUrl): Promise<readonly Row<MessageRow>[]> {
  const rows = (await plane.transactor.rows(url, "message")) as unknown as readonly Row<MessageRow>[]
  return rows.filter((row) => row.value.status === "accepted")
}
