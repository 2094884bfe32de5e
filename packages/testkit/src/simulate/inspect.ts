import {
  type ApprovalRow,
  type ChangeEvent,
  entityStreamPath,
  type EntityUrl,
  type Offset,
  type ScheduleRow,
  START,
  sharedStreamPath,
} from "@rouse/protocol"
import { type EntityRecord, parseJson, type Store } from "@rouse/store"
import type { EntityLog, Joint, RestingEntity } from "../crash/core/history.ts"
import { TALLY } from "../crash/core/work.ts"

const ALL = 1_000
const BYTES_MAX = 64 * 1_024 * 1_024

/** What the store holds, seen from outside the world: no gate, no delay. */
export async function entitiesIn(store: Store): Promise<readonly EntityRecord[]> {
  return (await store.entities({ limit: ALL })).entities
}

export async function logsIn(store: Store): Promise<readonly EntityLog[]> {
  const logs: EntityLog[] = []
  for (const { url, type, status, control } of await entitiesIn(store)) {
    const { chunks } = await store.read(entityStreamPath(url), START, BYTES_MAX)
    const { wake, run } = control as unknown as {
      wake: { pending: number }
      run: { messages: readonly string[] } | null
    }
    const events = parseJson(chunks) as unknown as readonly ChangeEvent[]
    const rows = await store.rows(url)
    logs.push({ url, type, status, pending: wake.pending + (run?.messages.length ?? 0), events, rows })
  }
  return logs
}

/** Every offset at which an entity's log can be left, oldest first. */
export async function pointsIn(store: Store, url: EntityUrl): Promise<readonly Offset[]> {
  const points: Offset[] = []
  for (let from = START, more = true; more;) {
    const { next, upToDate } = await store.read(entityStreamPath(url), from, 1)
    points.push(next)
    from = next
    more = !upToDate
  }
  return points
}

/** What a log held up to an offset of it. */
export async function eventsUpTo(store: Store, url: EntityUrl, at: Offset): Promise<readonly ChangeEvent[]> {
  const events: ChangeEvent[] = []
  for (let from = START; from !== at;) {
    const { chunks, next } = await store.read(entityStreamPath(url), from, 1)
    events.push(...(parseJson(chunks) as unknown as readonly ChangeEvent[]))
    from = next
  }
  return events
}

export async function restIn(store: Store): Promise<readonly RestingEntity[]> {
  return (await entitiesIn(store)).map(({ url, status, dueAtMs, control }) => ({ url, status, dueAtMs, control }))
}

/** What the agents have in common. */
export async function jointIn(store: Store): Promise<Joint> {
  const path = sharedStreamPath(TALLY)
  if ((await store.stream(path)) === undefined) return { jobs: [], count: 0 }
  const rows = async <T>(collection: string): Promise<readonly T[]> =>
    (await store.spaceRows(path, { collection, limit: ALL })).rows.map(({ value }) => JSON.parse(value) as T)
  const [counter] = await rows<{ readonly n: number }>("counters")
  return { jobs: await rows("jobs"), count: counter?.n ?? 0 }
}

/** What a person is asked. */
export interface Asked {
  readonly url: string
  readonly call: string
  /** For more budget, not for a tool call. */
  readonly isBudget: boolean
}

export interface Waiting {
  readonly paused: readonly string[]
  readonly approvals: readonly Asked[]
}

/** Schedules that are still set. */
export async function schedulesIn(store: Store): Promise<readonly { readonly url: string; readonly name: string }[]> {
  const found: { url: string; name: string }[] = []
  for (const { url } of await entitiesIn(store)) {
    for (const { key, value } of await store.rows(url, "schedule")) {
      if ((value as unknown as ScheduleRow).rule) found.push({ url, name: key })
    }
  }
  return found
}

/** Whether a call is with workers, or waits for one. */
export async function isWorkedOn(store: Store): Promise<boolean> {
  for (const { url } of await entitiesIn(store)) if ((await store.rows(url, "tool_work")).length > 0) return true
  return false
}

/** What waits for a person. */
export async function waitingIn(store: Store): Promise<Waiting> {
  const paused: string[] = []
  const approvals: Asked[] = []
  for (const { url, status } of await entitiesIn(store)) {
    if (status === "paused") paused.push(url)
    for (const { key, value } of await store.rows(url, "approval")) {
      const { status, kind } = value as unknown as ApprovalRow
      if (status === "waiting") approvals.push({ url, call: key, isBudget: kind === "budget" })
    }
  }
  return { paused, approvals }
}
