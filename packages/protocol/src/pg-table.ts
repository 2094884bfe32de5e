import { RouseError } from "./errors.ts"
import type { Where } from "./observe.ts"

/** The name of a source that is given none. */
export const PG_SOURCE_DEFAULT = "db"

const SOURCE = /^[a-z][a-z0-9_-]{0,31}$/
/** What needs no quotes in SQL but for upper case: a table, or a schema and a table. */
const TABLE = /^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$/

/** A table of an application's own database, whose rows rouse who observes it. */
export interface PgTable {
  /** The path of the stream that tells of it. */
  readonly pgTable: string
  readonly where?: Where
  /** The collection, which has the table's name, and operations in it. */
  readonly on: readonly string[]
}

export interface PgTableOptions {
  /** The name of the source: as in `--pg-source name=postgres://…`. Default `db`. */
  readonly source?: string
  /** Which rows count. */
  readonly where?: Where
  /** Which operations: `insert`, `update`, `delete`. All when absent. */
  readonly on?: "insert" | "update" | "delete" | readonly ("insert" | "update" | "delete")[]
}

/**
 * A table to observe: `ctx.observe(pgTable("orders", { where: { status: "paid" } }))`. See docs/pg-table.md.
 *
 * @param table `orders`, or with a schema other than `public`: `sales.orders`.
 * @throws {RouseError} `INVALID_ARGS` naming the field.
 */
export function pgTable(table: string, { source = PG_SOURCE_DEFAULT, where, on }: PgTableOptions = {}): PgTable {
  const label = pgTableLabel(table)
  const operations = typeof on === "string" ? [on] : on
  return {
    pgTable: pgStreamPath(source, table),
    ...(where === undefined ? {} : { where }),
    on: operations === undefined ? [label] : operations.map((operation) => `${label}:${operation}`),
  }
}

/** The stream that a table's changes are written to: `pg/db/orders`. @throws {RouseError} `INVALID_ARGS` naming the field. */
export function pgStreamPath(source: string, table: string): string {
  if (!isPgSourceName(source))
    throw invalid("source", `"${source}" must be 1 to 32 lower-case letters, digits and _-, a letter first`)
  return `pg/${source}/${pgTableLabel(table)}`
}

/** What a table is called: without its schema where that is `public`. @throws {RouseError} `INVALID_ARGS`. */
export function pgTableLabel(table: string): string {
  if (typeof table !== "string" || !TABLE.test(table))
    throw invalid("table", `${JSON.stringify(table)} must be a table, or a schema and a table with a dot between`)
  return table.startsWith("public.") ? table.slice("public.".length) : table
}

export function isPgSourceName(name: string): boolean {
  return SOURCE.test(name)
}

function invalid(field: string, rule: string): RouseError {
  return new RouseError("INVALID_ARGS", `${field}: ${rule}`, { details: { field } })
}
