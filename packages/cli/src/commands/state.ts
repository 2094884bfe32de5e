import type { Row } from "@rouse/protocol"
import { HANDLER_COLLECTIONS, SERVER_COLLECTIONS } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress } from "../core/arguments.ts"
import type { Io } from "../io.ts"
import { table } from "../output/table.ts"
import type { Column } from "../output/table.ts"
import { textOf } from "../output/text.ts"

const BUILT_IN: ReadonlySet<string> = new Set<string>([...SERVER_COLLECTIONS, ...HANDLER_COLLECTIONS])
/** More fields than this are not columns but one cell of JSON. */
const FIELDS_MAX = 8

/** `rouse state </type/id> [collection]`. With `--json`: one row a line. */
export async function state(
  address: string,
  collection: string | undefined,
  flags: RemoteOptions,
  io: Io,
): Promise<void> {
  const { url } = parseAddress(address)
  const { rows } = await connect(flags, io).state(url, collection, { signal: io.stop })
  if (flags.json === true) {
    io.out(rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
    return
  }
  io.out(collection === undefined ? overview(url, rows, io) : rowsText(rows, collection, io))
}

function overview(url: string, rows: readonly Row[], io: Io): string {
  const byCollection = new Map<string, Row[]>()
  for (const row of rows) {
    const list = byCollection.get(row.collection)
    if (list === undefined) byCollection.set(row.collection, [row])
    else list.push(row)
  }
  const own = [...byCollection].filter(([name]) => !BUILT_IN.has(name))
  const builtIn = [...byCollection].filter(([name]) => BUILT_IN.has(name))
  const tables = own.map(([name, list]) => `${io.color.bold(name)}\n${rowsText(list, name, io)}\n`)
  const counts = builtIn.map(([name, list]) => `${name} ${io.color.dim(String(list.length))}`).join("  ")
  const more =
    counts === ""
      ? ""
      : `${io.color.dim("built in:")} ${counts}\n${io.color.dim(`rouse state ${url} <collection> shows one`)}\n`
  return tables.join("") + more
}

function rowsText(rows: readonly Row[], collection: string, io: Io): string {
  if (rows.length === 0) return `${io.color.dim(`no rows in ${collection}`)}\n`
  const options = { columnsMax: io.columns(), paintTitle: (text: string) => io.color.dim(text) }
  const key: Column<Row> = { title: "KEY", cell: (row) => row.key, paint: (text) => io.color.bold(text) }
  return `${table(rows, [key, ...valueColumns(rows)], options)}\n`
}

/** A column for each field, where all values are objects with few fields; else one column. */
function valueColumns(rows: readonly Row[]): readonly Column<Row>[] {
  const fields = [...new Set(rows.flatMap((row) => Object.keys(fieldsOf(row) ?? {})))]
  const isTabular = rows.every((row) => fieldsOf(row) !== undefined) && fields.length > 0 && fields.length <= FIELDS_MAX
  if (!isTabular) return [{ title: "VALUE", cell: (row) => textOf(row.value) }]
  const shown = fields.filter((field) => rows.some((row) => textOf(fieldsOf(row)?.[field]) !== row.key))
  return shown.map((field) => ({ title: field, cell: (row) => textOf(fieldsOf(row)?.[field]) }))
}

function fieldsOf(row: Row): Readonly<Record<string, unknown>> | undefined {
  const { value } = row
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined
}
