import type { Json, LogEvent } from "@rouse/protocol"
import { isControlEvent } from "@rouse/protocol"

/** A live row, and its version where the log counts them. */
export interface LiveRow<T = Json> {
  readonly key: string
  readonly value: T
  readonly version?: number
}

/** Rows by collection, in the order in which they came to be. A table that did not change is the same object. */
export type RowTables = Readonly<Record<string, readonly LiveRow[]>>

/** The tables after some changes of a log. @param shows Which collections are kept. */
export function applyRows(
  tables: RowTables,
  events: readonly LogEvent[],
  shows: (collection: string) => boolean,
): RowTables {
  const anew = events.findLastIndex((event) => isControlEvent(event) && event.headers.control !== "snapshot-end")
  const base = anew < 0 ? tables : {}
  const changed = new Map<string, Map<string, LiveRow>>()
  for (const event of events.slice(anew + 1)) {
    if (isControlEvent(event) || !shows(event.type)) continue
    const { type, key, value, headers } = event
    const table = changed.get(type) ?? new Map((base[type] ?? []).map((row) => [row.key, row]))
    changed.set(type, table)
    if (headers.operation === "delete") table.delete(key)
    else table.set(key, { key, value: value ?? null, ...versionOf(headers) })
  }
  if (changed.size === 0) return base
  return { ...base, ...Object.fromEntries([...changed].map(([name, table]) => [name, [...table.values()]])) }
}

function versionOf(headers: object): { readonly version?: number } {
  const version = (headers as { readonly version?: unknown }).version
  return typeof version === "number" ? { version } : {}
}
