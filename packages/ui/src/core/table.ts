import type { Json, Row } from "@rouse/protocol"
import { tellingOf } from "./event-summary.ts"
import { isObject, previewOf } from "./json.ts"

/** Rows of a collection as a table. Its columns are fields: what says most first, then what most of them have. The key is not said twice. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
}

const COLUMNS_MAX = 8
const SAMPLE = 200

export function tableOf(rows: readonly Row[]): Table {
  const counts = new Map<string, number>()
  for (const { value } of rows.slice(0, SAMPLE)) {
    if (!isObject(value)) continue
    for (const [name, field] of Object.entries(value)) {
      if (field !== undefined && field !== null) counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  const telling = tellingOf(rows[0]?.collection ?? "")
  const places = new Map(telling.map((name, place) => [name, place - telling.length]))
  const columns = [...counts]
    .filter(([name]) => rows.some(({ key, value }) => !isObject(value) || value[name] !== key))
    .sort(([a, many], [b, few]) => (places.get(a) ?? 0) - (places.get(b) ?? 0) || few - many)
    .map(([name]) => name)
  return { columns: columns.slice(0, COLUMNS_MAX), rows }
}

/** What a cell says. */
export function cellOf(value: Json, column: string | undefined): string {
  if (column === undefined) return previewOf(value, 200)
  return isObject(value) ? previewOf(value[column], 80) : ""
}

/** The collections that rows are of, by name, with how many there are. The author's come before the built-in ones. */
export function collectionCounts(
  rows: readonly Row[],
  isBuiltIn: (name: string) => boolean,
): readonly { readonly name: string; readonly count: number }[] {
  const counts = new Map<string, number>()
  for (const { collection } of rows) counts.set(collection, (counts.get(collection) ?? 0) + 1)
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => Number(isBuiltIn(a.name)) - Number(isBuiltIn(b.name)) || (a.name < b.name ? -1 : 1))
}

/** The fields that differ between a value and the one before it. */
export function changedFields(before: Json | undefined, after: Json | undefined): readonly string[] {
  if (!isObject(before) || !isObject(after)) return []
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
}
