import type { SqlValue } from "./connection.ts"

/** A statement with its values in it, as literals. */
export function quoted(text: string, values: readonly SqlValue[]): string {
  return text.replaceAll(/\$(\d+)/g, (_, digits: string) => literal(values[Number(digits) - 1] as SqlValue))
}

/** Read alike whatever `standard_conforming_strings` says: text with a backslash is an escape string. */
export function literal(value: SqlValue): string {
  if (value === null) return "NULL"
  if (typeof value === "boolean") return value ? "true" : "false"
  if (typeof value === "number") return `'${value}'`
  if (typeof value !== "string") return literal(`{${value.join(",")}}`)
  const doubled = value.replaceAll("'", "''")
  return value.includes("\\") ? ` E'${doubled.replaceAll("\\", "\\\\")}'` : `'${doubled}'`
}
