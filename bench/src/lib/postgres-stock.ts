import type postgres from "postgres"

/** What a database holds, tidied up, and how much it has written ahead since it began. */
export interface Stock {
  readonly walBytes: number
  /** Of all tables and their indexes. */
  readonly storedBytes: number
  /** Of those with the logs. */
  readonly logBytes: number
  readonly rows: number
}

const LOG_TABLES = ["chunk"]

/** Rewrites every table first, so that only what is there counts: room for later updates is not in it. */
export async function stockOf(sql: postgres.Sql): Promise<Stock> {
  await sql.unsafe("VACUUM FULL")
  const [found] = await sql<{ stored: string; log: string; rows: string }[]>`
    SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) AS stored, coalesce(sum(c.reltuples), 0) AS rows,
      coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname = ANY(${LOG_TABLES})), 0) AS log
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'rouse' AND c.relkind = 'r'`
  if (found === undefined) throw new Error("the catalogue said nothing")
  const { stored, log, rows } = found
  return { walBytes: await walBytes(sql), storedBytes: Number(stored), logBytes: Number(log), rows: Number(rows) }
}

export async function walBytes(sql: postgres.Sql): Promise<number> {
  const [found] = await sql<{ wal: string }[]>`SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS wal`
  return Number(found?.wal)
}

/** Connections that clients have, but for this one. */
export async function connectionsOf(sql: postgres.Sql): Promise<number> {
  const [found] = await sql<{ count: string }[]>`
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`
  return Number(found?.count)
}
