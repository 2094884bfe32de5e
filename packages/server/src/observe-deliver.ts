import {
  type Cause,
  type ChangeNotice,
  entityOfStream,
  type EntityUrl,
  type Json,
  type MessageRow,
  type Principal,
  RouseError,
  type TimeoutNotice,
} from "@rouse/protocol"
import { addNotice } from "@rouse/protocol/observe"
import type { ObservationChange, ObservationInput, ObservationRecord } from "@rouse/store"
import { longerCause, nextCause } from "./core/breaker.ts"
import { controlOf } from "./core/control.ts"
import type { EntityDraft } from "./core/draft.ts"
import { deliver } from "./inbox.ts"
import type { ObservationConfig } from "./observations.ts"
import type { Digest, Digests } from "./observe-digest.ts"
import type { Plane } from "./plane.ts"
import { transactAndRouse } from "./rouse.ts"
import type { Planning } from "./transactor.ts"

/**
 * Tells observers what is news to them.
 *
 * Invariants:
 * 1. The message and the cursor behind what it tells are one commit: every change is told once.
 * 2. While an observer has not taken the last message of an observation, that one is extended, or more waits for it: an observation has
 *    at most one message in an inbox that nobody has seen.
 * 3. A message that a handler may have been shown already is not changed any more.
 */

/** When an observer is looked at again that has not yet taken what it was told. */
const BUSY_RETRY_MS = 200
/** The same of one whose inbox is full. */
const FULL_RETRY_MS = 1_000

/** What is to be told of one observation; undefined of one that is not there any more, or has nothing to tell. */
interface News {
  readonly record: ObservationRecord
  readonly digest: Digest | undefined
}

/** Tells observers, all in one commit. Those that have nothing to tell are moved on by themselves. */
export async function deliverBatch(
  plane: Plane,
  digests: Digests,
  records: readonly ObservationRecord[],
): Promise<void> {
  const looked = await Promise.all(records.map((record) => look(digests, record)))
  const loud: News[] = []
  for (const news of looked) {
    if (!isNews(news, plane.clock())) await moveOn(plane, news)
    else if (await isBusy(plane, news.record))
      await move(plane, news.record, { notBeforeMs: plane.clock() + BUSY_RETRY_MS })
    else loud.push(news)
  }
  if (loud.length === 0) return
  const causes = await causesOf(plane, loud)
  const urls = [...new Set(loud.map(({ record }) => record.url))]
  await transactAndRouse(plane, urls, async (planning) => {
    for (const news of loud) await planOne(plane, planning, news, causes.get(news))
  })
}

async function look(digests: Digests, record: ObservationRecord): Promise<News> {
  if (!record.pending) return { record, digest: undefined }
  try {
    return { record, digest: await digests.of(record) }
  } catch (error) {
    // The stream went since: the store has set the observation back, or will when it is swept.
    if (!RouseError.is(error, "UNKNOWN_STREAM", "GONE", "BAD_OFFSET")) throw error
    return { record, digest: undefined }
  }
}

function isNews({ record, digest }: News, nowMs: number): boolean {
  return (digest !== undefined && digest.notice.count > 0) || isTimeout(record, nowMs)
}

function isTimeout({ timeoutAtMs }: ObservationRecord, nowMs: number): boolean {
  return timeoutAtMs !== null && timeoutAtMs <= nowMs
}

/** Moves an observation past what is nothing to it. Whoever changed it first looks at it too. */
async function moveOn(plane: Plane, { record, digest }: News): Promise<void> {
  await move(plane, record, digest ? { cursor: digest.notice.to } : { notBeforeMs: plane.clock() + FULL_RETRY_MS })
}

/** Whether a handler is at work that may have read the message that would be extended. It is looked at without touching the observer. */
async function isBusy(plane: Plane, { url, config }: ObservationRecord): Promise<boolean> {
  const { last } = JSON.parse(config) as ObservationConfig
  if (last === undefined || (await plane.transactor.record(url))?.status !== "running") return false
  const row = (await plane.transactor.row(url, "message", last))?.value as unknown as MessageRow | undefined
  return row?.status === "accepted"
}

async function move(plane: Plane, record: ObservationRecord, changes: Changes): Promise<void> {
  const { url, name, serial, version } = record
  const guards = [{ kind: "observation", url, name, serial, version }] as const
  await plane.store
    .commit({ guards, ops: [{ op: "observation", change: putOf(record, changes, plane.clock()) }] })
    .catch((error: unknown) => {
      if (!RouseError.is(error, "CONFLICT", "BAD_OFFSET")) throw error
    })
}

async function planOne(plane: Plane, planning: Planning, news: News, cause: Cause | undefined): Promise<void> {
  const { record, digest } = news
  const { draft } = planning
  const stored = await plane.store.observation(record.url, record.name)
  if (stored?.serial !== record.serial || stored.version !== record.version) return
  const entity = planning.entity(record.url)
  if (!entity) return
  if (entity.record.status === "stopped") {
    draft.also({ op: "observation", change: { kind: "drop", url: record.url, name: record.name } })
    return
  }
  const change = digest && digest.notice.count > 0 ? await tell(plane, entity, record, digest.notice, cause) : undefined
  const put = change ?? timeOut(plane, entity, record, digest)
  draft.also({ op: "observation", change: putOf(record, put, draft.nowMs) })
}

type Changes = Partial<Pick<ObservationInput, "cursor" | "timeoutAtMs" | "notBeforeMs" | "config">>

/** Puts the notice into the inbox, or adds it to the one that waits there. */
async function tell(
  plane: Plane,
  entity: EntityDraft,
  record: ObservationRecord,
  notice: ChangeNotice,
  cause: Cause | undefined,
): Promise<Changes> {
  const config = JSON.parse(record.config) as ObservationConfig
  const waiting = config.last === undefined ? undefined : await waitingMessage(plane, entity, config.last)
  // A handler at work may have read the message that waits.
  if (waiting && entity.control.wake.phase.kind === "running") return { notBeforeMs: entity.nowMs + BUSY_RETRY_MS }
  const told = { cursor: notice.to, timeoutAtMs: config.timeout === undefined ? null : entity.nowMs + config.timeout }
  if (waiting) {
    const content = addNotice(waiting.content as unknown as ChangeNotice, notice) as unknown as Json
    entity.update("message", waiting.id, { ...waiting, content })
    return told
  }
  const key = put(plane, entity, "change", senderOf(record), notice as unknown as Json, cause)
  if (key === undefined) return { notBeforeMs: entity.nowMs + FULL_RETRY_MS }
  return { ...told, config: JSON.stringify({ ...config, last: key } satisfies ObservationConfig) }
}

/** Says that nothing was observed for so long: once, until something is. */
function timeOut(plane: Plane, entity: EntityDraft, record: ObservationRecord, digest: Digest | undefined): Changes {
  const { source, timeout = 0 } = JSON.parse(record.config) as ObservationConfig
  const notice: TimeoutNotice = { observation: record.name, source, timeout }
  const moved = digest ? { cursor: digest.notice.to } : {}
  if (!isTimeout(record, entity.nowMs)) return moved
  const key = put(plane, entity, "timeout", senderOf(record), notice as unknown as Json, undefined)
  return key === undefined ? { ...moved, notBeforeMs: entity.nowMs + FULL_RETRY_MS } : { ...moved, timeoutAtMs: null }
}

/** Undefined when the inbox is full: then it is told later. */
function put(
  plane: Plane,
  entity: EntityDraft,
  kind: "change" | "timeout",
  from: Principal,
  content: Json,
  cause: Cause | undefined,
): string | undefined {
  try {
    return deliver(plane, entity, { kind, from, content, mode: "queue", ...(cause ? { cause } : {}) })
  } catch (error) {
    if (!RouseError.is(error, "RATE_LIMITED")) throw error
    return undefined
  }
}

async function waitingMessage(plane: Plane, entity: EntityDraft, key: string): Promise<MessageRow | undefined> {
  const planned = entity.planned("message", key) ?? (await plane.transactor.row(entity.url, "message", key))?.value
  const row = planned as unknown as MessageRow | undefined
  return row?.status === "accepted" ? row : undefined
}

function senderOf({ path }: ObservationRecord): Principal {
  const url = entityOfStream(path)
  return url === undefined ? { kind: "system", id: path } : { kind: "agent", id: url }
}

function putOf(record: ObservationRecord, changes: Changes, nowMs: number): ObservationChange {
  const { url, name, path, filter, debounceMs, timeoutAtMs, config } = record
  const kept = { url, name, path, filter, debounceMs, timeoutAtMs, config, cursor: null }
  return { kind: "put", record: { ...kept, ...changes }, nowMs } as const
}

/** What the changes were made by: they are links of the same chains as messages (P5). */
async function causesOf(plane: Plane, loud: readonly News[]): Promise<ReadonlyMap<News, Cause>> {
  const known = new Map<EntityUrl, Promise<Cause | null>>()
  const found = new Map<News, Cause>()
  for (const news of loud) {
    const source = entityOfStream(news.record.path)
    const authors = source === undefined ? (news.digest?.authors ?? []) : [source]
    let longest: Cause | null = null
    for (const author of authors) {
      const looking = known.get(author) ?? causeOf(plane, author)
      known.set(author, looking)
      longest = longerCause(longest, await looking)
    }
    found.set(news, longest ?? nextCause(null, news.record.url))
  }
  return found
}

/** That of the run under way, or of the one that closed last. */
async function causeOf(plane: Plane, author: EntityUrl): Promise<Cause | null> {
  const record = await plane.transactor.record(author)
  if (!record) return nextCause(null, author)
  const { cause, lastCause } = controlOf(record)
  return nextCause(longerCause(cause, lastCause), author)
}
