import {
  parseEntityUrl,
  RouseError,
  type ScheduleEntry,
  type SchedulePage,
  type ScheduleQuery,
  type ScheduleRow,
} from "@rouse/protocol"
import type { Timer, TimerPlace } from "@rouse/store"
import type { Plane } from "./plane.ts"

const LIMIT = 100
/** Timers that one page looks at: not all of them are schedules. */
const LOOKED_AT_MAX = 2_000
const READ = 200

/**
 * Schedules of all entities, and messages that were sent for later, by when they come due. Read off the timers' own order, so it costs what is
 * shown, and the timers between that are something else's.
 *
 * @throws {RouseError} `BAD_REQUEST` naming `after`.
 */
export async function allSchedules(plane: Plane, query: ScheduleQuery): Promise<SchedulePage> {
  const { limit = LIMIT } = query
  const found: ScheduleEntry[] = []
  let after = query.after === undefined ? undefined : parsePlace(query.after)
  for (let seen = 0; seen < LOOKED_AT_MAX; seen += READ) {
    const timers = await plane.store.dueTimers(Number.MAX_SAFE_INTEGER, READ, after)
    const entries = await Promise.all(timers.map((timer) => entryOf(plane, timer, query.type)))
    for (const [index, entry] of entries.entries()) {
      after = timers[index]
      if (entry !== undefined) found.push(entry)
      if (found.length === limit) return { schedules: found, next: encodePlace(after!) }
    }
    if (timers.length < READ) return { schedules: found }
  }
  return { schedules: found, ...(after && { next: encodePlace(after) }) }
}

/** The row that a timer is for, when it is a schedule's or a delayed message's. */
async function entryOf(
  plane: Plane,
  { id, url, payload }: Timer,
  type: string | undefined,
): Promise<ScheduleEntry | undefined> {
  if (type !== undefined && parseEntityUrl(url)?.type !== type) return undefined
  const { kind, name } = payload as { readonly kind?: string; readonly name?: string }
  if (kind !== undefined && kind !== "schedule") return undefined
  const row = await plane.store.row(url, "schedule", name ?? id)
  return row && { url, name: row.key, ...(row.value as unknown as ScheduleRow) }
}

function encodePlace({ dueAtMs, id }: TimerPlace): string {
  return `${dueAtMs.toString(36)}.${id}`
}

function parsePlace(text: string): TimerPlace {
  const [, due, id] = /^([0-9a-z]{1,11})\.(.+)$/s.exec(text) ?? []
  const dueAtMs = Number.parseInt(due ?? "", 36)
  if (id !== undefined && Number.isSafeInteger(dueAtMs)) return { dueAtMs, id }
  throw new RouseError("BAD_REQUEST", "after: not the next of a page", { details: { field: "after" } })
}
