import { isPgSourceName, RouseError } from "@rouse/protocol"
import postgres from "postgres"
import type { Sql } from "postgres"
import type { RowBatch, RowSource } from "./row-source.ts"

export const FEED_DEFAULT = "rouse_feed"
const FEED = /^[a-z_][a-z0-9_]{0,40}$/
/** Changes of one table that are taken together: as much as a commit looks at for observers. */
const ROWS_MAX = 500
const BYTES_MAX = 250_000
const CONNECTIONS_MAX = 2
const CONNECT_SECONDS_MAX = 5
const STATEMENT_MS_MAX = 60_000
const CLOSE_SECONDS_MAX = 2

export interface PgSourceOptions {
  /** Names its streams: `pg/{name}/{table}`. */
  readonly name: string
  /** `postgres://user:password@host:port/database`, of a role that may take changes. */
  readonly url: string
  /** The schema that was installed. Default `rouse_feed`. */
  readonly feed?: string
}

export interface PgSource extends RowSource {
  close(): Promise<void>
}

/**
 * A database where `rouse pg-source install` was run. Connects when it is first asked.
 *
 * @throws {RouseError} `BAD_REQUEST` naming the field; never with the address, which holds a password.
 */
export function openPgSource({ name, url, feed = FEED_DEFAULT }: PgSourceOptions): PgSource {
  if (!isPgSourceName(name)) throw invalid("name", `"${name}" must be 1 to 32 lower-case letters, digits and _-`)
  checkFeed(feed)
  const sql = connectPg(url, CONNECTIONS_MAX)
  return {
    name,
    async take() {
      const rows = await sql.unsafe(`SELECT * FROM ${feed}.take($1, $2)`, [ROWS_MAX, BYTES_MAX])
      return rows.map((row) => batchOf(row))
    },
    async done({ label, epoch, number }) {
      await sql.unsafe(`SELECT ${feed}.done($1, $2, $3)`, [label, epoch, number])
    },
    async renew({ label, epoch }, above) {
      await sql.unsafe(`SELECT ${feed}.renew($1, $2, $3)`, [label, epoch, above])
    },
    watch(listener) {
      // Where it cannot listen, servers look by themselves; once it can, what was missed is looked for.
      const listening = sql.listen(feed, listener, listener).catch(() => undefined)
      return () => void listening.then((made) => made?.unlisten()).catch(() => undefined)
    },
    close: () => sql.end({ timeout: CLOSE_SECONDS_MAX }),
  }
}

/** @throws {RouseError} `BAD_REQUEST` for what is no address, without what it was. */
export function connectPg(url: string, connectionsMax: number): Sql {
  try {
    return postgres(url, {
      max: connectionsMax,
      connect_timeout: CONNECT_SECONDS_MAX,
      prepare: false,
      fetch_types: false,
      onnotice: () => undefined,
      connection: { application_name: "rouse", statement_timeout: STATEMENT_MS_MAX },
    })
  } catch {
    throw invalid("url", "must be postgres://user:password@host:port/database")
  }
}

/** @throws {RouseError} `BAD_REQUEST`. */
export function checkFeed(feed: string): void {
  if (!FEED.test(feed)) throw invalid("feed", `"${feed}" must be 1 to 41 lower-case letters, digits and _`)
}

function batchOf(row: Record<string, unknown>): RowBatch {
  return {
    label: String(row["source"]),
    epoch: Number(row["epoch_no"]),
    number: Number(row["batch_no"]),
    events: String(row["events"]),
  }
}

function invalid(field: string, rule: string): RouseError {
  return new RouseError("BAD_REQUEST", `${field}: ${rule}`, { details: { field } })
}
