import { RouseError } from "@rouse/protocol"
import type { Options, PostgresType, Sql } from "postgres"
import { bytesOf, hexOf } from "./bytes.ts"
import { quoted } from "./literal.ts"
import { databaseFailure, DatabaseError, refusalOf, unavailable } from "./database-failure.ts"
import type { SqlRow } from "./states.ts"

/** A value of a parameter. Everything else goes as JSON text. */
export type SqlValue = string | number | boolean | null | readonly (string | number)[]

export interface ConnectionOptions {
  readonly url: string
  /** Tables and functions are in it. */
  readonly schema: string
  /** A pooler in transaction mode is in between: nothing is kept in a session, and nothing prepared. */
  readonly pooled: boolean
  readonly connectionsMax: number
}

/** Until a connection is given up on, seconds. */
const CONNECT_SECONDS_MAX = 5
/** A connection that nobody has used for so long is closed: an idle replica holds few. */
const IDLE_SECONDS_MAX = 60
/** Times that a read is tried. */
const TRIES_MAX = 3
/** Between two tries to connect, seconds. */
const RECONNECT_SECONDS_FIRST = 0.05
const RECONNECT_SECONDS_MAX = 1
/** What one statement may take, milliseconds. Beyond it the database ends it, and it is done again or refused. */
const STATEMENT_MS_MAX = 60_000
/** A question that is unanswered for so long is not at the database any more: its connection is dark. Milliseconds. */
const ANSWER_MS_MAX = STATEMENT_MS_MAX + 5_000
/** How often it is looked for such questions, milliseconds. */
const LOOK_MS = 5_000
/** After so long without a word from the other side TCP asks whether it is there, seconds. */
const KEEP_ALIVE_SECONDS = 5

/**
 * A bounded pool of connections. One call is one round trip: as a prepared statement, or behind a pooler as a statement with its values in it.
 *
 * A network that loses packets says nothing, and TCP waits for a quarter of an hour. So connections that owe an answer for too long are given up, all at
 * once: what was asked on them counts as lost with its connection.
 */
export class Connection {
  #sql: Sql<Record<string, unknown>>
  readonly #dial: () => Sql<Record<string, unknown>>
  /** When what is unanswered was asked, by a clock that only goes forward. */
  readonly #asked = new Set<{ readonly atMs: number }>()
  readonly #looking: NodeJS.Timeout
  readonly #pooled: boolean
  readonly #schema: string
  readonly where: string

  private constructor(dial: () => Sql<Record<string, unknown>>, { schema, pooled, url }: ConnectionOptions) {
    this.#dial = dial
    this.#sql = dial()
    this.#schema = schema
    this.#pooled = pooled
    this.where = placeOf(url)
    this.#looking = setInterval(() => this.giveUp(performance.now() - ANSWER_MS_MAX), LOOK_MS)
    this.#looking.unref()
  }

  /**
   * The driver is loaded when it is first needed: the embedded engine starts without it.
   *
   * @throws {RouseError} `BAD_REQUEST` for what is no address, without what it was: there is a password in it.
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { default: postgres } = await import("postgres")
    try {
      return new Connection(() => postgres(options.url, driverOptions(options)), options)
    } catch {
      const message = "url: must be postgres://user:password@host:port/database"
      throw new RouseError("BAD_REQUEST", message, { details: { field: "url" } })
    }
  }

  /** Breaks all connections when something that was asked before `askedMs`, of `performance.now()`, is unanswered still. */
  giveUp(askedMs: number): void {
    for (const { atMs } of this.#asked) {
      if (atMs > askedMs) continue
      const dark = this.#sql
      this.#sql = this.#dial()
      void dark.end({ timeout: 0 }).catch(() => undefined)
      return
    }
  }

  /** Calls one of the functions of the schema. Returns its rows. @throws {RouseError} as `query`. */
  call(name: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    const parameters = values.map((_, index) => `$${index + 1}`).join(", ")
    return this.query(`SELECT * FROM ${this.#schema}.${name}(${parameters})`, values)
  }

  /** Calls a function that returns one value. @throws {RouseError} as `query`. */
  async valueOf(name: string, values: readonly SqlValue[]): Promise<unknown> {
    const parameters = values.map((_, index) => `$${index + 1}`).join(", ")
    const [row] = await this.query(`SELECT ${this.#schema}.${name}(${parameters}) AS value`, values)
    return row?.["value"]
  }

  /** Text in which `~` stands before the name of a table of the schema. */
  read(text: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    return this.repeat(() => this.query(text.replaceAll("~", `${this.#schema}.`), values))
  }

  /**
   * Does again what may be done twice, when its connection is lost or others are in the way.
   *
   * @throws {RouseError} `STORE_UNAVAILABLE` when that does not help; `BAD_REQUEST` for values that the database cannot take.
   */
  async repeat<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error
        if (error.fate === "refused") throw refusalOf(error, this.where)
        if (tries === TRIES_MAX) throw unavailable(this.where, error.sqlState, error.message)
      }
    }
  }

  /** @throws {RouseError} `STORE_UNAVAILABLE` where the database cannot be used now; else the driver's error, without the values. */
  async query(text: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    const asked = { atMs: performance.now() }
    this.#asked.add(asked)
    try {
      if (this.#pooled) return await this.#sql.unsafe(quoted(text, values)).simple()
      const parameters = values.map((value) => (Array.isArray(value) ? `{${value.join(",")}}` : value)) as (
        | string
        | number
        | boolean
        | null
      )[]
      return await this.#sql.unsafe(text, parameters, { prepare: true })
    } catch (error) {
      throw databaseFailure(error, this.where)
    } finally {
      this.#asked.delete(asked)
    }
  }

  /** Several statements, as one transaction. */
  async script(statements: readonly string[]): Promise<void> {
    try {
      await this.#sql.begin(async (sql) => {
        for (const statement of statements) await sql.unsafe(statement)
      })
    } catch (error) {
      throw databaseFailure(error, this.where)
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#looking)
    await this.#sql.end({ timeout: CONNECT_SECONDS_MAX })
  }
}

/** Plain arrays of bytes, as the embedded engine gives them. */
const BYTEA: PostgresType<Uint8Array> = { to: 17, from: [17], serialize: hexOf, parse: bytesOf }

type DriverOptions = Options<Record<string, PostgresType>> & { readonly max_pipeline: number }

export function driverOptions({
  pooled,
  connectionsMax,
}: Pick<ConnectionOptions, "pooled" | "connectionsMax">): DriverOptions {
  return {
    max: connectionsMax,
    max_pipeline: 1,
    connect_timeout: CONNECT_SECONDS_MAX,
    backoff: (tries: number) => Math.min(RECONNECT_SECONDS_MAX, RECONNECT_SECONDS_FIRST * 2 ** tries),
    idle_timeout: IDLE_SECONDS_MAX,
    keep_alive: KEEP_ALIVE_SECONDS,
    prepare: !pooled,
    fetch_types: false,
    types: { bytea: BYTEA },
    onnotice: () => undefined,
    connection: { application_name: "rouse", ...(pooled ? {} : { statement_timeout: STATEMENT_MS_MAX }) },
  }
}

/** What may be said of a database's address: no user, no password, no option. */
export function placeOf(url: string): string {
  try {
    const { host, pathname } = new URL(url)
    return `postgres://${host}${pathname}`
  } catch {
    return "the database"
  }
}
