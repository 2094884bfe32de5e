import { homeOfReceipt, homeOfSecret, homeOfStream, homeOfSubscription, numberOf } from "../core/home.ts"
import type { Home } from "../core/home.ts"
import { activeSecondOf } from "../core/cursor.ts"
import { hexOf } from "../postgres/bytes.ts"
import { hasDead } from "../postgres/write-rows.ts"
import type { Field } from "./record.ts"
import { keptColumns } from "./tables.ts"
import type { ColumnType, MoveTable } from "./tables.ts"

type Fields = Readonly<Record<string, Field>>

const TYPES: Readonly<Record<ColumnType, string>> = { text: "text", int: "int8", bool: "boolean", bytes: "bytea" }

/** Columns that follow from a record, with their types. `revs` counts what changes; nobody knows of any change yet. */
const DERIVED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  era: {},
  entity: { tree: "int8", active_second: "int8", dead: "boolean" },
  stream: { tree: "int8", lock: "int8", rev: "int8", source_tree: "int8" },
  subscription: { tree: "int8", rev: "int8" },
}
const TREE: Readonly<Record<string, string>> = { tree: "int8" }
const REVISED = "observation"

/** The statement that takes rows as the parameter `$1`, a JSON array of objects. */
export function insertOf(table: MoveTable): string {
  const own = keptColumns(table).map((column) => [column, TYPES[table.columns[column] as ColumnType]] as const)
  const all = [...own, ...Object.entries(DERIVED[table.name] ?? TREE)]
  const names = all.map(([column]) => `"${column}"`)
  const values = all.map(([column]) => `w."${column}"`)
  if (table.name === REVISED) {
    names.push("rev")
    values.push("nextval('~revs')")
  }
  const types = all.map(([column, type]) => `"${column}" ${type}`).join(", ")
  return `INSERT INTO ~"${table.name}" (${names.join(", ")}) SELECT ${values.join(", ")}
    FROM json_to_recordset($1::text::json) AS w(${types}) ON CONFLICT DO NOTHING`
}

/** What is kept of a record as it is. */
export function kept(table: MoveTable, fields: Fields): Record<string, Field> {
  return Object.fromEntries(
    keptColumns(table).map((column) => {
      const field = fields[column] ?? null
      return [column, field instanceof Uint8Array ? hexOf(field) : field]
    }),
  )
}

/** The homes that a record's place is made of. */
export function homesOf({ name, owner }: MoveTable, fields: Fields): Home[] {
  if (name === "entity" || name === "row" || name === "timer" || name === "work") return [fields["url"] as string]
  if (owner?.table === "stream") return [homeOfStream(fields["path"] as string)]
  if (name !== "stream") return []
  const { path, source } = fields
  return [homeOfStream(path as string), ...(typeof source === "string" ? [homeOfStream(source)] : [])]
}

export function derivedFields(table: MoveTable, fields: Fields, treeOf: (home: Home) => number): Record<string, Field> {
  const [home = "", source] = homesOf(table, fields)
  const text = (column: string): string => fields[column] as string
  switch (table.name) {
    case "era":
      return {}
    case "entity": {
      const second = activeSecondOf(fields["active_at"] as number)
      return { tree: treeOf(home), active_second: second, dead: hasDead(text("control")) }
    }
    case "stream": {
      const sourceTree = source === undefined ? null : treeOf(source)
      return { tree: treeOf(home), lock: numberOf(home), rev: 0, source_tree: sourceTree }
    }
    case "receipt":
      return { tree: numberOf(homeOfReceipt(text("key"))) }
    case "secret":
      return { tree: numberOf(homeOfSecret(text("name"))) }
    case "subscription":
      return { tree: numberOf(homeOfSubscription(text("id"))), rev: 0 }
    case "subscribed":
      return { tree: numberOf(homeOfSubscription(text("id"))) }
    case "observation":
      return { tree: numberOf(homeOfStream(text("path"))) }
    default:
      return { tree: treeOf(home) }
  }
}
