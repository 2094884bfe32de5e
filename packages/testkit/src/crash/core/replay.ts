import { LiveRows } from "@rouse/agents/runtime"
import type { BuiltInCollection, BuiltInRows, ChangeEvent } from "@rouse/protocol"
import type { EntityLog, Violation } from "./history.ts"

/** Each event of a log with the rows as they are after it. The rows are one object that changes: look at once. */
export function* replay(
  log: EntityLog,
): Generator<{ readonly event: ChangeEvent; readonly rows: LiveRows; readonly at: number }> {
  const rows = new LiveRows([])
  for (const [at, event] of log.events.entries()) {
    rows.apply(event)
    yield { event, rows, at }
  }
}

/** An entity's log and what it comes to. */
export interface Final {
  readonly log: EntityLog
  readonly rows: LiveRows
}

export function finalOf(log: EntityLog): Final {
  let last: LiveRows | undefined
  for (const { rows } of replay(log)) last = rows
  return { log, rows: last ?? new LiveRows([]) }
}

/** Collections whose events are news, not rows: a key may come again. */
const NEWS: ReadonlySet<string> = new Set(["delta", "wake", "error"])

/** Changes that do not fit the rows they change: a row made twice, or changed where there is none. */
export function misfits(log: EntityLog): readonly Violation[] {
  const present = new Map<string, Set<string>>()
  const violations: Violation[] = []
  for (const [at, { type, key, headers }] of log.events.entries()) {
    if (NEWS.has(type)) continue
    const keys = present.get(type) ?? new Set()
    present.set(type, keys)
    const { operation } = headers
    const exists = keys.has(key)
    if (exists === (operation === "insert")) {
      violations.push({
        rule: "P2",
        where: log.url,
        what: `event ${at}: ${operation} of ${type} ${key}, which ${exists ? "exists" : "does not exist"}`,
      })
    }
    if (operation === "delete") keys.delete(key)
    else keys.add(key)
  }
  return violations
}

/** The values that a collection's rows took, by key, in order; a deletion is null. */
export function valuesOf<C extends BuiltInCollection>(
  log: EntityLog,
  collection: C,
): ReadonlyMap<string, readonly (BuiltInRows[C] | null)[]> {
  const values = new Map<string, (BuiltInRows[C] | null)[]>()
  for (const { type, key, value, headers } of log.events) {
    if (type !== collection) continue
    const list = values.get(key) ?? []
    values.set(key, list)
    list.push(headers.operation === "delete" ? null : (value as unknown as BuiltInRows[C]))
  }
  return values
}

/** The latest rows of a collection. */
export function rowsOf<C extends BuiltInCollection>(log: EntityLog, collection: C): readonly BuiltInRows[C][] {
  return [...valuesOf(log, collection).values()].flatMap((values) => values.at(-1) ?? [])
}

/** Things by what `nameOf` calls them, in order. */
export function groupBy<K, T>(things: readonly T[], nameOf: (thing: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>()
  for (const thing of things) {
    const name = nameOf(thing)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [thing])
    else group.push(thing)
  }
  return groups
}
