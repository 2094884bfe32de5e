import { pgTableLabel, RouseError } from "@rouse/protocol"
import type { Sql } from "postgres"
import { installStatements, removeStatements } from "../core/pg-install.ts"
import type { PgTableShape } from "../core/pg-install.ts"
import { checkFeed, connectPg, FEED_DEFAULT } from "./open.ts"

export interface PgInstallOptions {
  /** Of a role that owns the table and may create schemas. */
  readonly url: string
  /** `orders`, or `sales.orders`. */
  readonly table: string
  /** What may leave the database. All columns that there are now when absent; the key always does. */
  readonly columns?: readonly string[]
  /** Default `rouse_feed`. */
  readonly feed?: string
  readonly grantTo?: string
  /** Default true. */
  readonly notifies?: boolean
  /** Only says what it would do. */
  readonly dryRun?: boolean
}

/**
 * Installs the trigger on a table, or changes the one that is there, in one transaction.
 *
 * @returns the statements.
 * @throws {RouseError} `BAD_REQUEST` naming the field: a table without a primary key, a column that is not there.
 */
export async function installPgTable(options: PgInstallOptions): Promise<readonly string[]> {
  const { url, table, columns, feed = FEED_DEFAULT, grantTo, notifies = true, dryRun = false } = options
  checkFeed(feed)
  const place = placeOf(table)
  return withSql(url, async (sql) => {
    const shape = await shapeOf(sql, place, columns)
    const install = { feed, notifies, ...(grantTo === undefined ? {} : { grantTo }) }
    return done(sql, installStatements(shape, install), dryRun)
  })
}

/** Takes the trigger away, with what waits. @returns the statements. */
export async function removePgTable(
  options: Pick<PgInstallOptions, "url" | "table" | "feed" | "dryRun">,
): Promise<readonly string[]> {
  const { url, table, feed = FEED_DEFAULT, dryRun = false } = options
  checkFeed(feed)
  return withSql(url, (sql) => done(sql, removeStatements(placeOf(table), feed), dryRun))
}

async function done(sql: Sql, statements: readonly string[], dryRun: boolean): Promise<readonly string[]> {
  if (!dryRun)
    await sql.begin(async (transaction) => {
      for (const statement of statements) await transaction.unsafe(statement)
    })
  return statements
}

async function withSql<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = connectPg(url, 1)
  try {
    return await work(sql)
  } catch (error) {
    if (RouseError.is(error)) throw error
    throw new RouseError("BAD_REQUEST", `the database refused: ${error instanceof Error ? error.message : "no reason"}`)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function placeOf(name: string): Pick<PgTableShape, "schema" | "table"> {
  const label = pgTableLabel(name)
  const [first = "", second] = label.split(".")
  return second === undefined ? { schema: "public", table: first } : { schema: first, table: second }
}

async function shapeOf(
  sql: Sql,
  { schema, table }: Pick<PgTableShape, "schema" | "table">,
  asked: readonly string[] | undefined,
): Promise<PgTableShape> {
  const rows = await sql.unsafe(
    `SELECT a.attname AS name, array_position(i.indkey::int2[], a.attnum) AS place
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [schema, table],
  )
  if (rows.length === 0) throw invalid("table", `there is no table ${schema}.${table}`)
  const names = rows.map((row) => String(row["name"]))
  const key = rows
    .filter((row) => row["place"] !== null)
    .toSorted((a, b) => Number(a["place"]) - Number(b["place"]))
    .map((row) => String(row["name"]))
  if (key.length === 0)
    throw invalid("table", `${schema}.${table} has no primary key, by which its rows are told apart`)
  const unknown = asked?.find((column) => !names.includes(column))
  if (unknown !== undefined) throw invalid("columns", `${schema}.${table} has no column "${unknown}"`)
  const columns = names.filter((name) => asked === undefined || asked.includes(name) || key.includes(name))
  return { schema, table, columns, key }
}

function invalid(field: string, rule: string): RouseError {
  return new RouseError("BAD_REQUEST", `${field}: ${rule}`, { details: { field } })
}
