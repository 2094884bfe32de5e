import { RouseError } from "@rouse/protocol"
import { numberOf } from "../core/home.ts"
import type { Connection } from "./connection.ts"
import { DatabaseError } from "./database-failure.ts"
import { MIGRATIONS } from "./schema.ts"
import type { Migration } from "./schema.ts"
import { SET_LOCK } from "./subscription-set.ts"
import { refuseTooOld } from "./version.ts"
import type { Stamps } from "./version.ts"

const NONCE_DIGITS = 4
/** How long a step may wait for whoever uses its table, seconds: commits wait meanwhile. */
const LOCK_SECONDS_MAX = 5
/** The oldest Postgres that has all that is used. */
const SERVER_VERSION_MIN = 150_000

/**
 * Brings the tables to the newest version, one replica at a time, while others run. A database that is newer than this Rouse is left as it is:
 * what was added since does not concern it, unless its `least` says so.
 *
 * @param seed From 0 to 1, by chance: tells the offsets of a new store from those of every other.
 * @returns the nonce of the store.
 * @throws {RouseError} `STORE_UNAVAILABLE` when the tables are to be changed and the role may not, or the server or this Rouse is too old.
 */
export async function migrate(
  connection: Connection,
  schema: string,
  seed: number,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<string> {
  await refuseOldServer(connection)
  const before = await stampsOf(connection, schema)
  if (before !== undefined && before.version >= migrations.length) return nonceFor(migrations, before, connection)
  try {
    await connection.script(stepsOf(schema, seed, migrations))
  } catch (error) {
    throw mayNot(error, connection.where)
  }
  const after = await stampsOf(connection, schema)
  if (after === undefined) throw new Error(`${connection.where} has no store although one was made`)
  return nonceFor(migrations, after, connection)
}

function nonceFor(migrations: readonly Migration[], { least, nonce }: Stamps, { where }: Connection): string {
  refuseTooOld(least, migrations.length, where)
  return nonce
}

/**
 * One transaction. Who comes second waits, and finds each step done.
 *
 * Commits begin with the lock on the subscriptions: behind it they wait before they hold anything that a step needs, and nobody waits in a circle.
 */
function stepsOf(schema: string, seed: number, migrations: readonly Migration[]): string[] {
  const steps = [
    "SET LOCAL statement_timeout = 0",
    `SELECT pg_advisory_xact_lock(${numberOf(`migrate ${schema}`)})`,
    `SELECT pg_advisory_xact_lock(${SET_LOCK})`,
    `SET LOCAL lock_timeout = '${LOCK_SECONDS_MAX}s'`,
    `CREATE SCHEMA IF NOT EXISTS ${schema}`,
    `SET LOCAL search_path = ${schema}, pg_temp`,
  ]
  migrations.forEach((migration, version) => {
    steps.push(onceOf(schema, version, migration))
  })
  steps.push(`INSERT INTO meta (key, value) VALUES ('nonce', '${nonceOf(seed)}') ON CONFLICT DO NOTHING`)
  return steps
}

/** Does the statements when exactly so many migrations were done before. */
function onceOf(schema: string, version: number, { steps, least }: Migration): string {
  const known = `(SELECT value::int FROM meta WHERE key = 'version')`
  const isDue = version === 0 ? `to_regclass('${schema}.meta') IS NULL` : `${known} = ${version}`
  const stamp =
    version === 0
      ? `INSERT INTO meta (key, value) VALUES ('version', '1')`
      : `UPDATE meta SET value = '${version + 1}' WHERE key = 'version'`
  const body = [...steps(schema), stamp, ...leastStamp(least)].map((sql) => `EXECUTE $step$${sql}$step$;`).join("\n")
  return `DO $once$ BEGIN IF ${isDue} THEN ${body} END IF; END $once$`
}

/** With another version of the subscriptions every replica that runs looks again before its next commit, and finds that it is too old. */
function leastStamp(least: number | undefined): readonly string[] {
  if (least === undefined) return []
  return [
    `UPDATE meta SET value = '${least}' WHERE key = 'least'`,
    "UPDATE meta SET value = (value::int8 + 1)::text WHERE key = 'subscriptions' AND value::int8 >= 0",
  ]
}

async function stampsOf(connection: Connection, schema: string): Promise<Stamps | undefined> {
  const [there] = await connection.query("SELECT to_regclass($1) IS NOT NULL AS there", [`${schema}.meta`])
  if (there?.["there"] !== true) return undefined
  const rows = await connection.read("SELECT key, value FROM ~meta WHERE key IN ('version', 'least', 'nonce')", [])
  const values = new Map(rows.map((row) => [row["key"] as string, row["value"] as string]))
  const number = (key: string): number => Number(values.get(key) ?? 0)
  return { version: number("version"), least: number("least"), nonce: values.get("nonce") ?? "" }
}

async function refuseOldServer(connection: Connection): Promise<void> {
  const [row] = await connection.query("SELECT current_setting('server_version_num') AS version", [])
  if (Number(row?.["version"]) >= SERVER_VERSION_MIN) return
  throw new RouseError("STORE_UNAVAILABLE", `${connection.where} is older than Postgres 15`, {
    details: { where: connection.where },
  })
}

function mayNot(error: unknown, where: string): unknown {
  const state =
    error instanceof DatabaseError ? error.sqlState : RouseError.is(error) ? error.details["cause"] : undefined
  if (state !== "42501") return error
  const message = `${where} has no tables of this version, and the role may not make them: see docs/postgres.md`
  return new RouseError("STORE_UNAVAILABLE", message, { details: { where } })
}

function nonceOf(seed: number): string {
  return Math.floor(seed * 36 ** NONCE_DIGITS)
    .toString(36)
    .padStart(NONCE_DIGITS, "0")
}
