import type { ChangeEvent, Offset } from "@rouse/protocol"

/** One event of a log, as the raw log shows it. */
export interface LogEntry {
  /** Its place among the entries: one more than that of the one before. Of a log that is known from its beginning, from 1. */
  readonly n: number
  readonly event: ChangeEvent
  /** Where the log stood after the commit that wrote it, or after the read that brought it. */
  readonly offset: Offset
}

/** How many events the page keeps of one log. Older ones are dropped a block at a time; they stay on the server. */
export const LOG_ENTRIES_MAX = 50_000
const DROPPED_AT_ONCE = 5_000

/** The entries with those of one more read. */
export function appendEntries(
  entries: readonly LogEntry[],
  events: readonly ChangeEvent[],
  offset: Offset,
): readonly LogEntry[] {
  if (events.length === 0) return entries
  const first = (entries.at(-1)?.n ?? 0) + 1
  const next = [...entries, ...events.map((event, index) => ({ n: first + index, event, offset }))]
  return next.length > LOG_ENTRIES_MAX ? next.slice(next.length - LOG_ENTRIES_MAX + DROPPED_AT_ONCE) : next
}

/** The entries with those of a part of the log that lies before them. */
export function prependEntries(
  entries: readonly LogEntry[],
  batches: readonly { readonly offset: Offset; readonly events: readonly ChangeEvent[] }[],
): readonly LogEntry[] {
  const earlier = batches.flatMap(({ offset, events }) => events.map((event) => ({ event, offset })))
  const first = (entries[0]?.n ?? earlier.length + 1) - earlier.length
  return [...earlier.map((entry, index) => ({ n: first + index, ...entry })), ...entries]
}

/** A point of the log that one may go to: after a commit that wrote more than a piece of streamed text. */
export interface Moment {
  readonly offset: Offset
  /** The event there that says most. */
  readonly entry: LogEntry
}

/** The moments of a log, oldest first. */
export function momentsOf(entries: readonly LogEntry[]): readonly Moment[] {
  const moments: Moment[] = []
  for (const entry of entries) {
    if (entry.event.type === "delta") continue
    if (moments.at(-1)?.offset === entry.offset) continue
    moments.push({ offset: entry.offset, entry })
  }
  return moments
}

/** The index of the moment that is at an offset, or the last before it; -1 when all are later. Offsets sort as text. */
export function momentAt(moments: readonly Moment[], offset: string): number {
  return moments.findLastIndex((moment) => moment.offset <= offset)
}

/** When an event was written, as far as it or its value tells. */
export function timeOfEvent({ headers, value }: ChangeEvent): string | undefined {
  if (headers.timestamp !== undefined) return headers.timestamp
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
  const row = value as Readonly<Record<string, unknown>>
  const told = row["endedAt"] ?? row["decidedAt"] ?? row["startedAt"] ?? row["at"] ?? row["createdAt"]
  return typeof told === "string" ? told : undefined
}

/** The collections that the entries are of, with how many there are, most first. */
export function collectionsOf(
  entries: readonly LogEntry[],
): readonly { readonly name: string; readonly count: number }[] {
  const counts = new Map<string, number>()
  for (const { event } of entries) counts.set(event.type, (counts.get(event.type) ?? 0) + 1)
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
}

/** The events as JSON, one a line. */
export function entriesAsText(entries: readonly LogEntry[]): string {
  return entries.map(({ event }) => JSON.stringify(event)).join("\n")
}
