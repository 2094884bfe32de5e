import {
  type EntityUrl,
  type Json,
  type ObservationInfo,
  type ObserveRequest,
  type ObserveSource,
  RouseError,
  START,
  type SubscriptionRow,
} from "@rouse/protocol"
import { checkObservation, checkObservationName, filterOf, sourceStreamPath, topicsOf } from "@rouse/protocol/observe"
import type { ObservationInput } from "@rouse/store"
import { canonicalJson } from "./core/canonical.ts"
import { isoTime } from "./core/control.ts"
import type { CommitDraft, EntityDraft } from "./core/draft.ts"
import { need, needLive } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import type { Planning } from "./transactor.ts"

/**
 * What entities observe: a row on the observer's log, and an observation in the store, which finds what is news. `observe-loop.ts` tells it.
 *
 * Invariants:
 * 1. The row and the observation are made, changed and removed in one commit, which has the entity in it: the entity's version guards both.
 * 2. The same definition again changes nothing, so that a handler may observe in every wake.
 */

/** Observations of one entity. */
const OBSERVATIONS_MAX = 1_000

type SetRequest = Exclude<ObserveRequest, { remove: true }>

/** What the store keeps for an observation beside what it judges by. */
export interface ObservationConfig {
  readonly source: ObserveSource
  readonly timeout?: number
  /** The message that told of it last. */
  readonly last?: string
}

/**
 * Sets an observation from outside; the same definition again changes nothing.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the field; `UNKNOWN_ENTITY`; `STOPPED`; `BAD_OFFSET`; `RATE_LIMITED` when there are too many.
 */
export async function setObservation(
  plane: Plane,
  url: EntityUrl,
  request: SetRequest,
  onPlan: (draft: CommitDraft, made: ObservationInfo) => void,
): Promise<ObservationInfo> {
  const asked = { ...request, ...(request.on === undefined ? {} : { on: topicsOf(request.on) ?? [] }) }
  checkObservation(asked, url)
  const { value } = await plane.transactor.transact([url], async (planning) => {
    const entity = needLive(planning, url)
    const info = { name: asked.name, ...(await planSet(plane, planning, entity, asked)) }
    onPlan(planning.draft, info)
    return info
  })
  return value
}

/**
 * Removes an observation.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY`; `NOT_FOUND`.
 */
export async function removeObservation(
  plane: Plane,
  url: EntityUrl,
  name: string,
  onPlan: (draft: CommitDraft) => void,
): Promise<void> {
  await plane.transactor.transact([url], async (planning) => {
    const entity = need(planning, url)
    if (!(await planRemove(plane, planning, entity, name)))
      throw new RouseError("NOT_FOUND", `${url} has no observation ${name}`)
    onPlan(planning.draft)
  })
}

/** What an entity observes, by name. */
export async function observationsOf(plane: Plane, url: EntityUrl): Promise<readonly ObservationInfo[]> {
  const rows = await plane.transactor.rows(url, "subscription")
  const stored = new Map((await plane.store.observations(url)).map((one) => [one.name, one]))
  return rows.map(({ key, value }) => {
    const known = stored.get(key)
    const place = known ? { cursor: known.cursor, pending: known.pending } : {}
    return { name: key, ...(value as unknown as SubscriptionRow), ...place }
  })
}

/** @throws {RouseError} `INVALID_ARGS` naming the field. */
export function checkObserves(requests: readonly ObserveRequest[], observer: EntityUrl): void {
  for (const request of requests) {
    if ("remove" in request) checkObservationName(request.name)
    else checkObservation(request, observer)
  }
}

/** Adds what a handler observes from now on to a commit that is being planned. */
export async function planObserves(
  plane: Plane,
  planning: Planning,
  self: EntityDraft,
  requests: readonly ObserveRequest[],
): Promise<void> {
  for (const { request, anew } of newest(requests)) {
    if ("remove" in request || anew) await planRemove(plane, planning, self, request.name)
    if (!("remove" in request)) await planSet(plane, planning, self, request, anew)
  }
}

/** Ends what an entity that stops observes. */
export async function endObservations(plane: Plane, planning: Planning, entity: EntityDraft): Promise<void> {
  for (const { key } of await plane.transactor.rows(entity.url, "subscription")) drop(planning.draft, entity, key)
}

/** The last request for each name. One that follows a removal begins anew. */
function newest(requests: readonly ObserveRequest[]): Iterable<{ request: ObserveRequest; anew: boolean }> {
  const byName = new Map<string, { request: ObserveRequest; anew: boolean }>()
  for (const request of requests) {
    const before = byName.get(request.name)
    const anew = before !== undefined && ("remove" in before.request || before.anew)
    byName.set(request.name, { request, anew })
  }
  return byName.values()
}

async function planSet(
  plane: Plane,
  planning: Planning,
  entity: EntityDraft,
  asked: SetRequest,
  anew = false,
): Promise<SubscriptionRow> {
  const { draft } = planning
  const { name, source } = asked
  const rows = anew ? [] : await plane.transactor.rows(entity.url, "subscription")
  const known = rows.find(({ key }) => key === name)?.value as unknown as SubscriptionRow | undefined
  const row = rowOf(asked, isoTime(draft.nowMs))
  if (known && definitionOf(known) === definitionOf(row)) return known
  if (!known && rows.length >= OBSERVATIONS_MAX)
    throw new RouseError("RATE_LIMITED", `${entity.url} has ${OBSERVATIONS_MAX} observations; remove one first`)
  await checkFrom(plane, asked, row.stream)
  if (known) entity.update("subscription", name, row)
  else entity.insert("subscription", name, row)
  const record = recordOf(entity.url, asked, draft.nowMs, known?.stream === row.stream)
  draft.also({ op: "observation", change: { kind: "put", record, nowMs: draft.nowMs } })
  if (typeof source !== "string")
    draft.also({ op: "createStream", path: row.stream, contentType: "application/json", nowMs: draft.nowMs })
  return row
}

/** Whether an offset is the stream's is for the store to say; where there is no stream there is none. */
async function checkFrom(plane: Plane, { from = "now" }: SetRequest, path: string): Promise<void> {
  if (from === "now" || from === "beginning" || (await plane.store.stream(path))) return
  throw new RouseError("BAD_OFFSET", `from: ${path} is not there yet, and so has no offset ${from}`)
}

function rowOf({ source, on, where, debounce, timeout }: SetRequest, at: string): SubscriptionRow {
  const topics = topicsOf(on)
  return {
    source,
    stream: sourceStreamPath(source),
    ...(topics ? { on: topics } : {}),
    ...(where ? { where } : {}),
    ...(debounce ? { debounce } : {}),
    ...(timeout === undefined ? {} : { timeout }),
    at,
  }
}

/** What the store is to keep. It goes on where it was while its source stays the same. */
function recordOf(url: EntityUrl, asked: SetRequest, nowMs: number, isSame: boolean): ObservationInput {
  const { name, source, debounce = 0, timeout, from = "now" } = asked
  const config: ObservationConfig = { source, ...(timeout === undefined ? {} : { timeout }) }
  return {
    url,
    name,
    path: sourceStreamPath(source),
    filter: filterOf(asked, url),
    debounceMs: debounce,
    cursor: isSame || from === "now" ? null : from === "beginning" ? START : from,
    timeoutAtMs: timeout === undefined ? null : nowMs + timeout,
    config: JSON.stringify(config),
  }
}

async function planRemove(plane: Plane, planning: Planning, entity: EntityDraft, name: string): Promise<boolean> {
  const row = await plane.transactor.row(entity.url, "subscription", name)
  if (row) drop(planning.draft, entity, name)
  return row !== undefined
}

function drop(draft: CommitDraft, entity: EntityDraft, name: string): void {
  entity.delete("subscription", name)
  draft.also({ op: "observation", change: { kind: "drop", url: entity.url, name } })
}

/** What an observation is, as text to compare. */
function definitionOf({ source, on, where, debounce, timeout }: SubscriptionRow): string {
  return canonicalJson({ source, on, where, debounce, timeout } as unknown as Json)
}
