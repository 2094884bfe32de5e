import type { ChangeEvent, Offset } from "@rouse/protocol"

/** One event of a log, as the raw log shows it. */
export interface LogEntry {
  /** Its place in the log, from 1. */
  readonly n: number
  readonly event: ChangeEvent
  /** Where the log stood after the read that brought it. */
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
