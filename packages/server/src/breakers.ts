import type { Cause, EntityUrl, MessageRow, Principal, Row, SignalRow } from "@rouse/protocol"
import { chainText, countWake, longerCause, type Rate } from "./core/breaker.ts"
import type { EntityDraft } from "./core/draft.ts"
import { isoTime } from "./core/control.ts"
import { newId } from "./core/id.ts"
import type { Plane } from "./plane.ts"

/**
 * What stops agents that wake each other without end (P5): the chain of messages that each caused the next, and how often wakes begin.
 *
 * ```
 * message too many ──▶ its receiver is paused in the same commit, with the message kept ──▶ then the rest of its tree
 * ```
 *
 * Invariants:
 * 1. Nothing is dropped: what was sent waits in the inbox, and `resume` lets it go on with its count begun anew.
 * 2. What people, apps and timers send is not counted: only chains of agents are.
 */

export const BREAKER: Principal = { kind: "system", id: "breaker" }

/** Trees that are counted at once; the one that was quiet longest is forgotten. */
const TREES_MAX = 10_000

/** Wakes of whole trees, as far as this process began them: a brake, not a record. */
export class TreeRates {
  readonly #rates = new Map<EntityUrl, Rate>()

  /** Counts a wake. Returns how many there were within the minute. */
  count(root: EntityUrl, nowMs: number): number {
    const rate = countWake(this.#rates.get(root), nowMs)
    this.#rates.delete(root)
    this.#rates.set(root, rate)
    const [oldest] = this.#rates.keys()
    if (this.#rates.size > TREES_MAX && oldest !== undefined) this.#rates.delete(oldest)
    return rate.count
  }
}

/** Takes note of what made a message that was accepted. A chain that is too long freezes its receiver. */
export function noteCause(plane: Plane, entity: EntityDraft, cause: Cause): void {
  arrived.set(entity, longerCause(arrived.get(entity), cause) ?? cause)
  entity.setControl({ cause: longerCause(entity.control.cause, cause) })
  if (cause.hops <= plane.limits.hopsMax) return
  const chain = chainText(cause.chain, entity.url)
  freeze(plane, entity, {
    reason: `frozen: ${cause.hops} messages in a row caused each other (${chain}); resume lets it go on`,
    payload: { breaker: "hops", hops: cause.hops, bound: plane.limits.hopsMax, chain: [...cause.chain, entity.url] },
  })
}

/** What made the messages that still wait once a run is over: only they are worked on next. */
export async function causeAfter(plane: Plane, entity: EntityDraft): Promise<Cause | null> {
  const { cause, run, wake } = entity.control
  if (!cause || wake.pending === 0) return null
  const mine = new Set(run?.messages)
  const rows = (await plane.transactor.rows(entity.url, "message")) as unknown as readonly Row<MessageRow>[]
  const waiting = rows.filter((row) => row.value.status === "accepted" && !mine.has(row.key))
  return waiting.reduce<Cause | null>(
    (longest, row) => longerCause(longest, row.value.cause),
    arrived.get(entity) ?? null,
  )
}

/** Counts the wake that is about to begin. If there were too many of late, the entity is frozen and true returned. */
export function tooManyWakes(plane: Plane, entity: EntityDraft, nowMs: number): boolean {
  const { cause, budget } = entity.control
  const own = budget?.limits.wakesPerMinute
  if (own === undefined && !cause) return false
  const rate = countWake(entity.control.rate, nowMs)
  entity.setControl({ rate })
  const root = entity.control.root ?? entity.url
  const ofTree = cause ? plane.treeRates.count(root, nowMs) : 0
  const bound = own ?? plane.limits.wakesPerMinuteMax
  const isTree = ofTree > plane.limits.treeWakesPerMinuteMax
  if (rate.count <= bound && !isTree) return false
  const [what, max] = isTree ? ["its tree", plane.limits.treeWakesPerMinuteMax] : ["it", bound]
  const chain = cause ? ` (${chainText(cause.chain, entity.url)})` : ""
  freeze(plane, entity, {
    reason: `frozen: ${what} was woken more than ${max} times in a minute${chain}; resume lets it go on`,
    payload: { breaker: isTree ? "treeWakes" : "wakes", bound: max, chain: [...(cause?.chain ?? []), entity.url] },
  })
  return true
}

/** The longest chain among what a commit that is being planned delivers to an entity. */
const arrived = new WeakMap<EntityDraft, Cause>()

const frozen = new WeakSet<EntityDraft>()

function freeze(
  plane: Plane,
  entity: EntityDraft,
  { reason, payload }: { readonly reason: string; readonly payload: SignalRow["payload"] & object },
): void {
  const { kind } = entity.control.wake.phase
  if (kind === "paused" || kind === "dead" || kind === "stopped") return
  if (kind === "running" && entity.control.wake.phase.pausing) return
  const { nowMs } = entity
  entity.wake({ kind: "pause" })
  entity.setControl({ reason })
  const row: SignalRow = { name: "pause", from: BREAKER, at: isoTime(nowMs), payload }
  entity.insert("signal", newId(nowMs, plane.random), row)
  const { url, type, id, args, parent, createdAtMs } = entity.record
  entity.update("entity", url, {
    url,
    type,
    id,
    args,
    parent,
    createdAt: isoTime(createdAtMs),
    status: "paused",
    reason,
  })
  frozen.add(entity)
}

/** Whether this commit froze the entity: the rest of its tree is to follow. */
export function isFrozen(entity: EntityDraft): boolean {
  return frozen.has(entity)
}

/** A person lets it go on: what was counted so far is forgotten. */
export function thaw(entity: EntityDraft): void {
  const { cause, lastCause, rate, reason } = entity.control
  if (cause || lastCause || rate) entity.setControl({ cause: null, lastCause: null, rate: null })
  if (reason?.startsWith("frozen: ")) entity.setControl({ reason: null })
}
