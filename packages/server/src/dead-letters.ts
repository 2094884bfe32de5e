import {
  type DeadLetter,
  type DeadLetterPage,
  type EntityUrl,
  type MessageRow,
  type Principal,
  RouseError,
  type Row,
} from "@rouse/protocol"
import { summaryOf } from "./core/control.ts"
import type { CommitDraft, EntityDraft } from "./core/draft.ts"
import { newId } from "./core/id.ts"
import { need } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { transactAndRouse } from "./rouse.ts"

/** Entities of a page when nobody says. */
const PAGE = 100

/** Messages that were given up, of all entities, newest activity first. */
export async function deadLetters(plane: Plane, query: { after?: string; limit?: number }): Promise<DeadLetterPage> {
  const filter = {
    hasDead: true,
    limit: query.limit ?? PAGE,
    ...(query.after === undefined ? {} : { after: query.after }),
  }
  const page = await plane.store.entities(filter)
  const perEntity = await Promise.all(
    page.entities.map(async (record): Promise<readonly DeadLetter[]> => {
      const { url, status } = summaryOf(record)
      return (await deadRows(plane, url)).map(({ value: message }) => ({ url, status, message }))
    }),
  )
  return { messages: perEntity.flat(), ...(page.next === undefined ? {} : { next: page.next }) }
}

/**
 * Accepts an entity's dead messages again: those that `keys` name, or all.
 *
 * @returns How many.
 * @throws {RouseError} `UNKNOWN_ENTITY`; `CONFLICT` when it is stopped; `NOT_FOUND` when a key is not a dead message's.
 */
export async function retry(
  plane: Plane,
  url: EntityUrl,
  keys: readonly string[] | undefined,
  onPlan: (draft: CommitDraft, count: number) => void,
): Promise<number> {
  const { value } = await transactAndRouse(plane, [url], async (planning) => {
    const entity = need(planning, url)
    const { nowMs } = planning.draft
    const { chosen, left } = await choose(plane, url, keys)
    entity.wake({ kind: "retry", count: chosen.length, wakeId: newId(nowMs, plane.random), nowMs })
    count(entity, left)
    for (const row of chosen) {
      const { reason: _reason, run: _run, ...message } = row.value
      entity.update("message", row.key, { ...message, status: "accepted" })
    }
    onPlan(planning.draft, chosen.length)
    return { count: chosen.length, dueAtMs: entity.record.dueAtMs }
  })
  if (value.dueAtMs !== null) plane.dueAt(value.dueAtMs)
  return value.count
}

/**
 * Settles an entity's dead messages for good, as cancelled: those that `keys` name, or all. An entity without dead messages leaves `dead`.
 *
 * @returns How many.
 * @throws {RouseError} `UNKNOWN_ENTITY`; `NOT_FOUND` when a key is not a dead message's.
 */
export async function discard(
  plane: Plane,
  url: EntityUrl,
  keys: readonly string[] | undefined,
  by: Principal,
  onPlan: (draft: CommitDraft, count: number) => void,
): Promise<number> {
  const { value } = await transactAndRouse(plane, [url], async (planning) => {
    const entity = need(planning, url)
    const { chosen, left } = await choose(plane, url, keys)
    const reason = `discarded by ${by.id}`
    for (const { key, value: message } of chosen) {
      const run = message.run === undefined ? {} : { run: message.run }
      entity.settle(message, { message: key, status: "cancelled", reply: null, reason, ...run })
    }
    count(entity, left)
    entity.wake({ kind: "discard", left })
    if (left === 0 && entity.record.status === "idle") entity.setControl({ reason: null })
    onPlan(planning.draft, chosen.length)
    return chosen.length
  })
  return value
}

async function choose(
  plane: Plane,
  url: EntityUrl,
  keys: readonly string[] | undefined,
): Promise<{ readonly chosen: readonly Row<MessageRow>[]; readonly left: number }> {
  const dead = await deadRows(plane, url)
  if (keys === undefined) return { chosen: dead, left: 0 }
  const wanted = new Set(keys)
  const chosen = dead.filter((row) => wanted.delete(row.key))
  const [missing] = wanted
  if (missing !== undefined) throw new RouseError("NOT_FOUND", `messages: ${missing} is not a dead message of ${url}`)
  return { chosen, left: dead.length - chosen.length }
}

async function deadRows(plane: Plane, url: EntityUrl): Promise<readonly Row<MessageRow>[]> {
  const rows = (await plane.transactor.rows(url, "message")) as unknown as readonly Row<MessageRow>[]
  return rows.filter((row) => row.value.status === "dead")
}

function count(entity: EntityDraft, dead: number): void {
  if (dead !== (entity.control.dead ?? 0)) entity.setControl({ dead })
}
