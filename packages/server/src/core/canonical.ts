import type { Json } from "@rouse/protocol"

/** The JSON text of a value with object keys sorted, so that equal values have equal texts. */
export function canonicalJson(value: Json | undefined): string {
  return JSON.stringify(sorted(value ?? null))
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value as Record<string, Json | undefined>)
  const kept = entries.filter((entry): entry is [string, Json] => entry[1] !== undefined)
  kept.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(kept.map(([key, inner]) => [key, sorted(inner)]))
}
