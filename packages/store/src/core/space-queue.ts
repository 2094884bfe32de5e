import type { JsonObject, SharedCollection } from "@rouse/protocol"

/**
 * Rows that may be claimed stand in queues: every row in that of its collection, `""`, and for each index in that of its values.
 */
export function queueOf(fields: readonly string[], values: JsonObject): string {
  if (fields.length === 0) return ""
  const sorted = [...fields].sort()
  return JSON.stringify(sorted.map((field) => [field, values[field] ?? null]))
}

/** The index that narrows a condition down the most: of those whose properties it all names, one with the most of them. */
export function indexFor({ indexes = [] }: SharedCollection, where: JsonObject): readonly string[] | undefined {
  const fitting = indexes.filter((fields) => fields.every((field) => Object.hasOwn(where, field)))
  return fitting.toSorted((a, b) => b.length - a.length)[0]
}

/** The queues that a row stands in, while it is not done. */
export function queuesOf(collection: SharedCollection | undefined, value: string): readonly string[] {
  const indexes = collection?.indexes ?? []
  if (indexes.length === 0) return [""]
  const row = JSON.parse(value) as JsonObject
  return [...new Set(["", ...indexes.map((fields) => queueOf(fields, row))])]
}
